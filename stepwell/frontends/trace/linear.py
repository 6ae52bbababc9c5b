"""Products of `stepwell.numpy`: matmul and what it is enough for, einsum among it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from stepwell.dialects import nn
from stepwell.frontends.trace.elementwise import multiply
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.reductions import sum as _sum
from stepwell.frontends.trace.shapes import permute_dims, reshape
from stepwell.frontends.trace.values import Value, emit, promoted, shape_of


def matmul(a: Value, b: Value) -> Value:
    """The matrix product; leading axes are a batch."""
    return emit(nn.MatmulOp, promoted(a, b))


def vecdot(a: Value, b: Value, axis: int = -1) -> Value:
    """The sum of products along an axis."""
    return _sum(multiply(a, b), axis)


def outer(a: Value, b: Value) -> Value:
    """Every element of a vector times every element of another."""
    return multiply(reshape(a, -1, 1), reshape(b, 1, -1))


def dot(a: Value, b: Value) -> Value:
    """The product of vectors and matrices."""
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    if len(shape_of(b)) > 2:
        fail(f"dot: the second operand has rank {len(shape_of(b))}", hint="use tensordot or einsum")
    return matmul(a, b)


def tensordot(a: Value, b: Value, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Value:
    """Summed over the last axes of a and the first of b, or over given ones."""
    ranks = len(shape_of(a)), len(shape_of(b))
    pairs = (list(range(ranks[0] - axes, ranks[0])), list(range(axes))) if isinstance(axes, int) else axes
    names_a = [f"a{d}" for d in range(ranks[0])]
    names_b = [f"b{d}" for d in range(ranks[1])]
    for left, right in zip(*pairs, strict=True):
        names_b[right] = names_a[left]
    kept = [n for n in names_a if n not in names_b] + [n for n in names_b if n not in names_a]
    return _contract(a, names_a, b, names_b, kept)


def einsum(subscripts: str, *operands: Value) -> Value:
    """Einstein's sum: `einsum("bik,bkj->bij", a, b)`. Every subscript is one letter; operands are joined from left to right."""
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    letters = inputs.replace(",", "")
    if len(terms) != len(operands) or not letters.isalpha() or not (result + "a").isalpha():
        fail(f"einsum: {subscripts!r} does not fit {len(operands)} operands", hint="one letter for each axis, terms separated by commas")
    if not arrow:
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(set(result)) != len(result) or not set(result) <= set(letters):
        fail(f"einsum: the result {result!r} repeats a subscript, or has one that no operand has")
    for term, operand in zip(terms, operands, strict=True):
        if len(term) != len(shape_of(operand)):
            fail(f"einsum: {term!r} names {len(term)} axes of an operand of rank {len(shape_of(operand))}")
        if len(set(term)) != len(term):
            fail(f"einsum: {term!r} has a subscript twice", hint="diagonals are not written yet")
    names = list(terms[0])
    value = promoted(operands[0])[0]
    for i, (term, operand) in enumerate(zip(terms[1:], operands[1:], strict=True), 2):
        later = {*result, *"".join(terms[i:])}
        kept = [n for n in dict.fromkeys([*names, *term]) if n in later]
        value, names = _contract(value, names, operand, list(term), kept), kept
    gone = [d for d, n in enumerate(names) if n not in result]
    value = _sum(value, gone) if gone else value
    names = [n for n in names if n in result]
    return permute_dims(value, [names.index(n) for n in result])


def _contract(a: Value, a_names: Sequence[str], b: Value, b_names: Sequence[str], kept: Sequence[str]) -> Value:
    """The axes `kept`, in this order, of the product of two tensors, summed over all others: one matmul."""
    a, b = promoted(a, b)
    extents = dict(zip(a_names, shape_of(a), strict=True))
    for name, extent in zip(b_names, shape_of(b), strict=True):
        if extents.setdefault(name, extent) != extent:
            fail(f"a subscript stands for extents of {extents[name]} and {extent}")
    a, a_names = _summed(a, a_names, {*kept, *b_names})
    b, b_names = _summed(b, b_names, {*kept, *a_names})
    batch = [n for n in a_names if n in b_names and n in kept]
    inner = [n for n in a_names if n in b_names and n not in kept]
    rows = [n for n in a_names if n not in b_names]
    columns = [n for n in b_names if n not in a_names]

    def arranged(x: Value, names: Sequence[str], *groups: Sequence[str]) -> Value:
        order = [names.index(n) for group in groups for n in group]
        shape = [extents[n] for n in batch] + [prod(extents[n] for n in group) for group in groups[1:]]
        return reshape(permute_dims(x, order), shape)

    product = matmul(arranged(a, a_names, batch, rows, inner), arranged(b, b_names, batch, inner, columns))
    found = [*batch, *rows, *columns]
    return permute_dims(reshape(product, [extents[n] for n in found]), [found.index(n) for n in kept])


def _summed(x: Value, names: Sequence[str], wanted: set[str]) -> tuple[Value, Sequence[str]]:
    """Without axes that nobody else has."""
    gone = [d for d, n in enumerate(names) if n not in wanted]
    return (_sum(x, gone) if gone else x), [n for n in names if n in wanted]
