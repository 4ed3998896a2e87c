"""Files as others write them: small data in the published layouts, by h5py alone.

Every array comes from `numbers`, so that a test knows each value by where it stands.
"""

import h5py
import numpy as np


def numbers(*shape: int, start: float = 0.0) -> np.ndarray:
    """Distinct float32 values, counted up in row-major order."""
    return (start + np.arange(np.prod(shape, dtype=int))).reshape(shape).astype(np.float32)


def well_file(path, fields, *, sides=(4, 6), n=3, T=5, grid_type="cartesian", spacing=(0.5, 0.5), bc="PERIODIC",
              scalars=None, drop=()):  # fmt: skip
    """The Well. `fields`: name -> (order, array, sample_varying, time_varying, dim_varying)."""
    axes = "xyz"[: len(sides)]
    with h5py.File(path, "w") as f:
        f.attrs["dataset_name"] = "made up"
        f.attrs["grid_type"] = grid_type
        f.attrs["n_spatial_dims"] = len(sides)
        f.attrs["n_trajectories"] = n
        f.attrs["simulation_parameters"] = ["Re"]
        f.attrs["Re"] = 100.0
        dims = f.create_group("dimensions")
        dims.attrs["spatial_dims"] = list(axes)
        dims.create_dataset("time", data=np.linspace(0, 0.25 * (T - 1), T, dtype=np.float32))
        for axis, side, step in zip(axes, sides, spacing, strict=False):
            dims.create_dataset(axis, data=np.float32(1.0) + np.arange(side, dtype=np.float32) * step)
        conditions = f.create_group("boundary_conditions")
        for axis in axes:
            group = conditions.create_group(f"{axis}_{bc.lower()}")
            group.attrs["associated_dims"] = [axis]
            group.attrs["associated_fields"] = []
            group.attrs["bc_type"] = bc if axis == "x" else "PERIODIC"
        for k in range(3):
            group = f.create_group(f"t{k}_fields")
            group.attrs["field_names"] = [name for name, entry in fields.items() if entry[0] == k]
        for name, (k, array, by_sample, by_time, by_axis) in fields.items():
            dataset = f[f"t{k}_fields"].create_dataset(name, data=array)
            dataset.attrs["sample_varying"] = by_sample
            dataset.attrs["time_varying"] = by_time
            dataset.attrs["dim_varying"] = list(by_axis)
        group = f.create_group("scalars")
        group.attrs["field_names"] = list(scalars or {})
        for name, (array, by_sample, by_time) in (scalars or {}).items():
            dataset = group.create_dataset(name, data=array)
            dataset.attrs["sample_varying"], dataset.attrs["time_varying"] = by_sample, by_time
        for name, attribute in drop:
            del f[name].attrs[attribute]
    return path


def compressible(path, D=2, *, n=2, T=4, sides=(4, 4, 4)):
    """PDEBench, compressible Navier-Stokes."""
    shape = (n, T, *sides[:D])
    with h5py.File(path, "w") as f:
        for i, name in enumerate(("density", "pressure", *("Vx", "Vy", "Vz")[:D])):
            f.create_dataset(name, data=numbers(*shape, start=1000.0 * i))
        for axis, side in zip("xyz"[:D], sides, strict=False):
            f.create_dataset(f"{axis}-coordinate", data=(np.arange(side) + 0.5).astype(np.float32) / side)
        f.create_dataset("t-coordinate", data=np.arange(T + 1, dtype=np.float32) * 0.05)
        f.attrs["eta"] = 0.01
    return path


def one_tensor(path, shape=(3, 5, 8), axes="x"):
    """PDEBench, one unnamed quantity."""
    with h5py.File(path, "w") as f:
        f.create_dataset("tensor", data=numbers(*shape))
        for i, axis in enumerate(axes):
            f.create_dataset(f"{axis}-coordinate", data=np.linspace(0, 1, shape[2 + i], endpoint=False))
    return path


def by_seed(path, channels=2, lengths=(5, 5, 5), sides=(4, 4)):
    """PDEBench, diffusion-reaction."""
    with h5py.File(path, "w") as f:
        for seed, T in enumerate(lengths):
            group = f.create_group(f"{seed:04d}")
            group.create_dataset(
                "data", data=numbers(T, *sides, channels, start=1000.0 * seed), compression="lzf"
            )
            for axis, side in zip("xyz", sides, strict=False):
                group.create_dataset(f"grid/{axis}", data=np.linspace(-1, 1, side, dtype=np.float32))
            group.create_dataset("grid/t", data=np.arange(T, dtype=np.float32) * 0.25)
            group.attrs["config"] = "sim: {}"
    return path


def incompressible(path, n=2, T=3, side=4):
    """PDEBench, incompressible Navier-Stokes."""
    with h5py.File(path, "w") as f:
        f.attrs["latestIndex"] = -1
        f.create_dataset("velocity", data=numbers(n, T, side, side, 2), chunks=(1, 1, side, side, 2))
        f.create_dataset("particles", data=numbers(n, T, side, side, 1, start=500))
        f.create_dataset("force", data=numbers(n, side, side, 2, start=900))
        f.create_dataset("t", data=np.tile(np.arange(T, dtype=np.float32) * 0.02, (n, 1)))
    return path


def arena(path, parts=("train",), n=2, T=3, side=4, dy=0.25):
    """PDEArena, Navier-Stokes with buoyancy."""
    with h5py.File(path, "w") as f:
        for i, part in enumerate(parts):
            group = f.create_group(part)
            for j, name in enumerate(("u", "vx", "vy")):
                group.create_dataset(
                    name, data=numbers(n, T, side, side, start=1000 * i + 100 * j).astype(float)
                )
            group.create_dataset("t", data=np.tile(np.arange(T) * 1.5, (n, 1)))
            group.create_dataset("x", data=np.tile(np.arange(side) * 0.25, (n, 1)))
            group.create_dataset("y", data=np.tile(np.arange(side) * dy, (n, 1)))
            for name, value in (("dt", 1.5), ("dx", 0.25), ("dy", dy)):
                group.create_dataset(name, data=np.full(n, value))
            group.create_dataset("buo_y", data=0.5 + np.arange(n))
    return path


def arena_1d(path, n=3, T=5, side=16, varying=False, viscosity=None):
    """PDEArena, Kuramoto-Sivashinsky; in the published files time step and spacing differ from sample to sample."""
    by = 1 + 0.01 * np.arange(n) * varying
    with h5py.File(path, "w") as f:
        group = f.create_group("train")
        group.create_dataset(f"pde_{T}-{side}", data=numbers(n, T, side))
        group.create_dataset("dt", data=0.2 * by)
        group.create_dataset("dx", data=0.25 * by)
        group.create_dataset("t", data=0.2 * by[:, None] * np.arange(T))
        group.create_dataset("x", data=0.25 * by[:, None] * np.arange(side))
        if viscosity is not None:
            group.create_dataset("v", data=np.full(n, viscosity))
    return path


def arena_3d(path, part="valid", n=2, T=3, side=4):
    """PDEArena, Maxwell."""
    with h5py.File(path, "w") as f:
        for i, name in enumerate(("d_field", "h_field")):
            f.create_dataset(
                f"{part}/{name}", data=numbers(n, T, side, side, side, 3, start=1e4 * i).astype(float)
            )
    return path
