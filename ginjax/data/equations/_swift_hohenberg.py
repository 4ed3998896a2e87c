"""The Swift-Hohenberg equation: patterns with a wavelength of their own."""

from __future__ import annotations

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import scalar_noise
from ginjax.data.equations._pde import PDE

SWIFT_HOHENBERG = PDE(
    name="swift-hohenberg",
    equation="u_t = r u - (k + Lap)^2 u + u^2 - u^3",
    fields=(Field("pattern", 0, 0),),
    parameters={"reactivity": 0.7, "critical_number": 1.0},
    stepper="exponax.stepper.reaction:SwiftHohenberg",
    time_step=0.6,
    sub_steps=12,
    correlation_length=1.5,
    initial=scalar_noise,
    spacing=0.8,  # the pattern repeats every 2 pi / sqrt(k) = 6.3
    spin_up=1,
    planar=True,
)
