"""Things by name: own ones, added ones, and those of installed packages."""

import copy
import importlib
import pickle
import sys

import pytest

from ginjax._registry import Registry
from ginjax.errors import ArgumentError


def _check(name, thing):
    if not isinstance(thing, str):
        raise ArgumentError(f"colour {name!r}", got=type(thing).__name__, expected="a string")


COLOURS = Registry(
    "colour",
    {"red": "ff0000", "green": "00ff00"},
    home=f"{__name__}:COLOURS",
    group="ginjax.colours",
    check=_check,
)


@pytest.fixture
def colours():
    return Registry("colour", {"red": "ff0000"}, home="x:C", group="ginjax.colours", check=_check)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package on the path whose metadata offer four colours, two of which cannot be used."""
    (tmp_path / "shades.py").write_text("BLUE = '0000ff'\nNUMBER = 3\n")
    (tmp_path / "torn.py").write_text("import nothing_of_that_name\n")
    about = tmp_path / "shades-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shades\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[ginjax.colours]\nblue = shades:BLUE\nred = shades:BLUE\nnumber = shades:NUMBER\nlost = torn:X\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield
    for name in ("shades", "torn"):
        sys.modules.pop(name, None)


def test_own_and_added(colours):
    assert list(colours) == ["red"] and len(colours) == 1 and colours["red"] == "ff0000"
    assert colours.add("teal", "008080") == colours.find("teal") == "008080"
    assert list(colours) == ["red", "teal"] and "teal" in colours


@pytest.mark.parametrize("name", ["red", "teal"])
def test_a_taken_name_is_refused(colours, name):
    colours.add("teal", "008080")
    with pytest.raises(ArgumentError, match=f"name of the colour: got '{name}', which is taken"):
        colours.add(name, "ffffff")
    assert colours["red"] == "ff0000"


def test_a_definition_that_is_run_again_takes_the_place_of_the_earlier_one():
    registry = Registry("shade", {}, home="x:S")
    text = "class Teal: pass\nclass Blue: pass\ndark, light = lambda: 0, lambda: 1"
    first, again = {"__name__": "notebook"}, {"__name__": "notebook"}
    exec(text, first)
    exec(text, again)
    registry.add("teal", first["Teal"])
    assert registry.add("teal", again["Teal"]) is registry["teal"] is not first["Teal"]
    registry.add("dark", first["dark"])
    for name, other in (("teal", again["Blue"]), ("dark", first["light"])):
        with pytest.raises(ArgumentError, match="which is taken"):
            registry.add(name, other)


def test_a_thing_of_another_kind_is_refused(colours):
    with pytest.raises(ArgumentError, match="colour 'teal': got int, expected a string"):
        colours.add("teal", 3)
    assert "teal" not in colours


def test_an_unknown_name_lists_those_there_are(colours):
    with pytest.raises(ArgumentError, match=r"colour: got 'mauve', expected one of red$"):
        colours.find("mauve")
    with pytest.raises(KeyError):
        colours["mauve"]


@pytest.mark.usefixtures("installed")
def test_installed_things_are_imported_when_they_are_asked_for(colours):
    assert list(colours) == ["red", "blue", "number", "lost"] and len(colours) == 4
    assert "shades" not in sys.modules
    assert colours["red"] == "ff0000"  # the library's own come first
    assert "shades" not in sys.modules
    assert colours.find("blue") == "0000ff"
    assert "shades" in sys.modules


@pytest.mark.usefixtures("installed")
def test_installed_things_that_cannot_be_used(colours):
    with pytest.raises(ArgumentError, match="colour 'number': got int, expected a string"):
        colours.find("number")
    with pytest.raises(
        ArgumentError, match="colour 'lost': got ModuleNotFoundError on importing it from torn:X"
    ):
        colours.find("lost")


def test_copies_and_pickles_are_the_registry_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or importlib.import_module(__name__))
    monkeypatch.setattr(sys.modules[__name__], "COLOURS", COLOURS, raising=False)
    for other in (copy.copy(COLOURS), copy.deepcopy(COLOURS), pickle.loads(pickle.dumps(COLOURS))):
        assert other is COLOURS
    assert repr(COLOURS) == "COLOURS(red, green)"
