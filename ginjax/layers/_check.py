"""The check that an input has the signature a layer was made for."""

from ..errors import ArgumentError
from ..geometric import MultiImage, Signature


def check_channels(layer: str, x: MultiImage, input_keys: Signature) -> None:
    """Refuse an input with other keys or numbers of channels than `input_keys`.

    Keys of the layer that the input lacks are no error: such a block is an empty one.

    **Raises:** `ArgumentError`.
    """
    known = dict(input_keys)
    got = x.get_signature()
    if any(known.get(key) != channels for key, channels in got) or x.get_n_leading() > 1:
        raise ArgumentError(
            f"{layer} was made for another input",
            got=f"{got} with {x.get_n_leading()} leading axes",
            expected=f"{input_keys} with 1 leading axis",
            hint="Layers take one sample; use jax.vmap for a batch.",
        )
