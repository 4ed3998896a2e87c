"""Names of the research library of this name that are not carried, each with what to do instead."""

from collections.abc import Callable
from typing import Any

from .errors import UnsupportedError

PAGE = "docs/start/coming-from-upstream.md"

_D8 = (
    "Symmetries of the grid are those of make_all_operators(D), of all reflections and permutations of axes."
)
_METRIC = "Grids are flat: there is no metric tensor, and covariant axes are the same as contravariant ones."
_ARRAYS = "Work on the arrays: image.data, or multi_image[k, p]."
_FILTERS = "get_invariant_filters makes the filters of all sides, orders and parities; ginjax.filters has their parts."
_TORCH = "Batches come from arrays without torch: ginjax.ml.train, or get_batches."

NOT_CARRIED = {
    "ginjax.geometric": {
        **dict.fromkeys(("make_D8_group", "times_D8_element"), _D8),
        **dict.fromkeys(("raise_lower", "get_metric_inverse", "get_kronecker_delta_image"), _METRIC),
        **dict.fromkeys(("KroneckerDeltaSymbol", "LeviCivitaSymbol", "permutation_parity"), _ARRAYS),
        **dict.fromkeys(
            ("mul", "multicontract", "translate", "hash", "pixel_idxs", "tensor_times_gg"), _ARRAYS
        ),
        **dict.fromkeys(
            ("get_unique_invariant_filters", "get_unique_irrep_filters", "scale_filters"), _FILTERS
        ),
        **dict.fromkeys(("get_basis", "get_k2_irrep_basis"), _FILTERS),
    },
    "ginjax.ml": {
        **dict.fromkeys(("train_dl", "map_loss_in_batches_dl", "MultiImageDataset"), _TORCH),
        "train_step": "ginjax.ml.make_step makes the step of a training.",
        **dict.fromkeys(
            ("benchmark", "benchmark_lr"),
            "ginjax.ml.measure_curve and 'ginjax transfer-curve' compare models.",
        ),
        **dict.fromkeys(
            ("multi_image_reducer", "loss_reducer"), "map_loss_in_batches puts batches together itself."
        ),
    },
    "ginjax.models": {
        "Climate1D": "Build one of ResNet, UNet or DilResNet in one dimension and wrap it in a class of your own.",
    },
}
"""By package, and by name the way that there is."""


def refuse_in(package: str) -> Callable[[str], Any]:
    """The `__getattr__` of a package: an error that says what to do for a name that is not carried.

    **Arguments:**

    - `package`: its full name.
    """

    def __getattr__(name: str) -> Any:
        hint = NOT_CARRIED[package].get(name)
        if hint is not None:
            raise UnsupportedError(f"{package}.{name} is not carried here", hint=f"{hint} See {PAGE}.")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__
