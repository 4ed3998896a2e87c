"""The verdict of a certificate, in words."""

import pytest

from ginjax.transfer import Certificate, PathReport
from ginjax_cli._certificate import verdict_of


def certificate(paths, wrong=0, to_dim=3):
    reports = tuple(
        PathReport(f"conv{i}", "channels", 3, 9, 1.0 if i < wrong else 0.0, 0.0, 0) for i in range(paths)
    )
    return Certificate("tile", None, True, 2, to_dim, 1e-5, False, "", reports)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (certificate(0), "compatible: there are no convolutions that could change what the 2D network does"),
        (certificate(1), "compatible: the only convolution reproduces the 2D network exactly"),
        (certificate(2), "compatible: all 2 convolutions reproduce the 2D network exactly"),
        (
            certificate(1, to_dim=1),
            "compatible: the only convolution does what the 2D network does on fields of the lower dimension",
        ),
        (certificate(1, wrong=1), "the only convolution does not reproduce the 2D network"),
        (certificate(3, wrong=1), "1 of 3 convolutions does not reproduce the 2D network"),
        (certificate(3, wrong=2), "2 of 3 convolutions do not reproduce the 2D network"),
    ],
)
def test_the_verdict_counts_what_it_speaks_of(made, verdict):
    assert verdict_of(made) == verdict
