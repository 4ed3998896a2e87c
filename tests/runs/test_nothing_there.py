"""What is said where a training is to be gone on with of which nothing is there."""

from pathlib import Path

import pytest

from ginjax.runs import RunNames, SeedFiles, nothing_to_go_on_with


def make_run(output: Path, *, state: bool = True) -> Path:
    """The traces of an interrupted run."""
    names = RunNames(output)
    names.log.write_text("")
    if state:
        names.state.mkdir()
        names.state_file.write_text("")
    return output


def said(output: Path, *seeds: int) -> str:
    found = nothing_to_go_on_with(output, seeds)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["fisher.safetensors", "fisher"])
def test_what_is_there_needs_no_word(tmp_path, name):
    assert nothing_to_go_on_with(make_run(tmp_path / "fisher.safetensors").with_name(name)) is None
    finished = tmp_path / "done.safetensors"
    finished.write_text("")
    assert nothing_to_go_on_with(finished) is None
    assert nothing_to_go_on_with(SeedFiles(make_run(tmp_path / "s.seed1.safetensors")).model(0)) is not None
    assert nothing_to_go_on_with(tmp_path / "s.safetensors", (0, 1)) is None  # one of several is enough


def test_in_an_empty_folder_there_is_nothing_else_to_say(tmp_path):
    new = tmp_path / "new.safetensors"
    assert said(new) == f"no run of {str(new)!r} was found to go on with: a new one begins at step 0"
    assert said(tmp_path / "no folder" / "new").endswith("begins at step 0")


def test_a_misspelt_name_brings_those_that_are_like_it(tmp_path):
    for name in ("fisher", "burgers", "waves"):
        make_run(tmp_path / f"{name}.safetensors")
    (tmp_path / "fischer.run").mkdir()  # holds no state
    misspelt = said(tmp_path / "fishr.safetensors")
    assert misspelt.endswith(f". Did you mean `output={str(tmp_path / 'fisher.safetensors')!r}`?")
    assert said(tmp_path / "fishr").endswith(f". Did you mean `output={str(tmp_path / 'fisher')!r}`?")
    other = said(tmp_path / "xyz.safetensors")
    runs = "'burgers.safetensors', 'fisher.safetensors', 'waves.safetensors'"
    assert other.endswith(f". In its folder are the runs of {runs}")
    make_run(tmp_path / "zeta.safetensors")
    assert said(tmp_path / "xyz.safetensors").endswith(f"{runs} and 1 more")


def test_of_several_seeds_the_common_name_is_meant(tmp_path):
    for seed in (0, 1):
        make_run(SeedFiles(tmp_path / "fisher.safetensors").model(seed))
    make_run(tmp_path / "fish.safetensors")  # has no seeds
    misspelt = said(tmp_path / "fishr.safetensors", 0, 1)
    assert misspelt.endswith(f". Did you mean `output={str(tmp_path / 'fisher.safetensors')!r}`?")


def test_a_run_that_was_killed_early_is_known(tmp_path):
    early = make_run(tmp_path / "early.safetensors", state=False)
    assert (
        said(early)
        == f"the run of {str(early)!r} had saved no state to go on with: it begins again at step 0"
    )
