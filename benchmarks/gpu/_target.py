"""The devices that programs are compiled for, as XLA describes them, and compiling for one that is not there."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from jax.experimental import topologies
from jax.sharding import NamedSharding, PartitionSpec

_DESCRIPTION = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: 233472 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: %(bandwidth)d l2_cache_size: 52428800 clock_rate_ghz: 1.98
  device_memory_size: %(memory)d shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 feature_extension: ACCELERATED_FEATURES }
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
  device_vendor: "NVIDIA Corporation" platform_version: "Compute Capability 9.0a"
  device_address_bits: 64 pcie_bandwidth: 34359738368 ecc_enabled: true name: "%(name)s"
  driver_version: "13.0.0" runtime_version: "13.0.0" compile_time_toolkit_version: "13.0.0" dnn_version: "9.10.0"
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 patch: 0 }
device_description_str: "%(name)s"
"""
"""A `GpuTargetConfigProto`, after `xla/backends/gpu/target_config/specs/` of XLA."""


@dataclass(frozen=True)
class Device:
    """A GPU of NVIDIA's Hopper generation.

    - `bandwidth`: bytes a second.
    - `memory`: bytes.
    - `peaks`: operations a second by kind, dense: products of float32 (`fp32`), of inputs rounded to 10 bits
      (`tf32`), the same three times for nearly float32 (`tf32x3`), of bfloat16 (`bf16`), and everything that is no
      product (`elementwise`): half of `fp32`, whose peak counts a multiply-add twice.
    """

    name: str
    bandwidth: int
    memory: int
    peaks: dict[str, float]

    @property
    def description(self) -> str:
        """The device as XLA wants to be told."""
        return _DESCRIPTION % {"name": self.name, "bandwidth": self.bandwidth, "memory": self.memory}


_PEAKS = {"fp32": 67e12, "tf32": 494e12, "tf32x3": 494e12 / 3, "bf16": 989e12, "elementwise": 33.5e12}
DEVICES = {
    "h100": Device("NVIDIA H100 80GB HBM3", 3_352_320_000_000, 84_942_979_072, _PEAKS),
    "h200": Device("NVIDIA H200 141GB HBM3e", 4_800_000_000_000, 151_397_597_184, _PEAKS),
}


@dataclass(frozen=True)
class Compiled:
    """A program for a device: its optimised, scheduled HLO; bytes besides arguments and results; seconds it took."""

    text: str
    temporary: int
    trace_s: float
    compile_s: float


def compile_for(
    device: Device, function: Callable[..., Any], arguments: tuple[Any, ...], donated: tuple[int, ...] = ()
) -> Compiled:
    """Compile a function of arrays for a GPU. The CUDA plugin of JAX is needed, a GPU or its driver is not.

    **Arguments:**

    - `arguments`: arrays, or their shapes and dtypes.
    - `donated`: numbers of the arguments whose memory the results may take.
    """
    topology = topologies.get_topology_desc(
        platform="cuda", target_config=device.description, topology="1x1x1"
    )
    there = NamedSharding(topologies.make_mesh(topology, (1,), ("device",)), PartitionSpec())
    shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=there), arguments)
    started = time.perf_counter()
    lowered = (
        jax.jit(function, donate_argnums=donated, out_shardings=there)
        .trace(*shapes)
        .lower(lowering_platforms=("cuda",))
    )
    traced = time.perf_counter()
    program: Any = lowered.compile()
    compiled = time.perf_counter()
    temporary = int(program.memory_analysis().temp_size_in_bytes)
    return Compiled(program.as_text(), temporary, traced - started, compiled - traced)
