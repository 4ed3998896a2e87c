"""The check that an input has the signature a layer was made for."""

from typing import TypeVar

from ..errors import ArgumentError
from ..geometric import MultiImage, PlanarImage, Signature

Image = TypeVar("Image", MultiImage, PlanarImage)
"""Layers take a field in either form and answer in the same."""


def in_form_of(asked: Image, y: MultiImage | PlanarImage) -> Image:
    """`y` as the kind of field that `asked` is."""
    if isinstance(asked, PlanarImage):
        return PlanarImage.of(y)
    return y.to_image() if isinstance(y, PlanarImage) else y


def check_channels(layer: str, x: PlanarImage, input_keys: Signature) -> None:
    """Refuse an input with other keys or numbers of channels than `input_keys`.

    Keys of the layer that the input lacks are no error: such a block is an empty one.

    **Raises:** `ArgumentError`.
    """
    known = dict(input_keys)
    got = x.get_signature()
    if any(known.get(key) != channels for key, channels in got):
        raise ArgumentError(f"{layer} was made for another input", got=got, expected=input_keys)
