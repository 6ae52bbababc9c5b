"""The pass `affine-simplify-structures`: maps and sets in, the simplest ones that say the same out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr
from xdsl.ir import Attribute, Operation
from xdsl.ir.affine import AffineConstantExpr, AffineConstraintExpr, AffineConstraintKind, AffineSet

from stepwell.ir.affine_expressions import ZERO, Flattener, constraint, linear_form, simplify_map, simplify_set
from stepwell.ir.integer_sets import IntegerSet, Linear, NotLinear
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import CanonicalPatternsOf
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily

CANONICAL = frozenset({"affine.apply", "affine.for", "affine.if"})


@dataclass(frozen=True)
class SimplifyAffineStructures(Pass):
    """Simplify maps and sets; a set without points becomes `1 == 0`.

    before:  affine.if affine_set<(d0) : (d0 - 3 >= 0, 2 - d0 >= 0)>(%i) { f }
    after:   nothing
    """

    name: ClassVar[str] = "affine-simplify-structures"
    anchor: ClassVar[str] = "func.func"

    def run(self, op: Operation, ctx: Context) -> None:
        known: dict[Attribute, Attribute] = {}
        for inner in op.walk():
            for attributes in (inner.properties, inner.attributes):
                for name, attribute in attributes.items():
                    if isinstance(attribute, AffineMapAttr | AffineSetAttr):
                        if attribute not in known:
                            known[attribute] = _simplified(attribute)
                        attributes[name] = known[attribute]
        rewrite_greedily(op, CanonicalPatternsOf([], CANONICAL), how=Greediness(unique_constants=True, must_converge=False))


def _simplified(attribute: AffineMapAttr | AffineSetAttr) -> Attribute:
    if isinstance(attribute, AffineMapAttr):
        return AffineMapAttr(simplify_map(attribute.data))
    set = simplify_set(attribute.data)
    return AffineSetAttr(_empty(set) if is_empty(set) else _irredundant(set))


def _irredundant(set: AffineSet) -> AffineSet:
    """Of parallel inequalities the tightest; none that always holds. Equalities stay."""
    rows: list[tuple[AffineConstraintExpr, frozenset[tuple[int, int]], int]] = []
    best: dict[frozenset[tuple[int, int]], int] = {}
    for c in set.constraints:
        form = linear_form(c.lhs, set.num_dims, set.num_symbols)
        if form is None:
            return set
        factors = {key: value for key, value in form.items() if key >= 0}
        common = gcd(*factors.values()) or 1
        key, bound = frozenset((name, value // common) for name, value in factors.items()), form.get(-1, 0) // common
        rows.append((c, key, bound))
        if c.kind is not AffineConstraintKind.eq:
            best[key] = min(best.get(key, bound), bound)
    kept: list[AffineConstraintExpr] = []
    for c, key, bound in rows:
        if c.kind is AffineConstraintKind.eq:
            kept.append(c)
        elif key and best.get(key) == bound:
            del best[key]
            kept.append(_tight(c, key, bound, set))
    return AffineSet(set.num_dims, set.num_symbols, tuple(kept)) if kept else set


def _tight(like: AffineConstraintExpr, factors: frozenset[tuple[int, int]], bound: int, set: AffineSet) -> AffineConstraintExpr:
    expr = Flattener(set.num_dims, set.num_symbols).expression({**dict(factors), -1: bound})
    return constraint(like, expr)


def _empty(set: AffineSet) -> AffineSet:
    never = AffineConstraintExpr(AffineConstraintKind.eq, AffineConstantExpr(1), ZERO, canonicalize=False)
    return AffineSet(set.num_dims, set.num_symbols, (never,))


def is_empty(set: AffineSet) -> bool:
    """Whether no point satisfies the constraints of a set."""
    known = IntegerSet()
    dims: dict[int, Linear] = {n: {("dim", n): 1} for n in range(set.num_dims)}
    symbols: dict[int, Linear] = {n: {("symbol", n): 1} for n in range(set.num_symbols)}
    try:
        for c in set.constraints:
            row = known.linear(c.lhs, dims, symbols)
            (known.equal if c.kind is AffineConstraintKind.eq else known.at_least)(row)
    except NotLinear:
        return False
    return known.is_empty()
