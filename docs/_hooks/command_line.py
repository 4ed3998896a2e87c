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
    usage = " ".join([name, *(each.make_metavar(context).strip("{}[]") for each in arguments), "[OPTIONS]"])
    yield from ("", f"## {name}", "", "```text", usage, "```", "", _paragraphs(command.help or ""), "")
    panels: dict[str, list[Any]] = {}
    for each in command.params:
        if not each.hidden and "--help" not in each.opts:
            title = "Arguments" if each in arguments else getattr(each, "rich_help_panel", None) or "Options"
            panels.setdefault(title, []).append(each)
    for title, entries in panels.items():
        yield from (f"**{title}**", "")
        for each in entries:
            yield from _parameter(each, context)


def _parameter(parameter: Any, context: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        names, value = [parameter.make_metavar(context).strip("{}[]")], ""
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        value = "" if parameter.is_flag else parameter.make_metavar(context)
    choices = getattr(parameter.type, "choices", None)
    if choices:
        value = " | ".join(str(getattr(choice, "value", choice)) for choice in choices)
    shown = ", ".join(f"`{name}`" for name in names) + (f" `{value}`" if value else "")
    text = _paragraphs(parameter.help or "").replace("\n\n", " ")
    default = _default(parameter)
    yield from (shown, f":   {text}" + (f" Default: {default}." if default else ""), "")


def _default(parameter: Any) -> str:
    """As the help shows it: words where the option has some, and nothing where the default says nothing."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default
    if value is None or callable(value) or parameter.required or value in (False, (), []):
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(f"`{getattr(each, 'value', each)}`" for each in value)
    if type(value).__name__ in ("Sentinel", "DefaultPlaceholder") or value is True:
        return ""
    return f"`{getattr(value, 'value', value)}`"


def _paragraphs(text: str) -> str:
    """Each paragraph on one line, with nothing that Markdown takes for a tag."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(part.split()) for part in parts).replace("<", "&lt;")
