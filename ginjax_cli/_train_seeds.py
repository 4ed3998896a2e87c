"""`ginjax train --seeds`: the same training with several seeds, one after the other."""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from ginjax._text import shell_line

from ._config_file import given_options
from ._devices import asked_devices
from ._interrupt import Interrupted
from ._output import Output, as_part
from ._train_request import asked_request, asked_settings

_MEMBER = "ginjax.one of several seeds"
_OWN = ("seeds", "seed", "output", "force", "resume", "json", "quiet")

_WITHOUT_EFFECT = (
    "config", "debug", "checkpoint_every", "keep_state", "log", "picture_format", "width", "devices",
)  # fmt: skip
"""Options that do not change the models."""


def is_member(ctx: typer.Context) -> bool:
    """Whether `train_seeds` runs this training."""
    return _MEMBER in ctx.meta


def as_asked(ctx: typer.Context) -> typer.Context:
    """The context of the command that was typed. For one of several seeds it is that of the whole command."""
    return ctx.meta.get(_MEMBER, ctx)


def train_seeds(ctx: typer.Context, text: str, read: Mapping[str, Path | None]) -> None:
    """Train with every seed whose model does not exist yet, and show mean and spread over all seeds.

    **Arguments:**

    - `ctx`: the context of the command.
    - `text`: the seeds, see `ginjax.runs.parse_seeds`.
    - `read`: the files that the command reads, as in `ginjax.checkpoint.check_output`.
    """
    from ginjax.checkpoint import Claim, check_output, check_target
    from ginjax.errors import ArgumentError
    from ginjax.runs import RunNames, SeedFiles, nothing_to_go_on_with, parse_seeds

    given = ctx.params
    seeds = parse_seeds(text)
    source = ctx.get_parameter_source("seed")
    if source is not None and source.name == "COMMANDLINE":
        raise ArgumentError("--seed", got="--seeds as well", expected="one of the two")
    if given["distributed"]:
        raise ArgumentError("--seeds", got="--distributed as well", expected="one of the two")
    out = Output(json=given["json"], quiet=given["quiet"])
    options = given_options(ctx, without=_OWN)
    if given.get("dry_run") or given.get("print_config"):
        with _member(ctx, [*options, "--seed", str(seeds[0]), *_form(given)]) as own:
            ctx.command.invoke(own)
        return
    files = SeedFiles(given["output"])
    for seed in seeds:
        check_output(files.model(seed), "model", read)
        check_target(files.model(seed), force=True)
    with _member(ctx, [*options, "--seed", str(seeds[0]), "--quiet"]) as own:
        asked_devices(own)
        asked_request(own, asked_settings(own), Output(quiet=True))  # mistakes of the command come first
    new = nothing_to_go_on_with(files.output, seeds) if given["resume"] else None
    if new is not None:
        out.warn(new)
    asked = {
        name: str(value)
        for name, value in sorted(given.items())
        if name not in (*_OWN, *_WITHOUT_EFFECT) and value not in (None, [], ())
    }
    claim = ctx.with_resource(Claim(files.summary.with_suffix(""), (files.summary,), force=True))
    there = files.begin(asked, seeds, force=given["force"])
    for number, seed in enumerate(seeds, start=1):
        where = f"seed {seed} ({number} of {len(seeds)})"
        if seed in there:
            out.note(f"{where}: trained already")
            continue
        out.note(where)
        words = [*options, "--seed", str(seed), "-o", str(files.model(seed)), *_form(given)]
        if given["force"]:
            words.append("--force")
        elif RunNames(files.model(seed)).state_file.exists():
            words.append("--resume")
        try:
            told = _run(ctx, words)
        except Interrupted:
            again = shell_line(["ginjax", "train", *given_options(ctx, without=("force",))])
            out.interrupted(f"interrupted at {where}", again, {"seed": seed})
            raise
        for warning in told.get("warnings", []):
            out.warn(f"seed {seed}: {warning}")
    summary = files.finish(asked, seeds)
    claim.done()
    columns, rows = summary.table()
    out.table(
        f"{len(seeds)} seeds: mean ± standard deviation over them" if len(seeds) > 1 else "1 seed",
        columns,
        rows,
    )
    out.result(files.summary, summary.to_json())
    models = [str(files.model(seed)) for seed in seeds]
    out.next_step(shell_line(["ginjax", "compare" if len(models) > 1 else "inspect", *models]))


def _form(given: dict[str, Any]) -> list[str]:
    return ["--json"] if given["json"] else ["--quiet"] if given["quiet"] else []


@contextlib.contextmanager
def _member(ctx: typer.Context, words: list[str]) -> Iterator[Any]:
    """The command with one seed, as a context."""
    with ctx.command.make_context("train", words, parent=ctx.parent) as own:
        own.meta[_MEMBER] = ctx
        try:
            yield own
        finally:
            del own.meta[_MEMBER]  # all contexts of the program share `meta`


def _run(ctx: typer.Context, words: list[str]) -> dict[str, Any]:
    """Run the command with one seed. Return its JSON output if the user asked for JSON."""
    with _member(ctx, words) as own:
        if not own.params["json"]:
            with as_part():
                ctx.command.invoke(own)
            return {}
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            ctx.command.invoke(own)
    return json.loads(told.getvalue() or "{}")
