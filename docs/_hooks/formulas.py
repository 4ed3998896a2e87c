"""Formulas between `$` and `$$` become MathML when the site is built, so that reading a page loads no script.

GitHub reads the same Markdown and sets the same formulas by its own means.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
"""What the Markdown extension `pymdownx.arithmatex` makes of a formula."""


def on_page_content(content: str, page: Any, **_: Any) -> str:
    try:
        return FORMULA.sub(_set, content)
    except ValueError as error:
        raise ValueError(f"{page.file.src_uri}: {error}") from error


def _set(found: re.Match[str]) -> str:
    tag, kind, latex = found[1], found[2], html.unescape(found[3]).strip()
    mathml = convert(latex, display="block" if kind == "[" else "inline")
    # A command that is not known comes out as it went in.
    if "\\" in html.unescape(mathml):
        raise ValueError(f"a formula that cannot be set: {latex}")
    return f'<{tag} class="formula">{mathml}</{tag}>'
