"""The fenced blocks of a Markdown page, and what is to be done with each."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

RUN = ("sh", "python")
"""Languages of blocks that are run unless a comment above says otherwise."""

_FENCE = re.compile(r"^( *)(```+|~~~+)\s*(\S*)\s*$")
_COMMENT = re.compile(r"^\s*<!-- ([a-z-]+)(?:: (.*?))? -->\s*$")
_COMMAND = re.compile(
    r"^\s*(\$ |(\S*/)?(ginjax|python3?(\.\d+)?|pip|pytest|mkdocs|git) +[a-z-])", re.MULTILINE
)


class PageError(Exception):
    """A page that says nothing, or something unknown, about one of its blocks."""


@dataclass(frozen=True)
class Block:
    """One block.

    - `action`: `run`, `refused` (run; its last line is answered with an error that holds `note`), `slow` (run with `-m slow`), `setup` (not run: it installs something), `by-hand` (not run: it
      needs what a test has not), `file` (written to the file `note`; a Python module is imported as well) or `output` (shown).
    - `line`: where it begins.
    """

    action: str
    language: str
    text: str
    line: int
    note: str = ""


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in order.

    The comments are `<!-- refused: WORDS -->`, `<!-- slow -->`, `<!-- setup -->`, `<!-- test-command -->` (a setup that something else runs),
    `<!-- by-hand: WHY -->` and `<!-- file: NAME -->`, each alone on the line above the fence.

    **Raises:** `PageError` for a block whose comment and language do not say what to do with it.
    """
    return list(_blocks(page.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if opening is None:
            if lines[at].lstrip().startswith(("```", "~~~")):
                raise PageError(f"line {at + 1}: a fence with more than a language: {lines[at].strip()}")
            at += 1
            continue
        first = at + 1
        end = next((n for n in range(first, len(lines)) if lines[n].strip() == opening[2]), None)
        if end is None:
            raise PageError(f"line {first}: a block without an end")
        comment = _COMMENT.match(lines[at - 1]) if at else None
        text = textwrap.dedent("\n".join(lines[first:end])) + "\n"
        yield _block(opening[3], comment, text, first)
        at = end + 1


def _block(language: str, comment: re.Match[str] | None, text: str, line: int) -> Block:
    word, note = (comment[1], comment[2] or "") if comment else ("", "")
    if word == "file" and note:
        action = "file"
    elif language in RUN:
        actions = {"": "run", "slow": "slow", "setup": "setup", "test-command": "setup"}
        action = word if word in ("by-hand", "refused") and note else actions.get(word)
    elif language == "text" and not word and not _COMMAND.search(text):
        action = "output"
    else:
        action = None
    if action is None:
        raise PageError(f"line {line}: nothing says what to do with a block '{language}' marked '{word}'")
    return Block(action, language, text, line, note)
