"""What an arithmetic instruction of PTX computes: `meaning` gives the types of its results and operands and a numpy function.

Tables of builders, one row for each opcode; a builder sees the instruction's modifiers sorted out (`Spec`) and refuses, by `CompileError`,
what it does not know: no modifier is ignored silently. Source: PTX ISA 9.0, sections 9.7.1 to 9.7.8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from stepwell.backends.ptx.simulate import bits, rounding
from stepwell.backends.ptx.simulate.values import NUMPY, PAIRS, Array, binary, is_float, is_signed, quaternary, ternary, unary, variadic
from stepwell.ir.diagnostics import CompileError

TYPES = set(NUMPY) | set(PAIRS)
ROUNDINGS = {"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"}
COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal,
}  # fmt: skip


class Meaning(NamedTuple):
    """Types of results and operands, and what computes the ones (one array or a tuple) from the others."""

    results: tuple[str, ...]
    operands: tuple[str, ...]
    function: Callable[..., Any]


@dataclass
class Spec:
    """The modifiers of an instruction, sorted: types in order, a rounding, `.ftz`, `.sat`, and flags, which builders take out."""

    name: str
    types: list[str] = field(default_factory=list[str])
    rounding: str = ""
    ftz: bool = False
    sat: bool = False
    flags: set[str] = field(default_factory=set[str])

    @property
    def type(self) -> str:
        """The only type, or the last."""
        if not self.types:
            raise CompileError(f"'{self.name}' names no type")
        return self.types[-1]

    @property
    def dtype(self) -> Any:
        """numpy's name of `type`, of an element where it is a pair."""
        return np.dtype(NUMPY[PAIRS.get(self.type, self.type)])

    def take(self, *flags: str) -> str:
        """The one of the flags that is there, removed; "" for none."""
        for flag in flags:
            if flag in self.flags:
                self.flags.remove(flag)
                return flag
        return ""


def spec_of(opcode: str, modifiers: tuple[str, ...]) -> Spec:
    """Sorts modifiers."""
    spec = Spec(".".join((opcode, *modifiers)))
    for modifier in modifiers:
        if modifier in TYPES:
            spec.types.append(modifier)
        elif modifier in ROUNDINGS:
            spec.rounding = modifier
        elif modifier == "ftz":
            spec.ftz = True
        elif modifier == "sat":
            spec.sat = True
        else:
            spec.flags.add(modifier)
    return spec


def meaning(opcode: str, modifiers: tuple[str, ...], operand_count: int) -> Meaning | None:
    """What an instruction computes; None where its opcode is no arithmetic. Raises CompileError for modifiers that are not simulated."""
    builder = BUILDERS.get(opcode)
    if builder is None:
        return None
    spec = spec_of(opcode, modifiers)
    found = builder(spec, operand_count)
    if spec.flags:
        raise CompileError(f"'.{sorted(spec.flags)[0]}' of '{spec.name}' is not simulated")
    return found


# ---- floats: rounding, flushing, saturation --------------------------------------------------------------------------------------------


def _finish(spec: Spec, function: Callable[..., Array]) -> Callable[..., Array]:
    """Around a float function: what `.ftz` and `.sat` say."""
    found = function
    if spec.ftz and spec.type == "f32":
        found = variadic(lambda *operands: rounding.flush(function(*(rounding.flush(x) for x in operands))))
    if not spec.sat:
        return found
    zero, one = np.asarray(0, spec.dtype), np.asarray(1, spec.dtype)
    return variadic(lambda *operands: np.fmin(np.fmax(found(*operands), zero), one))


def _exact_sum(a: Array, b: Array) -> Array:
    return rounding.odd_sum(a.astype(np.float64), b.astype(np.float64))


def _exact_fma(a: Array, b: Array, c: Array) -> Array:
    return rounding.odd_sum(a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64))


def _rounded(spec: Spec, nearest: Callable[..., Array], exact: Callable[..., Array]) -> Callable[..., Array]:
    """`nearest`, or `exact` (to float64) rounded as the instruction says."""
    mode, dtype = spec.rounding, spec.dtype
    if mode in ("", "rn"):
        return nearest
    if mode not in ("rz", "rm", "rp") or dtype == np.float64:
        raise CompileError(f"the rounding '.{mode}' of '{spec.name}' is not simulated")
    return variadic(lambda *operands: rounding.directed(exact(*operands), mode, dtype))


def _through_double(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function of one float, computed in float64 and rounded back."""
    return unary(lambda x: function(x.astype(np.float64)).astype(x.dtype))


def _float_sum(spec: Spec, nearest: Callable[[Array, Array], Array], sign: int) -> Callable[..., Array]:
    return _finish(spec, _rounded(spec, nearest, binary(lambda a, b: _exact_sum(a, b if sign > 0 else -b))))


# ---- integers --------------------------------------------------------------------------------------------------------------------------


def _clamped(spec: Spec, function: Callable[..., Array]) -> Callable[..., Array]:
    """`.sat` of signed 32-bit integers."""
    low, high = np.iinfo(spec.dtype).min, np.iinfo(spec.dtype).max
    return variadic(lambda *operands: np.clip(function(*(x.astype(np.int64) for x in operands)), low, high).astype(spec.dtype))


def _sum(sign: int) -> Callable[[Spec, int], Meaning]:
    operator: Callable[[Array, Array], Array] = np.add if sign > 0 else np.subtract

    def build(spec: Spec, count: int) -> Meaning:
        kind = spec.type
        if spec.take("cc"):
            return Meaning((kind, "pred"), (kind, kind), binary(lambda a, b: bits.carry_add(a, b, None, sign)))
        if is_float(kind):
            return Meaning((kind,), (kind, kind), _float_sum(spec, operator, sign))
        return Meaning((kind,), (kind, kind), _clamped(spec, operator) if spec.sat else operator)

    return build


def _carried_sum(sign: int) -> Callable[[Spec, int], Meaning]:
    def build(spec: Spec, count: int) -> Meaning:
        kind = spec.type
        if spec.take("cc"):
            return Meaning((kind, "pred"), (kind, kind, "pred"), ternary(lambda a, b, c: bits.carry_add(a, b, c, sign)))
        return Meaning((kind,), (kind, kind, "pred"), ternary(lambda a, b, c: bits.carry_add(a, b, c, sign)[0]))

    return build


def _product(spec: Spec) -> tuple[str, Callable[[Array, Array], Array]]:
    """Which half of a product an integer multiplication gives: the type of its result, and the function."""
    kind, half = spec.type, spec.take("lo", "hi", "wide")
    if half == "wide":
        wide = f"{kind[0]}{2 * int(kind[1:])}"
        dtype = NUMPY[wide]
        return wide, binary(lambda a, b: a.astype(dtype) * b.astype(dtype))
    if half == "hi":
        return kind, bits.high_product
    if half != "lo":
        raise CompileError(f"'{spec.name}' says none of .lo, .hi and .wide")
    return kind, np.multiply


def _multiply(spec: Spec, count: int) -> Meaning:
    kind = spec.type
    if is_float(kind):
        exact: Callable[..., Array] = binary(lambda a, b: a.astype(np.float64) * b.astype(np.float64))
        return Meaning((kind,), (kind, kind), _finish(spec, _rounded(spec, np.multiply, exact)))
    result, product = _product(spec)
    return Meaning((result,), (kind, kind), product)


def _multiply_add(spec: Spec, count: int) -> Meaning:
    kind = spec.type
    if is_float(kind):
        return _fused(spec, count)
    result, product = _product(spec)
    if spec.take("cc"):
        return Meaning((result, "pred"), (kind, kind, result), ternary(lambda a, b, c: bits.carry_add(product(a, b), c, None, 1)))
    if spec.sat:
        return Meaning((result,), (kind, kind, result), ternary(lambda a, b, c: _clamped(spec, np.add)(product(a, b), c)))
    return Meaning((result,), (kind, kind, result), ternary(lambda a, b, c: product(a, b) + c))


def _carried_multiply_add(spec: Spec, count: int) -> Meaning:
    kind = spec.type
    result, product = _product(spec)
    if spec.take("cc"):
        return Meaning(
            (result, "pred"), (kind, kind, result, "pred"), quaternary(lambda a, b, c, cc: bits.carry_add(product(a, b), c, cc, 1))
        )
    return Meaning((result,), (kind, kind, result, "pred"), quaternary(lambda a, b, c, cc: bits.carry_add(product(a, b), c, cc, 1)[0]))


def _fused(spec: Spec, count: int) -> Meaning:
    kind = spec.type
    relu = spec.take("relu")
    if kind == "f32":
        nearest: Callable[..., Array] = rounding.fma_f32
    elif kind == "f64":
        nearest = rounding.fma_f64
    else:
        dtype = spec.dtype
        nearest = ternary(lambda a, b, c: _exact_fma(a, b, c).astype(dtype))
    function = _finish(spec, _rounded(spec, nearest, _exact_fma))
    if relu:
        inner, zero = function, np.asarray(0, spec.dtype)
        function = ternary(lambda a, b, c: np.maximum(inner(a, b, c), zero))
    return Meaning((kind,), (kind, kind, kind), function)


def _divide(spec: Spec, count: int) -> Meaning:
    kind = spec.type
    if is_float(kind):
        spec.take("approx", "full")
        exact: Callable[..., Array] = binary(lambda a, b: a.astype(np.float64) / b)
        return Meaning((kind,), (kind, kind), _finish(spec, _rounded(spec, np.divide, exact)))
    return Meaning((kind,), (kind, kind), bits.quotient)


def _extreme(smaller: bool) -> Callable[[Spec, int], Meaning]:
    def build(spec: Spec, count: int) -> Meaning:
        kind = spec.type
        function: Callable[..., Array] = np.minimum if smaller else np.maximum
        if is_float(kind):
            function = rounding.minimum if smaller else rounding.maximum
            if spec.take("NaN"):
                number: Callable[..., Array] = function
                function = binary(lambda a, b: np.where(np.isnan(a) | np.isnan(b), a + b, number(a, b)))
            function = _finish(spec, function)
        relu = spec.take("relu")
        if relu:
            inner, zero = function, np.asarray(0, spec.dtype)
            function = binary(lambda a, b: np.maximum(inner(a, b), zero))
        if count == 4:
            two = function
            return Meaning((kind,), (kind,) * 3, ternary(lambda a, b, c: two(two(a, b), c)))
        return Meaning((kind,), (kind, kind), function)

    return build


def _one(function: Callable[[Array], Array], float_function: Callable[[Array], Array] | None = None) -> Callable[[Spec, int], Meaning]:
    """An instruction of one operand; approximations are computed as exactly as the type allows."""

    def build(spec: Spec, count: int) -> Meaning:
        kind = spec.type
        spec.take("approx", "full")
        chosen = float_function if float_function is not None and is_float(kind) else function
        if spec.rounding not in ("", "rn"):
            exact: Callable[..., Array] = unary(lambda x: function(x.astype(np.float64)))
            chosen = _rounded(spec, chosen, exact)
        return Meaning((kind,), (kind,), _finish(spec, chosen) if is_float(kind) else chosen)

    return build


def _sign_only(function: Callable[[Array], Array]) -> Callable[[Spec, int], Meaning]:
    """abs and neg: of floats they change the sign bit and nothing else."""
    return _one(function)


def _logic(function: Callable[..., Array]) -> Callable[[Spec, int], Meaning]:
    return lambda spec, count: Meaning((spec.type,), (spec.type,) * (count - 1), function)


def _shift(left: bool) -> Callable[[Spec, int], Meaning]:
    def build(spec: Spec, count: int) -> Meaning:
        function = bits.shift_left if left else bits.shift_right
        return Meaning((spec.type,), (spec.type, "u32"), function)

    return build


def _funnel(spec: Spec, count: int) -> Meaning:
    left, wrap = spec.take("l", "r") == "l", spec.take("wrap", "clamp") == "wrap"
    return Meaning(("b32",), ("b32", "b32", "u32"), ternary(lambda a, b, c: bits.funnel_shift(a, b, c, left, wrap)))


def _select(spec: Spec, count: int) -> Meaning:
    return Meaning((spec.type,), (spec.type, spec.type, "pred"), ternary(lambda a, b, p: np.where(p, a, b)))


def _select_by_sign(spec: Spec, count: int) -> Meaning:
    first, second = spec.types
    return Meaning((first,), (first, first, second), ternary(lambda a, b, c: np.where(c >= 0, a, b)))


def _comparison(spec: Spec) -> tuple[Callable[[Array, Array], Array], Callable[[Array, Array], Array] | None]:
    """How two operands compare, and how the outcome joins a third."""
    joins: dict[str, Callable[[Array, Array], Array]] = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}
    join = joins.get(spec.take(*joins))
    word = spec.take(*COMPARISONS, "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")
    if word == "num":
        return binary(lambda a, b: ~(np.isnan(a) | np.isnan(b))), join
    if word == "nan":
        return binary(lambda a, b: np.isnan(a) | np.isnan(b)), join
    if not word:
        raise CompileError(f"'{spec.name}' names no comparison")
    unordered = word.endswith("u") and word != "u"
    compare = COMPARISONS[word[:-1] if unordered else word]
    if not is_float(spec.type):
        return compare, join
    if unordered:
        return (binary(lambda a, b: compare(a, b) | np.isnan(a) | np.isnan(b))), join
    if word == "ne":
        return (binary(lambda a, b: (a < b) | (a > b))), join
    return compare, join


def _set_predicate(spec: Spec, count: int) -> Meaning:
    compare, join = _comparison(spec)
    kind = spec.type
    if spec.ftz:
        plain = compare
        compare = binary(lambda a, b: plain(rounding.flush(a), rounding.flush(b)))
    if kind in PAIRS:
        raise CompileError(f"'{spec.name}' is not simulated")
    if join is None:
        return Meaning(("pred", "pred"), (kind, kind), binary(lambda a, b: ((found := compare(a, b)), ~found)))
    return Meaning(("pred", "pred"), (kind, kind, "pred"), ternary(lambda a, b, p: (join(found := compare(a, b), p), join(~found, p))))


def _set(spec: Spec, count: int) -> Meaning:
    result, kind = spec.types
    compare, join = _comparison(spec)
    one = np.asarray(1, np.float32) if result == "f32" else np.asarray(-1, np.int64).astype(NUMPY[result])
    if join is None:
        return Meaning((result,), (kind, kind), binary(lambda a, b: np.where(compare(a, b), one, one * 0).astype(one.dtype)))
    return Meaning(
        (result,), (kind, kind, "pred"), ternary(lambda a, b, p: np.where(join(compare(a, b), p), one, one * 0).astype(one.dtype))
    )


def _count(function: Callable[[Array], Array]) -> Callable[[Spec, int], Meaning]:
    """An instruction that counts bits: a 32-bit number, whatever the operand."""
    return lambda spec, count: Meaning(("u32",), (spec.type.replace("b", "u").replace("s", "u"),), function)


def _find(spec: Spec, count: int) -> Meaning:
    distance = bool(spec.take("shiftamt"))
    return Meaning(("u32",), (spec.type,), unary(lambda x: bits.find_top(x, distance)))


def _extract(spec: Spec, count: int) -> Meaning:
    return Meaning((spec.type,), (spec.type, "u32", "u32"), bits.extract_field)


def _insert(spec: Spec, count: int) -> Meaning:
    kind = spec.type.replace("b", "u")
    return Meaning((kind,), (kind, kind, "u32", "u32"), bits.insert_field)


def _permute(spec: Spec, count: int) -> Meaning:
    mode = spec.take("f4e", "b4e", "rc8", "ecl", "ecr", "rc16")
    if mode:
        raise CompileError(f"'.{mode}' of 'prmt' is not simulated")
    return Meaning(("b32",), ("b32", "b32", "b32"), bits.permute_bytes)


def _lookup(spec: Spec, count: int) -> Meaning:
    return Meaning(("b32",), ("b32", "b32", "b32", "b32"), bits.lookup3)


def _dot(lanes: int) -> Callable[[Spec, int], Meaning]:
    def build(spec: Spec, count: int) -> Meaning:
        first, second = spec.types[-2:]
        half = spec.take("lo", "hi")
        result = "s32" if "s32" in (first, second) else "u32"
        return Meaning(
            (result,),
            ("b32", "b32", result),
            ternary(lambda a, b, c: bits.dot(a, b, c, is_signed(first), is_signed(second), lanes, half == "hi")),
        )

    return build


def _absolute_difference(spec: Spec, count: int) -> Meaning:
    kind = spec.type
    return Meaning((kind,), (kind,) * 3, ternary(lambda a, b, c: c + np.where(a < b, b - a, a - b)))


def _test(spec: Spec, count: int) -> Meaning:
    tests: dict[str, Callable[[Array], Array]] = {
        "finite": np.isfinite, "infinite": np.isinf, "number": unary(lambda x: ~np.isnan(x)), "notanumber": np.isnan,
        "normal": unary(lambda x: np.isfinite(x) & (np.abs(x) >= np.finfo(x.dtype).tiny)),
        "subnormal": unary(lambda x: (x != 0) & (np.abs(x) < np.finfo(x.dtype).tiny)),
    }  # fmt: skip
    word = spec.take(*tests)
    if not word:
        raise CompileError(f"'{spec.name}' names no test")
    return Meaning(("pred",), (spec.type,), tests[word])


BUILDERS: dict[str, Callable[[Spec, int], Meaning]] = {
    "add": _sum(1), "sub": _sum(-1), "addc": _carried_sum(1), "subc": _carried_sum(-1),
    "mul": _multiply, "mad": _multiply_add, "madc": _carried_multiply_add, "fma": _fused, "div": _divide,
    "rem": lambda spec, count: Meaning((spec.type,), (spec.type, spec.type), bits.remainder),
    "abs": _sign_only(np.abs), "neg": _sign_only(np.negative),
    "min": _extreme(smaller=True), "max": _extreme(smaller=False),
    "rcp": _one(_through_double(unary(lambda x: 1 / x)), unary(lambda x: x.dtype.type(1) / x)),
    "sqrt": _one(np.sqrt), "rsqrt": _one(_through_double(unary(lambda x: 1 / np.sqrt(x)))),
    "ex2": _one(_through_double(np.exp2)), "lg2": _one(_through_double(np.log2)), "sin": _one(_through_double(np.sin)),
    "cos": _one(_through_double(np.cos)), "tanh": _one(_through_double(np.tanh)),
    "and": _logic(np.bitwise_and), "or": _logic(np.bitwise_or), "xor": _logic(np.bitwise_xor), "not": _logic(np.invert),
    "cnot": _logic(unary(lambda x: (x == 0).astype(x.dtype))), "shl": _shift(left=True), "shr": _shift(left=False), "shf": _funnel,
    "copysign": _logic(binary(lambda a, b: np.copysign(b, a))),
    "selp": _select, "slct": _select_by_sign, "setp": _set_predicate, "set": _set, "testp": _test,
    "popc": _count(bits.population), "clz": _count(bits.leading_zeros), "bfind": _find,
    "brev": lambda spec, count: Meaning((kind := spec.type.replace("b", "u"),), (kind,), bits.reverse),
    "bfe": _extract, "bfi": _insert, "prmt": _permute, "lop3": _lookup, "dp4a": _dot(4), "dp2a": _dot(2), "sad": _absolute_difference,
}  # fmt: skip
"""What each opcode means."""
