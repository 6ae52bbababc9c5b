"""Operators on the characters of strings: StringConcat, StringSplit, StringNormalizer, RegexFullMatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stepwell.backends.host.node import Array, HostNode, Value
from stepwell.backends.host.regular_expressions import Expression
from stepwell.backends.host.values import MAX_ELEMENTS, described, strings, text_array


def string_concat(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """x + y, broadcast."""
    x, y = strings(node, inputs, 0), strings(node, inputs, 1)
    try:
        shape = np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        node.fail(f"{described(x)} and {described(y)} do not broadcast")
    pairs = zip(np.broadcast_to(x, shape).flat, np.broadcast_to(y, shape).flat, strict=True)
    return [text_array((a + b for a, b in pairs), shape)]


def string_split(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The parts of each string along a new last axis, filled up with empty strings, and how many there are of each.

    Without a delimiter, or with an empty one, runs of white space separate.
    """
    x = strings(node, inputs, 0)
    delimiter = node.attributes.get("delimiter") or None
    limit = int(node.attributes.get("maxsplit", -1))
    parts = [text.split(delimiter, limit) for text in x.reshape(-1)]
    width = max((len(p) for p in parts), default=0)
    if x.size * width > MAX_ELEMENTS:
        node.fail(f"{x.size} strings of up to {width} parts make a tensor of more than {MAX_ELEMENTS} strings")
    filled = (text for p in parts for text in (*p, *("",) * (width - len(p))))
    return [text_array(filled, (*x.shape, width)), np.array([len(p) for p in parts], np.int64).reshape(x.shape)]


_CASES: dict[str, Callable[[str], str]] = {"LOWER": str.lower, "UPPER": str.upper, "NONE": lambda text: text}


def string_normalizer(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The strings [C] or [1, C] that are no stop words, in another case; one empty string if none is left.

    The case is changed as Unicode says, whatever the locale. Whole strings are compared with the stop words.
    """
    x = strings(node, inputs, 0)
    if x.ndim not in (1, 2) or (x.ndim == 2 and x.shape[0] != 1):
        node.fail(f"its input is {described(x)}; it takes [C] or [1, C]")
    action = node.attributes.get("case_change_action", "NONE")
    if action not in _CASES:
        node.fail(f"case_change_action is {action!r}", hint=f"it may be {', '.join(_CASES)}")
    exact = bool(node.attributes.get("is_case_sensitive", 0))
    folded = _CASES["NONE"] if exact else _CASES["UPPER" if action == "UPPER" else "LOWER"]
    stop = {folded(word) for word in node.attributes.get("stopwords", ())}
    kept = [_CASES[action](text) for text in x.reshape(-1) if folded(text) not in stop] or [""]
    return [text_array(kept, (len(kept),) if x.ndim == 1 else (1, len(kept)))]


def regex_full_match(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Whether the whole of each string matches a pattern of RE2's syntax."""
    x = strings(node, inputs, 0)
    expression = Expression(str(node.attributes.get("pattern", "")))
    found: Array = np.fromiter((expression.matches(text) for text in x.flat), np.bool_, x.size)
    return [found.reshape(x.shape)]


__all__: list[Any] = ["regex_full_match", "string_concat", "string_normalizer", "string_split"]
