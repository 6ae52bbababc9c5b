"""Einsum as batched matrix products of [batch, rows, inner] and [batch, inner, columns], two operands at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value

ELLIPSIS = tuple("0123456789")
"""Names for the axes that `...` stands for; they are not letters, so nothing else has them."""


def einsum(n: Node, equation: str, operands: Sequence[Value]) -> Value:
    """The value of `equation`, as numpy's einsum. A letter that stands twice in one operand means its diagonal."""
    terms, result = _parse(n, equation, operands)
    diagonals = [_diagonal(n, equation, operand, term) for operand, term in zip(operands, terms, strict=True)]
    operands, terms = [value for value, _ in diagonals], [term for _, term in diagonals]
    extents: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        for letter, extent in zip(term, operand.shape, strict=True):
            if extents.setdefault(letter, extent) == 1:
                extents[letter] = extent
            if extent not in (1, extents[letter]):
                n.fail(f"{letter!r} is {extents[letter]} and {extent} in {equation!r}")

    left, letters = operands[0], terms[0]
    for position in range(1, len(operands)):
        kept = set(result).union(*terms[position + 1 :])
        left, letters = _product(n, (left, letters), (operands[position], terms[position]), kept, extents)
    gone = [d for d, letter in enumerate(letters) if letter not in result]
    if gone:
        left = n.op(nn.ReduceSumOp, left, axes=gone)
        letters = [letter for letter in letters if letter in result]
    return n.transpose(left, [letters.index(letter) for letter in result])


def _parse(n: Node, equation: str, operands: Sequence[Value]) -> tuple[list[list[str]], list[str]]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    texts = left.split(",")
    if len(texts) != len(operands):
        n.fail(f"{equation!r} has {len(texts)} operands, not {len(operands)}")
    terms: list[list[str]] = []
    ellipsis = 0
    for text, operand in zip(texts, operands, strict=True):
        named = text.replace("...", "", 1)
        extra = operand.rank - len(named) if "..." in text else 0
        if (
            not (named == "" or (named.isascii() and named.isalpha()))
            or extra < 0
            or extra > len(ELLIPSIS)
            or len(named) + extra != operand.rank
        ):
            n.fail(f"{text!r} in {equation!r} does not fit an operand of shape {list(operand.shape)}")
        ellipsis = max(ellipsis, extra)
        # Ellipses are aligned at their ends, as in broadcasting.
        terms.append(_spelled(text, ELLIPSIS[len(ELLIPSIS) - extra :]))
    dots = ELLIPSIS[len(ELLIPSIS) - ellipsis :]
    if arrow:
        result = _spelled(right, dots)
    else:
        letters = [letter for text in texts for letter in text.replace("...", "")]
        result = [*dots, *sorted(letter for letter in set(letters) if letters.count(letter) == 1)]
    if len(set(result)) != len(result) or not set(result) <= {letter for term in terms for letter in term}:
        n.fail(f"the result of {equation!r} names an axis twice or one that there is not")
    return terms, result


def _spelled(text: str, dots: Sequence[str]) -> list[str]:
    before, found, after = text.partition("...")
    return [*before, *(dots if found else ()), *after]


Term = tuple[Value, list[str]]


def _diagonal(n: Node, equation: str, value: Value, letters: list[str]) -> Term:
    """Two axes of one letter are one, the diagonal: every (extent + 1)st element of both."""
    while len(set(letters)) < len(letters):
        double = next(letter for letter in letters if letters.count(letter) > 1)
        first = letters.index(double)
        second = letters.index(double, first + 1)
        extent = value.shape[first]
        if value.shape[second] != extent:
            n.fail(f"{double!r} is {extent} and {value.shape[second]} in {equation!r}")
        rest = [d for d in range(value.rank) if d not in (first, second)]
        letters = [*(letters[d] for d in rest), double]
        outer = [value.shape[d] for d in rest]
        flat = n.reshape(n.transpose(value, [*rest, first, second]), [*outer, extent * extent])
        last = len(outer)
        value = n.op(nn.SliceOp, flat, starts=[0] * (last + 1), ends=[*outer, extent * extent], steps=[1] * last + [extent + 1])
    return value, letters


def _product(n: Node, left: Term, right: Term, kept: set[str], extents: dict[str, int]) -> Term:
    """The product of two operands, summed over what nobody needs any more."""
    (a, la), (b, lb) = (_without_private(n, *term, kept.union(other)) for term, other in ((left, right[1]), (right, left[1])))
    inner = [letter for letter in la if letter in lb and letter not in kept]
    batch = [letter for letter in la if letter in lb and letter in kept]
    rows = [letter for letter in la if letter not in lb]
    columns = [letter for letter in lb if letter not in la]
    a = _arranged(n, a, la, batch, rows, inner, extents)
    b = _arranged(n, b, lb, batch, inner, columns, extents)
    letters = [*batch, *rows, *columns]
    return n.reshape(n.op(nn.MatmulOp, a, b), [extents[letter] for letter in letters]), letters


def _without_private(n: Node, value: Value, letters: list[str], kept: set[str]) -> Term:
    """Axes that only this operand has are summed first."""
    gone = [d for d, letter in enumerate(letters) if letter not in kept]
    if not gone:
        return value, letters
    return n.op(nn.ReduceSumOp, value, axes=gone), [letter for letter in letters if letter in kept]


def _arranged(
    n: Node, value: Value, letters: list[str], batch: list[str], first: list[str], second: list[str], extents: dict[str, int]
) -> Value:
    """[product of batch, product of first, product of second], broadcast to the extents."""
    order = [*batch, *first, *second]
    value = n.broadcast_to(n.transpose(value, [letters.index(letter) for letter in order]), [extents[letter] for letter in order])
    return n.reshape(value, [math.prod(extents[letter] for letter in group) for group in (batch, first, second)])
