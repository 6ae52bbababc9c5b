"""Affine index expressions over values, and what is known about their range.

In comes a map with its operands, or a loop's bounds; out go sums `2 * %oh + %kh + 3` whose terms are SSA values, in which a value can
be replaced by another sum without any bookkeeping of positions. Quotients and remainders by a constant are terms of their own and
vanish where the range of their numerator allows: `(%n + %nr) floordiv 32` is `%n floordiv 32` when n counts in steps of 32 and nr is
below 32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import gcd
from typing import Any

from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Block, BlockArgument, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap, AffineSymExpr

from stepwell.dialects.affine import ForOp, ParallelOp


class Division:
    """`numerator floordiv divisor` (or `mod divisor`): a term that is not linear. Compared by content."""

    __slots__ = ("divisor", "is_mod", "numerator")

    def __init__(self, numerator: Index, divisor: int, is_mod: bool) -> None:
        self.numerator = numerator
        self.divisor = divisor
        self.is_mod = is_mod

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Division)
            and self.divisor == other.divisor
            and self.is_mod == other.is_mod
            and self.numerator == other.numerator
        )

    def __hash__(self) -> int:
        return hash((self.divisor, self.is_mod, self.numerator))


Atom = SSAValue | Division


class Index:
    """A sum of integer multiples of atoms, and a constant. Immutable by convention; equal when it says the same."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: dict[Atom, int], constant: int = 0) -> None:
        self.terms = terms
        self.constant = constant

    @staticmethod
    def of(value: SSAValue | int) -> Index:
        return Index({}, value) if isinstance(value, int) else Index({value: 1})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self.constant == other.constant and self.terms == other.terms

    def __hash__(self) -> int:
        return hash((self.constant, frozenset(self.terms.items())))

    def __add__(self, other: Index | int) -> Index:
        if isinstance(other, int):
            return Index(self.terms, self.constant + other)
        terms = dict(self.terms)
        for atom, factor in other.terms.items():
            total = terms.get(atom, 0) + factor
            if total:
                terms[atom] = total
            else:
                del terms[atom]
        return Index(terms, self.constant + other.constant)

    def __sub__(self, other: Index | int) -> Index:
        return self + other * -1 if isinstance(other, Index) else Index(self.terms, self.constant - other)

    def __mul__(self, factor: int) -> Index:
        if factor == 1:
            return self
        if factor == 0:
            return Index({})
        return Index({atom: f * factor for atom, f in self.terms.items()}, self.constant * factor)

    @property
    def is_constant(self) -> bool:
        return not self.terms

    @property
    def as_value(self) -> SSAValue | None:
        """The value that this index is, when it is nothing but one value."""
        if self.constant == 0 and len(self.terms) == 1:
            ((atom, factor),) = self.terms.items()
            if factor == 1 and isinstance(atom, SSAValue):
                return atom
        return None

    def values(self) -> Iterable[SSAValue]:
        """Every value that occurs, also inside divisions, in order of appearance (perhaps more than once)."""
        for atom in self.terms:
            if isinstance(atom, SSAValue):
                yield atom
            else:
                yield from atom.numerator.values()

    def mentions(self, value: SSAValue) -> bool:
        return any(v is value for v in self.values())

    def coefficient(self, value: SSAValue) -> int | None:
        """The factor of a value; None when the value also occurs inside a division."""
        for atom in self.terms:
            if isinstance(atom, Division) and atom.numerator.mentions(value):
                return None
        return self.terms.get(value, 0)

    def without(self, values: Iterable[SSAValue]) -> Index:
        """The same sum with the linear terms of these values left out."""
        left_out = set(values)
        return Index({a: f for a, f in self.terms.items() if a not in left_out}, self.constant)

    def replace(self, replacements: Mapping[SSAValue, Index]) -> Index:
        """The sum with values replaced by sums, simplified by the range of what is put in."""
        result = Index({}, self.constant)
        for atom, factor in self.terms.items():
            if isinstance(atom, Division):
                inner = atom.numerator.replace(replacements)
                new = (modulo if atom.is_mod else quotient)(inner, atom.divisor)
            else:
                replacement = replacements.get(atom)
                new = Index({atom: 1}) if replacement is None else replacement
            result = result + new * factor
        return result

    def __repr__(self) -> str:
        def name(atom: Atom) -> str:
            if isinstance(atom, Division):
                return f"({atom.numerator} {'mod' if atom.is_mod else 'floordiv'} {atom.divisor})"
            return f"%{atom.name_hint or '?'}"

        parts = [name(a) if f == 1 else f"{name(a)} * {f}" for a, f in self.terms.items()]
        return " + ".join([*parts, str(self.constant)] if self.constant or not parts else parts)


# ---- divisions ------------------------------------------------------------------------------------------------------------------


def _split_by(index: Index, divisor: int) -> tuple[Index, Index, Index]:
    """`index` as a sum of three: `divisor` times the first, a second, and a third that is too small to carry into the quotient.

    The second is a multiple of some divisor g of `divisor`, and the third stays in [0, g): adding it changes no quotient. Where there
    are no such parts, the second is everything that is no multiple, and the third is zero.
    """
    whole: dict[Atom, int] = {}
    others: list[tuple[int, Atom, int]] = []
    for atom, factor in index.terms.items():
        if factor % divisor == 0:
            whole[atom] = factor // divisor
        else:
            others.append((gcd(factor * multiple_of(atom), divisor), atom, factor))
    constant = index.constant % divisor
    outside = Index(whole, index.constant // divisor)
    # Coarse terms first; the fine ones, from some place on, may be small enough together.
    ordered = sorted(others, key=lambda other: -other[0])
    for cut in range(len(ordered) + 1):
        grain = gcd(divisor, *(g for g, _, _ in ordered[:cut]))
        fine = Index({atom: factor for _, atom, factor in ordered[cut:]}, constant % grain)
        low, high = range_of(fine)
        if low is not None and high is not None and low >= 0 and high < grain:
            coarse = [(atom, factor) for _, atom, factor in ordered[:cut]]
            kept = {atom for atom, _ in coarse}
            in_order = [(atom, factor) for _, atom, factor in others]
            return (
                outside,
                Index({a: f for a, f in in_order if a in kept}, constant - constant % grain),
                Index({a: f for a, f in in_order if a not in kept}, constant % grain),
            )
    return outside, Index({atom: factor for _, atom, factor in others}, constant), Index({})


def _is_multiple(index: Index, divisor: int) -> bool:
    return index.constant % divisor == 0 and all(factor * multiple_of(atom) % divisor == 0 for atom, factor in index.terms.items())


def quotient(index: Index, divisor: int) -> Index:
    """`index floordiv divisor`, simplified."""
    whole, coarse, _ = _split_by(index, divisor)
    return whole + Index({Division(coarse, divisor, False): 1}) if coarse.terms else whole


def modulo(index: Index, divisor: int) -> Index:
    """`index mod divisor`, simplified."""
    _, coarse, fine = _split_by(index, divisor)
    if not coarse.terms or _is_multiple(coarse, divisor):
        return fine + coarse.constant % divisor
    return Index({Division(coarse, divisor, True): 1}) + fine


# ---- what is known about a value ------------------------------------------------------------------------------------------------

Range = tuple[int | None, int | None]


def multiple_of(atom: Atom) -> int:
    """A number that divides every value of the atom: the step of a loop that starts at a multiple of it."""
    if isinstance(atom, BlockArgument):
        match atom.block.parent_op():
            case ForOp() as loop:
                step: int = loop.step.value.data
                lower = loop.lowerBoundMap.data.results
                if len(lower) == 1 and isinstance(lower[0], AffineConstantExpr):
                    return gcd(step, lower[0].value)
            case ParallelOp() as loop:
                step = loop.steps.data[atom.index].value.data
                (first, *more) = loop.lower_bounds()[atom.index]
                if not more and isinstance(first, AffineConstantExpr):
                    return gcd(step, first.value)
            case _:
                pass
    return 1


def range_of(index: Index) -> Range:
    """The smallest and the largest value, None where unknown. Both inclusive."""
    low: int | None = index.constant
    high: int | None = index.constant
    for atom, factor in index.terms.items():
        least, most = _range_of_atom(atom)
        if factor < 0:
            least, most = most, least
        low = None if low is None or least is None else low + factor * least
        high = None if high is None or most is None else high + factor * most
    return low, high


def _range_of_atom(atom: Atom) -> Range:
    if isinstance(atom, Division):
        if atom.is_mod:
            return 0, atom.divisor - 1
        low, high = range_of(atom.numerator)
        return None if low is None else low // atom.divisor, None if high is None else high // atom.divisor
    if not isinstance(atom, BlockArgument):
        return None, None
    match atom.block.parent_op():
        case ForOp() as loop:
            return _range_of_loop(loop.lowerBoundMap.data.results, loop.upperBoundMap.data.results, loop.step.value.data)
        case ParallelOp() as loop:
            place = atom.index
            return _range_of_loop(loop.lower_bounds()[place], loop.upper_bounds()[place], loop.steps.data[place].value.data)
        case _:
            # Index arguments of a kernel are extents (or the grain): never negative.
            return 0, None


def _range_of_loop(lower: Sequence[AffineExpr], upper: Sequence[AffineExpr], step: int) -> Range:
    starts = [e.value for e in lower if isinstance(e, AffineConstantExpr)]
    ends = [e.value for e in upper if isinstance(e, AffineConstantExpr)]
    if not starts:
        return None, min(ends) - 1 if ends else None
    start = max(starts)
    if not ends:
        return start, None
    # The last value of a loop that starts at a constant is on the step's grid.
    trips = max(-(-(min(ends) - start) // step), 1)
    return start, start + (trips - 1) * step if len(starts) == len(lower) else min(ends) - 1


def minimum(indices: Iterable[Index]) -> list[Index]:
    """The operands of a `min`, without those that another is never above."""
    kept: list[Index] = []
    for index in indices:
        if any(_never_above(other, index) for other in kept):
            continue
        kept = [other for other in kept if not _never_above(index, other)]
        kept.append(index)
    return kept


def _never_above(a: Index, b: Index) -> bool:
    least, _ = range_of(b - a)
    return least is not None and least >= 0


# ---- between maps and sums ------------------------------------------------------------------------------------------------------


def indices_of(map: AffineMap, operands: Sequence[SSAValue]) -> list[Index]:
    """The results of a map applied to its operands (dimensions, then symbols)."""
    return [_convert(expr, operands, map.num_dims) for expr in map.results]


def index_of(expr: AffineExpr, operands: Sequence[SSAValue], num_dims: int) -> Index:
    """One expression over dimensions and symbols, applied to its operands."""
    return _convert(expr, operands, num_dims)


def _convert(expr: AffineExpr, operands: Sequence[SSAValue], num_dims: int) -> Index:
    if isinstance(expr, AffineDimExpr):
        return Index({operands[expr.position]: 1})
    if isinstance(expr, AffineConstantExpr):
        return Index({}, expr.value)
    if isinstance(expr, AffineSymExpr):
        return Index({operands[num_dims + expr.position]: 1})
    assert isinstance(expr, AffineBinaryOpExpr)
    lhs = _convert(expr.lhs, operands, num_dims)
    rhs = _convert(expr.rhs, operands, num_dims)
    if expr.kind is AffineBinaryOpKind.Add:
        return lhs + rhs
    if lhs.is_constant and expr.kind is AffineBinaryOpKind.Mul:
        lhs, rhs = rhs, lhs
    assert rhs.is_constant, f"{expr} is not affine"
    if expr.kind is AffineBinaryOpKind.Mul:
        return lhs * rhs.constant
    if expr.kind is AffineBinaryOpKind.FloorDiv:
        return quotient(lhs, rhs.constant)
    if expr.kind is AffineBinaryOpKind.CeilDiv:
        return quotient(lhs * -1, rhs.constant) * -1
    return modulo(lhs, rhs.constant)


def map_of(indices: Sequence[Index], *, symbols: bool = False) -> tuple[AffineMapAttr, list[SSAValue]]:
    """The map and the operands that compute these sums. With `symbols`, arguments of the function are symbols of the map (as loop bounds
    like).
    """
    dims: dict[SSAValue, int] = {}
    syms: dict[SSAValue, int] = {}
    for index in indices:
        for value in index.values():
            if symbols and is_argument(value):
                syms.setdefault(value, len(syms))
            else:
                dims.setdefault(value, len(dims))
    key = tuple(_key(index, dims, syms) for index in indices)
    return _map_from_key(len(dims), len(syms), key), [*dims, *syms]


def is_argument(value: SSAValue) -> bool:
    """Whether a value is an argument of the function rather than of a loop."""
    return isinstance(value, BlockArgument) and not isinstance(_parent(value.block), ForOp | ParallelOp)


def _parent(block: Block) -> Any:
    return block.parent_op()


# Maps are frozen dataclasses that are slow to build and to hash, and a kernel uses few: they are cached by a tuple that spells them.
_Key = tuple[Any, ...]


def _key(index: Index, dims: Mapping[SSAValue, int], syms: Mapping[SSAValue, int]) -> _Key:
    parts: list[Any] = [index.constant]
    for atom, factor in index.terms.items():
        if isinstance(atom, Division):
            parts.append((factor, atom.divisor, atom.is_mod, _key(atom.numerator, dims, syms)))
        elif atom in dims:
            parts.append((factor, "d", dims[atom]))
        else:
            parts.append((factor, "s", syms[atom]))
    return tuple(parts)


@lru_cache(maxsize=4096)
def _map_from_key(num_dims: int, num_syms: int, key: tuple[_Key, ...]) -> AffineMapAttr:
    return AffineMapAttr(AffineMap(num_dims, num_syms, tuple(_expression(k) for k in key)))


def _expression(key: _Key) -> AffineExpr:
    constant, *terms = key
    result: AffineExpr | None = None
    # A sum that begins with a positive term reads better: s0 - d0, not -d0 + s0.
    for term in sorted(terms, key=lambda t: t[0] < 0):
        if len(term) == 4:
            factor, divisor, is_mod, inner = term
            atom = _expression(inner)
            atom = atom % divisor if is_mod else atom // divisor
        else:
            factor, kind, position = term
            atom = AffineExpr.dimension(position) if kind == "d" else AffineExpr.symbol(position)
        scaled = atom if factor == 1 else atom * factor
        result = scaled if result is None else result + scaled
    if result is None:
        return AffineExpr.constant(constant)
    return result + constant if constant else result
