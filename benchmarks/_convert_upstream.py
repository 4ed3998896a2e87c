"""Whole process with the reference library: load a 1D ResNet, convert it to 3D, write it.

`_convert_upstream.py init FILE` writes the 1D network; `_convert_upstream.py convert FILE OUT` is what is timed.
"""

import sys
from typing import Any

import jax

import ginjax.geometric as geom
from ginjax.ml import load, save
from ginjax.models import ResNet

SCALAR = ((), 0)


def filters(D: int) -> Any:
    """One filter for each distance: its conversion knows no other bank."""
    operators = geom.make_all_operators(D)
    return geom.get_invariant_filters([3], [0], [0], D, operators, max_pixel_l1=1, combine_equal_l1=True)


def network(D: int) -> Any:
    ends = geom.Signature(((SCALAR, 1),))
    size: dict[str, Any] = {"depth": 32, "num_blocks": 8, "use_group_norm": False}
    return ResNet(
        D, ends, ends, conv_filters=filters(D), activation_f="tanh", key=jax.random.PRNGKey(0), **size
    )


def main(do: str, source: str, *target: str) -> None:
    if do == "init":
        save(source, network(1))
        return
    model = load(source, network(1))
    save(target[0], model.convertD(filters(3), geom.Rescaling.COMPATIBILITY, jax.random.PRNGKey(1)))


if __name__ == "__main__":
    main(*sys.argv[1:])
