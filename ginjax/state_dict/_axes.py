"""The geometry of each kernel along the axes that are added or removed: what the description states, and what is assumed."""

from collections.abc import Sequence
from dataclasses import dataclass

from ginjax.errors import ArgumentError
from ginjax.transfer import AxisGeometry, PlainRule
from ginjax.transfer.rules import profile

from ._description import Description, Patterns, whole_number
from ._kernels import Kernel
from ._layouts import KernelLayout
from ._modules import Module


@dataclass(frozen=True)
class NewAxes:
    """The geometry of one kernel along the new axes.

    **Arguments:**

    - `axes`: one geometry for each new axis, in their order.
    - `source`: where this comes from: `modules`, `options` or `bias`; empty if a single tap leaves nothing to state.
    - `assumed`: what was assumed because it is not stated, in words.
    - `unknown`: what has to be stated before the kernel can be converted, in words; empty if nothing.
    """

    axes: tuple[AxisGeometry, ...]
    source: str = ""
    assumed: tuple[str, ...] = ()
    unknown: str = ""


class AxisReader:
    """Finds the geometry of kernels along new axes.

    **Arguments:**

    - `description`: what the user states about the network.
    - `layout`: the layout of its kernels.
    - `dims`: the lower and the higher dimension.
    - `rule`: the rule for kernels along new axes; what does not matter for it need not be stated.
    - `modules`: the layers by the name that the file uses; None if there is no description of them.
    """

    def __init__(
        self,
        description: Description,
        layout: KernelLayout,
        dims: tuple[int, int],
        rule: PlainRule,
        modules: dict[str, Module] | None,
    ):
        self._layout = layout
        self._dims = dims
        self._rule = rule
        self._modules = modules
        self._says_transposed = description.transposed is not None or modules is not None
        self._says_stride = description.stride is not None or modules is not None
        self._transposed = Patterns("transposed", description.transposed or (), 3)
        self._stride = Patterns("stride", description.stride or (), 1)
        self._padding = Patterns("padding", description.padding, 2)
        low, high = dims
        self._new = range(high - low) if description.new_axis != "last" else range(low, high)

    def of(self, kernel: Kernel, depths: Sequence[int] | None) -> NewAxes:
        """The geometry of a kernel along each new axis.

        **Arguments:**

        - `kernel`: the kernel.
        - `depths`: numbers of taps along the new axes, if a file of the higher dimension has them; otherwise None.
        """
        module = None if self._modules is None else self._modules.get(kernel.module)
        taps = self._taps(kernel, module, depths)
        if isinstance(taps, str):
            return NewAxes((), unknown=taps)
        if self._transposed.find(kernel.name) is not None or self._stride.find(kernel.name) is not None:
            found = self._by_patterns(kernel, taps)
        elif module is not None and module.convolution is not None:
            self._refuse_other_kernel(kernel, module)
            found = self._described(module, taps)
        elif self._modules is not None:
            return NewAxes((), unknown="none of the convolutions described")
        else:
            found = self._by_patterns(kernel, taps)
        return self._with_padding(kernel, found)

    def refuse_unused(self) -> None:
        """Refuse patterns that matched no kernel."""
        for each in (self._transposed, self._stride, self._padding):
            each.refuse_unused()

    def _refuse_other_kernel(self, kernel: Kernel, module: Module) -> None:
        """Refuse a module that does not fit the kernel: another size, or transposed although the bias shows otherwise."""
        sides, said = self._layout.spatial(kernel.shape), module.settings.get("kernel_size")
        fits = said is None or said == sides[0] or isinstance(said, list)
        if isinstance(said, list) and len(said) == len(sides):
            fits = tuple(said) == sides
        elif isinstance(said, list) and len(said) == self._dims[1]:
            fits = tuple(each for axis, each in enumerate(said) if axis not in self._new) == sides
        if not fits:
            raise ArgumentError(
                f"kernel_size of {module.name!r}",
                got=said,
                expected=f"{list(sides)}, as {kernel.name!r} has it",
            )
        told = _told_by_bias(kernel)
        transposed = "Transpose" in (module.convolution or "")
        if told is not None and told != transposed:
            raise ArgumentError(
                f"class of {module.name!r}",
                got=module.convolution,
                expected=f"{'a transposed' if told else 'an ordinary'} convolution: the bias of {kernel.name!r} has "
                f"{kernel.bias} entries, its shape is {kernel.shape}",
            )

    def _taps(self, kernel: Kernel, module: Module | None, depths: Sequence[int] | None) -> list[int] | str:
        if depths is not None:
            return list(depths)
        if module is not None and module.convolution is not None and "kernel_size" in module.settings:
            return module.of_axis("kernel_size", self._new, self._dims, 1)
        sides = set(self._layout.spatial(kernel.shape))
        if len(sides) > 1:
            return f"depth of a kernel {'x'.join(map(str, self._layout.spatial(kernel.shape)))}"
        return [*sides] * len(self._new)

    def _described(self, module: Module, taps: list[int]) -> NewAxes:
        values = {
            name: module.of_axis(name, self._new, self._dims, default)
            for name, default in (("stride", 1), ("dilation", 1), ("output_padding", 0))
        }
        said = module.settings.get("padding", 0)
        transposed = "Transpose" in (module.convolution or "")
        fitted = said == "same" and any(stride > 1 for stride in values["stride"])
        fitted = fitted or any(kind.endswith("Same") for kind in module.kinds)
        if said in ("same", "valid"):
            full = [
                (e * (t - 1) if said == "same" else 0) for e, t in zip(values["dilation"], taps, strict=True)
            ]
            before, after = [each // 2 for each in full], [each - each // 2 for each in full]
        else:
            before = after = module.of_axis("padding", self._new, self._dims, 0)
        mode = module.settings.get("padding_mode", "zeros")
        axes = tuple(
            AxisGeometry(
                taps=taps[i],
                stride=values["stride"][i],
                dilation=values["dilation"][i],
                before=0 if fitted else before[i],
                after=0 if fitted else after[i],
                output_padding=values["output_padding"][i] if transposed else 0,
                transposed=transposed,
                repeats=mode != "zeros" and not transposed,
                fitted=fitted and not transposed,
            )
            for i in range(len(taps))
        )
        described = str(self._dims[1]) in (module.convolution or "")
        like = () if described or max(taps) == 1 else ("new axis like the others",)
        return NewAxes(axes, "modules", like)

    def _by_patterns(self, kernel: Kernel, taps: list[int]) -> NewAxes:
        as_transposed = self._transposed.find(kernel.name)
        stride = self._stride.find(kernel.name)
        if as_transposed is not None and stride is not None:
            raise ArgumentError(
                f"kernel {kernel.name!r}", got="`transposed` and `stride`", expected="one of the two"
            )
        told = _told_by_bias(kernel)
        if self._says_transposed and told is not None and told != (as_transposed is not None):
            raise ArgumentError(
                f"kernel {kernel.name!r}",
                got=f"{'a transposed' if as_transposed is not None else 'an ordinary'} convolution",
                expected=f"{'a transposed' if told else 'an ordinary'} one: its bias has {kernel.bias} entries, its shape is "
                f"{kernel.shape}",
            )
        if as_transposed is not None:
            return self._transposed_by(as_transposed, taps)
        if max(taps) == 1:
            return NewAxes(tuple(AxisGeometry(each) for each in taps))
        source = "options"
        if not self._says_transposed:
            if told is None:
                return NewAxes((), unknown="transposed or not, and its stride")
            if told:
                return NewAxes((), unknown="stride of a transposed convolution, as its bias shows")
            source = "bias"
        s = 1 if stride is None else whole_number("stride", stride[0], 1)
        axes = tuple(self._usual(each, s) for each in taps)
        if not self._says_stride:
            if any(self._depends_on_stride(each) for each in taps):
                return NewAxes((), unknown="stride")
            return NewAxes(axes, source, ("any stride",))
        return NewAxes(axes, "options")

    def _transposed_by(self, values: list[str], taps: list[int]) -> NewAxes:
        s = whole_number("transposed", values[0], 1)
        axes, assumed = [], ()
        for k in taps:
            p = max(-((s - k) // 2), 0) if len(values) < 2 else whole_number("transposed", values[1], 0)
            added = max(2 * p - (k - s), 0) if len(values) < 3 else whole_number("transposed", values[2], 0)
            if len(values) < 3:
                assumed = (f"padding {p}, output padding {added}",)
            before, after = p, p
            if self._layout.fits_padding and len(values) < 2:
                before, after, added = self._cut_to_fit(k, s)
                assumed = ("padding by depth",)
            axes.append(
                AxisGeometry(k, s, 1, before, after, added, transposed=True, mirrored=self._layout.mirrors)
            )
        return NewAxes(tuple(axes), "options", assumed)

    def _cut_to_fit(self, k: int, s: int) -> tuple[int, int, int]:
        """Points cut off before and after, and points added, with which `n` points become `s n` in the library of the layout."""
        if self._layout.mirrors:  # Flax puts this many points before the dilated field
            ahead = k - 1 if s > k - 1 else -(-(k + s - 2) // 2)
            before = k - 1 - ahead
        else:
            before = max(k - s, 0) // 2
        rest = k - s - before
        return before, max(rest, 0), max(-rest, 0)

    def _usual(self, k: int, s: int) -> AxisGeometry:
        if self._layout.fits_padding:
            return AxisGeometry(k, s, fitted=True)
        p = 0 if k <= s else (k - 1) // 2
        return AxisGeometry(k, s, 1, p, p)

    def _depends_on_stride(self, k: int) -> bool:
        one, two = (profile(self._rule, self._usual(k, s)) for s in (1, 2))
        return bool((one != two).any())

    def _with_padding(self, kernel: Kernel, found: NewAxes) -> NewAxes:
        values = self._padding.find(kernel.name)
        if found.unknown or not found.axes:
            return found
        if values is None:
            by_hand = found.source != "modules" and max(axis.taps for axis in found.axes) > 1
            if by_hand and not found.axes[0].transposed:
                return NewAxes(found.axes, found.source, (*found.assumed, *_padding_words(found.axes)))
            return found
        if len(values) > 1 and values[1] != "repeats":
            raise ArgumentError("`padding`", got=repr(values[1]), expected="'repeats' after the number")
        repeats = len(values) > 1
        if values[0] == "same":
            axes = [
                AxisGeometry(a.taps, a.stride, a.dilation, repeats=repeats, fitted=True) for a in found.axes
            ]
        else:
            p = whole_number("padding", values[0], 0)
            axes = [
                AxisGeometry(
                    a.taps, a.stride, a.dilation, p, p, a.output_padding, a.transposed, repeats and not a.transposed,
                    mirrored=a.mirrored,
                )
                for a in found.axes
            ]  # fmt: skip
        assumed = tuple(each for each in found.assumed if "padding" not in each)
        return NewAxes(tuple(axes), found.source or "options", assumed)


def _padding_words(axes: tuple[AxisGeometry, ...]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys("padding by depth" if axis.fitted else f"padding {axis.before}" for axis in axes)
    )


def _told_by_bias(kernel: Kernel) -> bool | None:
    """Whether the length of the bias shows a transposed convolution of PyTorch; None if it does not tell.

    The shapes are `(out, in / groups, ...)` and `(in, out / groups, ...)`. If the second axis of a kernel has a single channel,
    the bias cannot tell: its length is the same in both cases.
    """
    if (
        kernel.bias is None
        or len(kernel.shape) < 3
        or kernel.shape[0] == kernel.shape[1]
        or kernel.shape[1] == 1
    ):
        return None
    if kernel.bias == kernel.shape[0]:
        return False
    return True if kernel.bias % kernel.shape[1] == 0 else None
