"""Checks and conversions of the inputs of layers."""

from typing import TypeVar

from ..errors import ArgumentError
from ..geometric import MultiImage, PlanarImage, Signature

Image = TypeVar("Image", MultiImage, PlanarImage)
"""A field in either form; layers return the form that they were given."""


def in_form_of(asked: Image, y: MultiImage | PlanarImage) -> Image:
    """Convert `y` to the form of `asked`."""
    if isinstance(asked, PlanarImage):
        return PlanarImage.of(y)
    return y.to_image() if isinstance(y, PlanarImage) else y


def check_channels(layer: str, x: PlanarImage, input_keys: Signature) -> None:
    """Refuse an input with other keys or numbers of channels than `input_keys`.

    The input may lack keys of the layer; a missing block counts as empty.

    **Raises:** `ArgumentError`.
    """
    known = dict(input_keys)
    got = x.get_signature()
    if any(known.get(key) != channels for key, channels in got):
        raise ArgumentError(f"{layer} was made for another input", got=got, expected=input_keys)
