"""Strict JSON: no duplicate keys, no NaN or infinity, and one byte form for equal values."""

import json
import math

from ginjax.errors import ArgumentError

MAX_DEPTH = 64
"""Most levels of nested lists and objects, so that code can process a value recursively."""


class JsonProblem(Exception):
    """A text that is not JSON as this project accepts it; the caller knows the file it came from."""


def dumps(value: object) -> str:
    """Write compact JSON with sorted keys in ASCII: equal values give equal bytes.

    **Raises:** `ArgumentError` for values that JSON cannot hold (NaN, infinity, arrays, objects) or would not
    give back unchanged (keys that are not strings).
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError("file header", got=error, expected="plain JSON values") from error
    _refuse_other_keys(value)
    return text


def parse_json(text: str | bytes) -> object:
    """Read a JSON text.

    Python's own parser keeps the last of two equal keys and accepts `NaN`. With either, two programs could read the same file
    differently.

    **Raises:** `JsonProblem` with the reason.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        _check_depth(value)
        if "\\u" in text:
            # An escape can smuggle in half a surrogate pair, which no later output could encode.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except JsonProblem:
        raise
    except UnicodeError as error:
        raise JsonProblem("it is not valid UTF-8") from error
    except RecursionError as error:
        raise JsonProblem(
            f"it is nested too deeply: more than {MAX_DEPTH} lists and objects within each other"
        ) from error
    except ValueError as error:
        raise JsonProblem(f"it is not valid JSON ({error})") from error
    return value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inside = [each for each in level if isinstance(each, dict | list)]
        if not inside:
            return
        level = [item for each in inside for item in (each.values() if isinstance(each, dict) else each)]
    raise JsonProblem(f"it is nested too deeply: more than {MAX_DEPTH} lists and objects within each other")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in result if names.count(name) > 1)
        raise JsonProblem(f"the name {twice!r} occurs twice")
    return result


def _refuse_constant(name: str) -> None:
    raise JsonProblem(f"{name} is not a JSON value")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonProblem(f"the number {digits[:32]} is too large")
    return value


def _refuse_other_keys(value: object) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ArgumentError("file header", got=f"the key {key!r}", expected="strings as keys")
            _refuse_other_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_other_keys(item)
