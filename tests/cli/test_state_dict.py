"""Networks of other libraries on the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from command_line import app
from other_networks import parameters, write, write_modules, write_shards
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

OURS = Path(__file__).parents[2] / "fixtures" / "diffusion_1d.safetensors"
SAID = ("--transposed", "up.weight:2", "--stride", "down.weight:2")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "net.safetensors")
    write_modules(tmp_path / "modules.json")
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_what_is_not_known_is_asked_for_with_the_lines_that_answer(run, tmp_path):
    result = run("convert-d", "net.safetensors", "--to-dim", "3")
    assert result.exit_code == 2
    assert (
        "error: kernel 'down.weight' and 2 more: got nothing that tells: transposed or not" in result.stderr
    )
    assert "model.named_modules(remove_duplicate=False)" in result.stderr
    assert "--modules" in result.stderr and "--transposed and --stride" in result.stderr
    assert not (tmp_path / "net.3d.safetensors").exists()
    lines = run("convert-d", "--describe-lines").stdout
    assert "named_modules" in lines
    compile(lines, "lines", "exec")


def test_the_table_the_certificate_the_check_and_what_next(run):
    result = run("convert-d", "net.safetensors", "--to-dim", "3", "--modules", "modules.json")
    assert result.exit_code == 0, result.stderr
    assert "down.weight  4x3x3x3  4x3x3x3x3  tile" in result.stdout
    assert "compatible: all 4 convolutions reproduce the 2D network exactly" in result.stdout
    assert "multiple of its stride 2" in result.stderr
    assert "y, w = f3(x.unsqueeze(2).repeat_interleave(32, 2)), f2(x)" in result.stderr
    assert "averaged" in result.stderr  # the baseline that needs no network in 3D
    assert result.stderr.endswith("next: ginjax verify net.safetensors net.3d.safetensors\n")
    assert load_file("net.3d.safetensors")["up.weight"].shape == (4, 3, 2, 2, 2)
    checked = run("verify", "net.safetensors", "net.3d.safetensors")
    assert checked.exit_code == 0, checked.stderr
    assert run("verify", "net.3d.safetensors", "net.safetensors").exit_code == 0
    shown = run("inspect", "net.3d.safetensors")
    assert shown.exit_code == 0 and "matches the model" in shown.stdout
    assert "4, named as pytorch does" in run("inspect", "net.safetensors").stdout


def test_verify_finds_what_was_changed_afterwards(run):
    assert run("convert-d", "net.safetensors", "--to-dim", "3", *SAID, "-q").stdout == "net.3d.safetensors\n"
    from ginjax.checkpoint import read_tensors, write_tensors

    arrays, metadata = read_tensors("net.3d.safetensors")
    arrays["down.weight"] = arrays["down.weight"] * np.float32(1.1)
    write_tensors("changed.safetensors", arrays, metadata)
    result = run("verify", "net.safetensors", "changed.safetensors")
    assert result.exit_code == 3 and "residual 1.0e-01" in result.stderr and "warning" in result.stderr
    result = run("verify", "net.safetensors", "changed.safetensors", "--json")
    assert (
        json.loads(result.stdout)["holds"] is False and json.loads(result.stdout)["certificate_stale"] is True
    )
    other = run("verify", "net.safetensors", "net.safetensors")
    assert other.exit_code == 1 and "does not say that it was converted" in other.stderr


def test_a_dry_run_is_the_plan(run, tmp_path):
    result = run("convert-d", "net.safetensors", "--to-dim", "3", *SAID, "--dry-run")
    assert result.exit_code == 0, result.stderr
    rows = [line.split()[0] for line in result.stdout.splitlines() if line]
    assert [name for name in rows if name in parameters()] == sorted(parameters())
    assert "padding 1" in result.stdout and "assumed: the new axis is the first" in result.stderr
    assert result.stderr.splitlines()[-1].startswith(
        "next: ginjax convert-d net.safetensors --to-dim 3 --transposed"
    )
    assert "--dry-run" not in result.stderr.splitlines()[-1]
    open_plan = run("convert-d", "net.safetensors", "--to-dim", "3", "--dry-run")
    assert open_plan.exit_code == 2 and "transposed or not, and its stride" in open_plan.stdout
    as_json = json.loads(
        run("convert-d", "net.safetensors", "--to-dim", "3", *SAID, "--dry-run", "--json").stdout
    )
    assert [each["name"] for each in as_json["arrays"]] == sorted(parameters())
    assert as_json["certificate"]["exact"] and as_json["dry_run"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["modules.json", "net.safetensors"]


def test_one_example_and_back(run):
    save_file(parameters(3) | {"extra.weight": np.ones((2, 2), np.float32)}, "like.safetensors")
    up = run(
        "convert-d",
        "net.safetensors",
        "--to-dim",
        "3",
        *SAID,
        "--like",
        "like.safetensors",
        "-o",
        "up.safetensors",
    )
    assert up.exit_code == 0, up.stderr
    assert "from like" in up.stdout and "extra.weight" in load_file("up.safetensors")
    down = run(
        "convert-d", "up.safetensors", "--to-dim", "2", *SAID, "--drop", "extra.*", "-o", "down.safetensors"
    )
    assert down.exit_code == 0, down.stderr
    for name, array in load_file("net.safetensors").items():
        np.testing.assert_array_equal(load_file("down.safetensors")[name], array)


def test_a_network_in_several_files_with_tied_arrays_and_some_of_no_meaning(run):
    old = parameters(dtype=ml_dtypes.bfloat16)
    old |= {"tied.weight": old["down.weight"], "pos_embed": np.ones((1, 64, 8), np.float32)}
    write_shards(Path(), old | {"old_head.weight": np.ones((4, 3), np.float32)})
    both = ("--transposed", "up*:2", "--stride", "down.weight:2", "--stride", "tied.weight:2")
    words = ("convert-d", "net.safetensors.index.json", "--to-dim", "3")
    refused = run(*words, *both)
    assert refused.exit_code == 1 and "array 'pos_embed'" in refused.stderr and "--keep" in refused.stderr
    unlike = run(*words, *both[:4], "--keep", "pos_embed")
    assert unlike.exit_code == 2 and "'down.weight' and 'tied.weight'" in unlike.stderr
    result = run(*words, *both, "--keep", "pos_embed", "--drop", "old_head.*")
    assert result.exit_code == 0, result.stderr
    assert run("verify", "net.safetensors.index.json", "net.3d.safetensors.index.json").exit_code == 0
    where = json.loads(Path("net.3d.safetensors.index.json").read_text())["weight_map"]
    new = {name: load_file(file)[name] for name, file in where.items()}
    assert new.keys() == old.keys() and {name: a.dtype for name, a in new.items()} == {
        name: a.dtype for name, a in old.items()
    }
    assert new["down.weight"].shape == (4, 3, 3, 3, 3) and new["pos_embed"].shape == (1, 64, 8)
    assert new["tied.weight"].tobytes() == new["down.weight"].tobytes()
    assert new["norm.num_batches_tracked"].shape == () and new["norm.num_batches_tracked"] == 7


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--rescale", "compatibility"), "--rescale: got compatibility and a network of another library"),
        (("--rescale", "all"), "--rescale: got all"),
        (("--flex", "0"), "--flex: got a network of another library"),
        (("--verify",), "--verify: got a network of another library"),
        (("--dtype", "float16"), "--dtype: got a network of another library"),
        (("--size", "8", "--dry-run"), "--size: got a network of another library"),
        (("--transposed", "none"), "--transposed: got none and patterns"),
        (("--keep", "nothing"), "--keep: got 'nothing'"),
    ],
)
def test_options_that_mean_nothing_are_refused(run, words, problem):
    result = run("convert-d", "net.safetensors", "--to-dim", "3", *SAID, *words)
    assert result.exit_code == 2 and f"error: {problem}" in result.stderr, result.stderr


def test_options_about_such_networks_are_refused_for_ours(run):
    result = run("convert-d", str(OURS), "--to-dim", "2", "--stride", "a:2")
    assert result.exit_code == 2
    assert f"--stride: got {OURS}, which is none" in result.stderr


def test_pickles_are_answered_by_the_lines_that_write_safetensors(run, tmp_path):
    (tmp_path / "net.pth").write_bytes(b"\x80\x02}q\x00.")
    for words in (
        ("convert-d", "net.pth", "--to-dim", "3"),
        ("inspect", "net.pth"),
        ("verify", "net.pth", "net.pth"),
    ):
        result = run(*words)
        assert result.exit_code == 1 and "never opened" in result.stderr and "st.save_file" in result.stderr


def test_the_mean_says_what_it_does_not_promise(run):
    result = run("convert-d", "net.safetensors", "--to-dim", "3", *SAID, "--rescale", "mean")
    assert result.exit_code == 0, result.stderr
    assert "2 of 4 convolutions do not reproduce the 2D network" in result.stdout
    assert run("verify", "net.safetensors", "net.3d.safetensors").exit_code == 0


@pytest.mark.parametrize(("low", "high", "axis"), [(2, 3, 1), (1, 3, 1), (2, 3, 3)])
@pytest.mark.parametrize("factor", [1, 2])
def test_the_lines_of_the_check_run(low, high, axis, factor):
    from ginjax_cli._state_dict_report import check_lines

    lines = check_lines(low, high, axis, torch=False)
    x = np.random.default_rng(0).normal(size=(1, *(4,) * low, 2))
    found = []
    networks = {f"f{low}": lambda v: v, f"f{high}": lambda v: factor * v}
    exec("\n".join(lines[1:]), {"np": np, "x": x, "print": found.append, **networks})
    assert found == [factor - 1]


def test_nothing_but_files_is_read(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.index.json")
    for words in (
        ("convert-d", "net.safetensors", "--to-dim", "3", "--modules", "pipe"),
        ("convert-d", "net.safetensors", "--to-dim", "3", *SAID, "--like", "pipe"),
        ("convert-d", "net.safetensors", "--to-dim", "3", *SAID, "-o", "pipe", "--force"),
        ("convert-d", "pipe.index.json", "--to-dim", "3"),
        ("inspect", "pipe.index.json"),
        ("verify", "net.safetensors", "pipe.index.json"),
    ):
        refused = run(*words)
        assert refused.exit_code == 1 and "is not a regular file" in refused.stderr, refused.stderr


def test_neither_jax_nor_torch_is_imported(run, tmp_path):
    program = (
        "import sys\n"
        "from ginjax_cli.main import make_app\n"
        "for words in (['convert-d', 'net.safetensors', '--to-dim', '3', '--modules', 'modules.json', '-q'],\n"
        "              ['verify', 'net.safetensors', 'net.3d.safetensors', '-q'], ['inspect', 'net.3d.safetensors', '-q']):\n"
        "    try: make_app([words[0]])(words, prog_name='ginjax')\n"
        "    except SystemExit as end: assert not end.code, end.code\n"
        "heavy = sorted({'jax', 'jaxlib', 'torch', 'equinox', 'matplotlib', 'h5py', 'rich'} & set(sys.modules))\n"
        "assert heavy == [], heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_file_that_describes_no_layers_is_answered_with_the_option_that_helps(run, tmp_path):
    (tmp_path / "wrong.json").write_text("[1]")
    result = run("convert-d", "net.safetensors", "--to-dim", "3", "--modules", "wrong.json")
    assert result.exit_code == 1 and "has no list of modules" in result.stderr
    assert "The lines that 'ginjax convert-d --describe-lines' prints write such a file" in result.stderr
