"""Names of the research library of the same name that do not exist here, each with a replacement."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from .errors import UnsupportedError

Class = TypeVar("Class", bound=type)

PAGE = "docs/start/coming-from-upstream.md"

_D8 = (
    "Symmetries of the grid are those of make_all_operators(D), of all reflections and permutations of axes."
)
_METRIC = "Grids are flat: there is no metric tensor, and covariant axes are the same as contravariant ones."
_ARRAYS = "Work on the arrays: image.data, or multi_image[k, p]."
_FILTERS = "get_invariant_filters makes the filters of all sides, orders and parities; ginjax.filters has their parts."
_TORCH = "Batches come from arrays without torch: ginjax.ml.train, or get_batches."
_CONVOLVE = "convolve and convolve_contract take the image as it is, with `is_torus` and `padding`."
_GROUP = "times_group_element moves the grid and its periodic axes with the field, exactly."
_CURVE = "ginjax.ml.measure_curve and 'ginjax transfer-curve' compare models."
_POOL = "ginjax.geometric.average_pool and max_pool take the array, image.data."

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
        **dict.fromkeys(("get_basis", "get_k2_irrep_basis", "basis_cache"), _FILTERS),
        **dict.fromkeys(("get_contraction_indices", "LETTERS"), _ARRAYS),
        **dict.fromkeys(
            ("convolve_ravel", "conv_contract_image_expand", "pre_tensor_product_expand"), _CONVOLVE
        ),
        **dict.fromkeys(("get_same_padding", "get_torus_expanded"), _CONVOLVE),
        **dict.fromkeys(("get_rotated_keys", "rotate_is_torus"), _GROUP),
        "permutation_matrix_from_sequence": "make_all_operators(D) has the matrices of all permutations of axes.",
        "tensor_name": "ginjax.geometric.key_name names a kind of field.",
    },
    "ginjax.ml": {
        **dict.fromkeys(("train_dl", "map_loss_in_batches_dl", "MultiImageDataset"), _TORCH),
        "train_step": "ginjax.ml.make_step makes the step of a training.",
        **dict.fromkeys(
            ("benchmark", "benchmark_lr", "BENCHMARK_DATA", "BENCHMARK_MODEL", "BENCHMARK_NONE"), _CURVE
        ),
        **dict.fromkeys(
            ("multi_image_reducer", "loss_reducer"), "map_loss_in_batches puts batches together itself."
        ),
    },
    "ginjax.models": {
        "Climate1D": "Build one of ResNet, UNet or DilResNet in one dimension and wrap it in a class of your own.",
    },
}
"""By package and name, what to use instead."""

_IMAGE = {
    **dict.fromkeys(("raise_lower", "raise_lower_precise"), _METRIC),
    **dict.fromkeys(("average_pool", "max_pool"), _POOL),
    **dict.fromkeys(
        ("image_shape", "image_size", "pixel_shape", "pixel_size", "pixels", "key_array"), _ARRAYS
    ),
    **dict.fromkeys(
        ("activation_function", "hash", "levi_civita_contract", "multicontract", "translate", "unpool"),
        _ARRAYS,
    ),
    "copy": "copy.copy(image) is another image with the same array.",
    "times_gg_precise": _GROUP,
    "times_scalar": "Multiply: 2 * image.",
}

METHODS_NOT_CARRIED = {
    "GeometricImage": _IMAGE,
    "GeometricFilter": {
        "bigness": _ARRAYS,
        "from_image": "GeometricFilter(image.data, image.parity, image.D, image.is_torus) is the same.",
        "nonempty_pixel_idxs": "ginjax.geometric.nonempty_pixels takes the array, image.data.",
        "nonempty_pixels": "ginjax.geometric.nonempty_pixels takes the array, image.data.",
        "rectify": _FILTERS,
    },
    "MultiImage": {
        **dict.fromkeys(("raise_all", "lower_all", "raise_lower"), _METRIC),
        "batch_get_component": "jax.vmap(lambda x: x.get_component(component, future_steps))(batch) is the same.",
        "concat_inverse": "Slice the blocks: multi_image[k, p][:n].",
        "reshape_pmap": "train, get_batches and map_loss_in_batches share batches out to devices themselves.",
        "times_gg_precise": _GROUP,
    },
    "StopCondition": {"log_status": "log(notable, epoch, train_loss, val_loss, epoch_time) writes a line."},
}
"""By class and method, what to use instead."""


def refuse_in(package: str) -> Callable[[str], Any]:
    """The `__getattr__` of a package: for a name that does not exist here, the error says what to use instead.

    **Arguments:**

    - `package`: its full name.
    """

    def __getattr__(name: str) -> Any:
        hint = NOT_CARRIED[package].get(name)
        if hint is not None:
            raise UnsupportedError(f"{package}.{name} is not carried here", hint=f"{hint} See {PAGE}.")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__


class _MethodNotCarriedError(UnsupportedError, AttributeError):
    """Also an `AttributeError`, so that `hasattr` and `getattr` with a default find nothing."""


class _NotCarried:
    def __init__(self, name: str, hint: str):
        self.name = name
        self.hint = hint

    def __get__(self, *_: object) -> NoReturn:
        raise _MethodNotCarriedError(f"{self.name} is not carried here", hint=f"{self.hint} See {PAGE}.")


def refuse_methods(cls: Class) -> Class:
    """Decorate a class: for each method that does not exist here, the error says what to use instead.

    **Arguments:**

    - `cls`: the class.
    """
    for name, hint in METHODS_NOT_CARRIED[cls.__name__].items():
        setattr(cls, name, _NotCarried(f"{cls.__name__}.{name}", hint))
    return cls
