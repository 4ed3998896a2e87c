"""The page of every command and option, made from the commands themselves when the site is built."""

import re
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from ginjax_cli.main import make_app

PAGE = "reference/command-line.md"
MARKER = "<!-- every command -->"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    if page.file.src_uri != PAGE:
        return markdown
    if MARKER not in markdown:
        raise ValueError(f"{PAGE}: no line {MARKER}")
    return markdown.replace(MARKER, "\n".join(_commands(get_command(make_app()), "ginjax")))


def _commands(group: Any, name: str) -> Iterator[str]:
    context = group.make_context(name, [], resilient_parsing=True)
    for own in sorted(group.list_commands(context)):
        command = group.get_command(context, own)
        if hasattr(command, "list_commands"):
            yield from _commands(command, f"{name} {own}")
        else:
            yield from _command(command, f"{name} {own}")


def _command(command: Any, name: str) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([name, *(each.name.upper() for each in arguments), "[OPTIONS]"])
    yield from ("", f"## {name}", "", "```text", usage, "```", "", _paragraphs(command.help or ""), "")
    panels: dict[str, list[str]] = {}
    for each in command.params:
        record = each.get_help_record(context)
        if record is not None and "--help" not in each.opts:
            title = "Arguments" if each in arguments else getattr(each, "rich_help_panel", None) or "Options"
            panels.setdefault(title, []).append(_parameter(*record))
    for title, entries in panels.items():
        yield from (f"**{title}**", "", *entries)


_VALUES = {"<int range>": "N", "<float range>": "X", "<list[int]>": "N", "<str>": "TEXT", "<path>": ""}


def _parameter(names: str, text: str) -> str:
    """A definition: the names and what to give, then what it does, its range and its default."""
    for technical, plain in _VALUES.items():
        names = names.replace(technical, plain)
    names = " ".join(names.replace("|", " | ").split())
    text, notes = _split(" ".join(text.split()))
    return f"`{names}`\n:   {' '.join([_paragraphs(text), *(f'*{note}.*' for note in notes)])}\n"


def _split(text: str) -> tuple[str, list[str]]:
    """What an option does, and the notes in brackets that Click adds: required, the range, the default."""
    if not text.endswith("]"):
        return text, []
    text, _, inside = text.removesuffix("]").rpartition("[")
    ranges, defaults, others = [], [], []
    for note in inside.split("; "):
        if note.startswith("default: "):
            value = note.removeprefix("default: ")
            words = value.startswith("(") and value.endswith(")")
            defaults.append(f"Default: {value[1:-1] if words else value}")
        elif "=" in note:
            ranges.append(re.sub(r"([<>])=", r" \1= ", note).replace("<=", "≤").replace(">=", "≥"))
        else:
            others.append(note.capitalize())
    return text, [*others, *ranges, *defaults]


def _paragraphs(text: str) -> str:
    """Each paragraph on one line, with nothing that Markdown takes for a tag."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(part.split()) for part in parts).replace("<", "&lt;")
