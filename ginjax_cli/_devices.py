"""The devices that a training is asked to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ginjax._jax_internals import tell_when_aborted

from ._errors import end_aborted

if TYPE_CHECKING:
    import typer

    from ginjax.ml import Placement


def asked_devices(ctx: typer.Context) -> Placement:
    """Connect to the other processes, if there are any, and find the devices; this must come before JAX computes anything.

    Without `--distributed` and `--devices` these are all of this computer, where every core of a processor is one.
    """
    from ginjax.cpu_devices import one_device_per_core
    from ginjax.ml import connect, everywhere, local_placement

    asked = ctx.params
    if asked["distributed"]:
        connect(asked["coordinator"], asked["processes"], asked["process"])
        tell_when_aborted(lambda: end_aborted(asked["json"]))
        return everywhere()
    one_device_per_core()
    return local_placement(asked["devices"])
