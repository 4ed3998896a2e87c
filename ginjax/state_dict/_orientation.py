"""The dimension of a network, the place of new axes, and the match between names in a file and in a description."""

from collections.abc import Mapping

from ginjax.errors import ArgumentError

from ._description import Description, without_wrapper
from ._kernels import Kernel
from ._layouts import KernelLayout, Place
from ._modules import Module


def dimension_of(
    description: Description, kernels: Mapping[str, Kernel], modules: Mapping[str, Module] | None
) -> int:
    """The dimension of the network."""
    shapes = [
        kernel.shape
        for kernel in kernels.values()
        if modules is None
        or ((module := modules.get(kernel.module)) is not None and module.convolution is not None)
    ]
    found = sorted({len(shape) - 2 for shape in shapes})
    if description.from_dim is not None:
        if description.from_dim not in found:
            raise ArgumentError(
                "`from_dim`",
                got=description.from_dim,
                expected=" or ".join(map(str, found)) or "kernels in the file",
            )
        return description.from_dim
    if not found:
        raise ArgumentError(
            "the file",
            got="no convolution kernels" + (" of the modules described" if modules else ""),
            expected=f"arrays named as {description.layout} names kernels, with three axes or more",
            hint="Kernels of Flax and Keras are found with `layout`.",
        )
    if len(found) > 1:
        counts = ", ".join(f"{sum(len(shape) - 2 == D for shape in shapes)} of {D}D" for D in found)
        raise ArgumentError(
            "dimension of the network",
            got=f"kernels of several: {counts}",
            expected="`from_dim`, which says it",
        )
    return found[0]


def modules_by_name(
    description: Description, kernels: list[str], notes: list[str]
) -> dict[str, Module] | None:
    """The layers by the name that the file uses."""
    if description.modules is None:
        return None
    modules = {module.name: module for module in description.modules}
    prefix = without_wrapper([f"{name}." for name in kernels], {f"{name}.": None for name in modules})
    say_prefix(prefix, "the modules", notes)
    return {prefix + name: module for name, module in modules.items()}


def say_prefix(prefix: str, whose: str, notes: list[str]) -> None:
    """Note a prefix that all names in the file have and those of the other network lack."""
    if prefix:
        notes.append(f"all names in the file begin with {prefix!r}, which {whose} has not")


def place_of(
    description: Description,
    kernels: Mapping[str, Kernel],
    layout: KernelLayout,
    dims: tuple[int, int],
    prefix: str,
    notes: list[str],
) -> Place:
    """The place of new axes: as stated, else as the example shows if it is unique, else first."""
    if description.new_axis is not None:
        return description.new_axis
    if description.like is not None:
        fits: list[Place] = []
        for where in ("first", "last"):
            place, added = layout.place(dims[0], where), dims[1] - dims[0]
            pairs = [
                (kernel.shape, description.like[short])
                for name, kernel in kernels.items()
                if len(kernel.shape) == dims[0] + 2
                and len(description.like.get(short := name.removeprefix(prefix), ())) == dims[1] + 2
            ]
            if pairs and all(high[:place] + high[place + added :] == low for low, high in pairs):
                fits.append(where)
        if len(fits) == 1:
            notes.append(f"the example has the new axis {fits[0]} among the spatial ones")
            return fits[0]
    what = "the new axis is" if dims[1] - dims[0] == 1 else "the new axes are"
    notes.append(f"assumed: {what} the first of the spatial ones (`new_axis='last'` puts it last)")
    return "first"
