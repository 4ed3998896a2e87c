"""The glossary is in order, and each of its entries says something."""

import re
from pathlib import Path

PAGE = (Path(__file__).parent.parent / "docs" / "theory" / "glossary.md").read_text(encoding="utf-8")
NEEDED = {
    *("(C)", "certificate", "contract", "equivariant", "flex", "k0p0", "nRMSE"),
    *("one-step", "order", "orthoplex", "parity", "path", "role", "rollout"),
    *("signature", "VRMSE", "persistence", "inflated", "multi-image", "tap", "zero-shot"),
}


def entries(page: str) -> dict[str, str]:
    """What is said about each word."""
    found = re.split(r"(?m)^\*\*(.+?)\*\*\n:   ", page)
    return dict(zip(found[1::2], found[2::2], strict=True))


def in_order(words: list[str]) -> bool:
    """Alphabetical, whatever the case and the signs around a word."""
    letters = [re.sub(r"[^a-z0-9 ]", "", word.lower()) for word in words]
    return letters == sorted(letters)


def test_words_are_in_order_and_there_is_a_sentence_about_each():
    words = entries(PAGE)
    assert PAGE.count("\n**") == len(words) and in_order([*words])
    assert all(re.search(r"\w{3}.*[.:]", text) for text in words.values())


def test_words_that_tables_and_messages_use_are_explained():
    assert [word for word in sorted(NEEDED) if not any(word in entry for entry in entries(PAGE))] == []


def says_nothing(text: str) -> bool:
    """Whether an entry, or a part of one, sends the reader elsewhere in place of saying what the word means."""
    return bool(re.search(r"(?i)\b(?:see|as)\s+(?:there|above|below)\b", text))


def test_no_entry_sends_the_reader_elsewhere_without_saying_anything():
    assert [word for word, text in entries(PAGE).items() if says_nothing(text)] == []


def test_an_entry_that_says_nothing_is_noticed():
    assert says_nothing("*Inflated*: see\n    there.") and not says_nothing(
        "Where a file is seen; thereafter, not."
    )


def test_disorder_is_noticed():
    assert in_order(["(C)", "certificate", "`k0p0`", "lift"]) and not in_order(["order", "orbit"])
    assert entries("# G\n\n**a**\n:   One.\n\n**b, B**\n:   Two.\n") == {"a": "One.\n\n", "b, B": "Two.\n"}
