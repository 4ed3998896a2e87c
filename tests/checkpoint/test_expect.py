import pytest

from ginjax.checkpoint import expect
from ginjax.errors import FileError

HEADER = {"spec": {"depth": 3, "rate": 0.5, "name": "ResNet", "torus": True, "axes": [1, 2]}, "top": {}}


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        ("spec.depth", int, 3),
        ("spec.depth", float, 3.0),
        ("spec.rate", float, 0.5),
        ("spec.name", str, "ResNet"),
        ("spec.torus", bool, True),
        ("spec.axes", list, [1, 2]),
        ("top", dict, {}),
    ],
)
def test_fields(field, kind, value):
    found = expect(HEADER, field, kind)
    assert found == value
    assert type(found) is kind


def test_defaults():
    assert expect(HEADER, "spec.width", int, default=8) == 8
    assert expect(HEADER, "absent.width", int, default=None) is None
    with pytest.raises(FileError, match=r"m\.st: field 'spec\.width' is missing"):
        expect(HEADER, "spec.width", int, where="m.st")
    with pytest.raises(FileError, match="an object on the way"):
        expect(HEADER, "spec.depth.width", int, default=8)


@pytest.mark.parametrize(
    ("field", "kind", "bounds", "message"),
    [
        ("spec.torus", int, {}, "got True, expected a whole number"),
        ("spec.torus", float, {}, "got True, expected a number"),
        ("spec.rate", int, {}, "got 0.5"),
        ("spec.depth", bool, {}, "true or false"),
        ("spec.name", list, {}, "got 'ResNet', expected a list"),
        ("spec.depth", int, {"least": 4}, "4 or more"),
        ("spec.depth", int, {"most": 2}, "2 or less"),
        ("spec.axes", list, {"most": 1}, "1 or less in length"),
        ("spec.name", str, {"choices": ("UNet", "DilResNet")}, "UNet or DilResNet"),
    ],
)
def test_wrong_fields_are_named(field, kind, bounds, message):
    with pytest.raises(FileError) as raised:
        expect(HEADER, field, kind, where="m.st", **bounds)
    assert raised.value.problem.startswith(f"m.st: field '{field}'")
    assert message in raised.value.problem


def test_absurd_values_are_cut_short():
    for value in ("x" * 10_000, 10**5000, [10**5000]):
        with pytest.raises(FileError) as raised:
            expect({"a": value}, "a", dict)
        assert len(raised.value.problem) < 200
