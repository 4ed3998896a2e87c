import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ginjax.errors import ArgumentError
from ginjax.transfer import Certificate, PathReport, tolerance_of

GOOD = PathReport("a.conv", "k0p0->k0p0", 2, 3, 1e-7, 0.0, 1)
BAD = PathReport("b.conv", "k0p0->k2p0", 5, 8, 0.4, 0.4, 2, ("trace (1)", "symmetric (1,1)"), "because")
CERTIFICATE = Certificate(
    rule="compat-flex",
    flex=0.5,
    promises=True,
    from_dim=1,
    to_dim=2,
    tolerance=1e-5,
    parity_lift=False,
    digest="00ff",
    paths=(GOOD, BAD),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_exact_means_every_path_within_tolerance():
    assert (CERTIFICATE.residual, CERTIFICATE.exact, CERTIFICATE.inexact_paths) == (0.4, False, (BAD,))
    good = replace(CERTIFICATE, paths=(GOOD,))
    assert (good.residual, good.exact, good.inexact_paths) == (1e-7, True, ())
    assert not replace(good, tolerance=1e-12).exact
    none = replace(CERTIFICATE, paths=())
    assert (none.residual, none.exact) == (0.0, True)


def test_tolerance_follows_the_precision():
    assert [tolerance_of(np.dtype(t)) for t in ("float64", "float32", "float16")] == [1e-12, 1e-5, 1e-2]
    assert tolerance_of(np.dtype("int8")) == 1e-5


@pytest.mark.parametrize(
    "certificate", [CERTIFICATE, replace(CERTIFICATE, flex=None, paths=()), CERTIFICATE.sealed("ff00")]
)
def test_it_survives_json(certificate):
    data = json.loads(json.dumps(certificate.to_json()))
    assert Certificate.from_json(data) == certificate
    assert (data["exact"], data["residual"]) == (certificate.exact, certificate.residual)


def test_what_is_stated_beside_the_paths_is_computed_from_them():
    lied = CERTIFICATE.to_json() | {"exact": True, "residual": 0.0}
    assert not Certificate.from_json(lied).exact


@given(JSON)
def test_junk_is_no_certificate(junk):
    with pytest.raises(ArgumentError):
        Certificate.from_json(junk)


def usable(data) -> None:
    """Either refused, or a certificate whose every part works."""
    try:
        certificate = Certificate.from_json(data)
    except ArgumentError:
        return
    assert isinstance(certificate.exact, bool) and len(certificate.inexact_paths) <= len(certificate.paths)
    json.dumps(certificate.to_json())


@given(st.sampled_from(sorted(CERTIFICATE.to_json())), JSON)
def test_one_field_of_junk(field, junk):
    usable(CERTIFICATE.to_json() | {field: junk})


@given(st.sampled_from(sorted(CERTIFICATE.to_json()["paths"][0])), JSON)
def test_one_field_of_junk_in_a_path(field, junk):
    data = CERTIFICATE.to_json()
    data["paths"][0][field] = junk
    usable(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paths": None}, "certificate: expected an object with the fields"),
        ({"paths": [3]}, "expected all fields of a certificate"),
        ({"paths": ["ab"]}, "path with fields"),
        ({"paths": [{"layer": "a"}]}, "path with fields"),
        ({"tolerance": "small"}, "tolerance = 'small'"),
        ({"promises": 1}, "promises = 1"),
        ({"parity_lift": 0}, "parity_lift = 0"),
        ({"flex": True}, "flex = True"),
        ({"to_dim": None}, "to_dim = None"),
        ({"rule": 1}, "rule = 1"),
        ({"covers": "all"}, "covers = 'all'"),
        ({"covers": None}, "covers = None"),
    ],
)
def test_malformed(change, message):
    with pytest.raises(ArgumentError, match=message):
        Certificate.from_json(CERTIFICATE.to_json() | change)


OPTIONAL = {"covers", "new_boundaries", "new_axes", "fields"}
"""What earlier versions did not write: each has a test of its own."""


@pytest.mark.parametrize("field", [each.name for each in fields(Certificate) if each.name not in OPTIONAL])
def test_no_field_may_be_missing(field):
    data = CERTIFICATE.to_json()
    del data[field]
    with pytest.raises(ArgumentError, match="certificate"):
        Certificate.from_json(data)


def test_certificates_of_the_first_version_speak_of_the_weights():
    data = CERTIFICATE.sealed("ff00").to_json()
    assert data["covers"] == "model"
    del data["covers"]
    assert Certificate.from_json(data).covers == "weights"


def test_certificates_without_walls_say_nothing_of_them():
    assert "new_boundaries" not in CERTIFICATE.to_json()
    walled = replace(CERTIFICATE, new_boundaries=("edge",) * (CERTIFICATE.to_dim - CERTIFICATE.from_dim))
    assert Certificate.from_json(walled.to_json()) == walled != CERTIFICATE
    with pytest.raises(ArgumentError, match="certificate"):
        Certificate.from_json(CERTIFICATE.to_json() | {"new_boundaries": ["open"]})


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [("fields", ("density",), [1, "density", [1]]), ("new_axes", (1,), [[-1], [8], [1.0], ["y"]])],
)
def test_certificates_that_say_nothing_of_fields_and_axes_speak_of_all_and_of_the_last(name, value, wrong):
    assert name not in CERTIFICATE.to_json()
    said = replace(CERTIFICATE, **{name: value})
    assert Certificate.from_json(said.to_json()) == said != CERTIFICATE
    assert said.numbers() != CERTIFICATE.numbers()
    for each in wrong:
        with pytest.raises(ArgumentError, match="certificate"):
            Certificate.from_json(CERTIFICATE.to_json() | {name: each})


def test_what_it_says_is_all_but_the_digest():
    sealed = CERTIFICATE.sealed("ff00")
    assert (sealed.digest, sealed.covers) == ("ff00", "model")
    assert sealed.numbers() == CERTIFICATE.numbers()
    assert {"digest", "covers"} == set(sealed.to_json()) - set(sealed.numbers())
    assert replace(sealed, tolerance=1e-4).numbers() != sealed.numbers()
    measured_again = sealed.of_weights("11", (GOOD,))
    assert (measured_again.digest, measured_again.covers) == ("11", "weights")
    assert measured_again.paths == (GOOD,) and measured_again.rule == sealed.rule
