"""What must hold of the operations of `arith` and `math`: the tables of rules, with MLIR's words, and in its order: attributes, operands,
results, relations of types, then how shapes go together."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    TensorType,
    UnrankedTensorType,
    VectorType,
    i1,
    i64,
)
from xdsl.ir import Attribute, Operation

from stepwell.dialects.support import with_element
from stepwell.ir.rules import (
    BOOL_LIKE,
    FLOAT_LIKE,
    Complete,
    Kind,
    Rule,
    attribute,
    element,
    fail,
    is_float,
    is_signless,
    like,
    number_of_operands,
    number_of_results,
    operand,
    operands,
    result,
    results,
    same_type,
    shown,
    width,
)


def _is_integer(type: Attribute) -> bool:
    """Signless and of some bits, or an index."""
    return isinstance(type, IndexType) or (is_signless(type) and width(type) > 0)


def _or_memref(scalar: Callable[[Attribute], bool], inner: Callable[[Attribute], bool], summary: str) -> Kind:
    plain = like("", scalar)
    return Kind(summary, lambda t: plain.has(t) or (isinstance(t, MemRefType) and inner(element(t))))


def _has_bits(type: Attribute) -> bool:
    return is_float(type) or (is_signless(type) and width(type) > 0)


INTEGER_LIKE = like("signless-non-zero-bitwidth-integer-like", _is_integer)
FIXED_INTEGER_LIKE = like("signless-fixed-width-integer-like", lambda t: is_signless(t) and width(t) > 0)
CASTABLE_TO_INDEX = _or_memref(
    _is_integer,
    lambda t: is_signless(t) or isinstance(t, IndexType),
    "signless-non-zero-bitwidth-integer-like or memref of signless-integer",
)
WITH_BITS = _or_memref(
    _has_bits,
    _has_bits,
    "non-zero-bitwidth-signless-integer-or-float-like or memref of non-zero-bitwidth signless integer or float",
)


# ---- shapes ---------------------------------------------------------------------------------------------------------------------


def _shape(type: Attribute) -> tuple[int, ...] | None:
    """None where it is a scalar; of an unranked tensor `(-1,)` stands for all."""
    if isinstance(type, UnrankedTensorType):
        return UNRANKED
    if isinstance(type, VectorType):
        scalable = [bool(flag.value.data) for flag in cast(Any, type).scalable_dims]
        return tuple(SCALABLE + extent if flag else extent for extent, flag in zip(type.get_shape(), scalable, strict=True))
    return cast(Any, type).get_shape() if isinstance(type, TensorType | MemRefType) else None


UNRANKED = (-1,)
SCALABLE = 1 << 40
"""Added to extents that are multiplied when the program runs."""


def _compatible(a: tuple[int, ...] | None, b: tuple[int, ...] | None) -> bool:
    if a is None or b is None:
        return a is b
    if a is UNRANKED or b is UNRANKED:
        return True
    return len(a) == len(b) and all(x == y or DYNAMIC_INDEX in (x, y) for x, y in zip(a, b, strict=True))


def same_shape(op: Operation) -> None:
    """Operands and results have compatible shapes, or are all scalars."""
    shapes = [_shape(value.type) for value in (*op.results, *op.operands)]
    if not all(_compatible(shapes[0], shape) for shape in shapes):
        fail("requires the same shape for all operands and results")


def same_operand_types(op: Operation) -> None:
    """All operands are of one type."""
    if any(value.type != op.operands[0].type for value in op.operands):
        fail("requires all operands to have the same type")


def elementwise(op: Operation) -> None:
    """Where an operand is a container, so are the results, of the same shape."""
    shaped = [t for t in (*op.operand_types, *op.result_types) if _shape(t) is not None]
    if not shaped:
        return
    if not any(_shape(t) is not None for t in op.operand_types):
        fail("if a result is non-scalar, then at least one operand must be non-scalar")
    if not any(_shape(t) is not None for t in op.result_types):
        fail("if an operand is non-scalar, then there must be at least one non-scalar result")
    if any(_shape(t) is None for t in op.result_types):
        fail("if an operand is non-scalar, then all results must be non-scalar")
    family: dict[type[Attribute], str] = {VectorType: "vector", TensorType: "tensor", UnrankedTensorType: "tensor", MemRefType: "memref"}
    if len({family[t.__class__] for t in shaped}) > 1 or not all(_compatible(_shape(shaped[0]), _shape(t)) for t in shaped):
        fail("all non-scalar operands/results must have the same shape and base type")


# ---- casts -------------------------------------------------------------------------------------------------------------------------


def _same_dimensions(op: Operation) -> None:
    source, target = op.operands[0].type, op.results[0].type
    if isinstance(source, TensorType) and isinstance(target, TensorType) and source.get_shape() != target.get_shape():
        fail("failed to verify that input and output have the same tensor dimensions")


def _castable(fits: Callable[[Attribute, Attribute], bool]) -> Rule:
    def rule(op: Operation) -> None:
        source, target = op.operands[0].type, op.results[0].type
        if not _same_container(source, target) or not fits(element(source), element(target)):
            fail(f"operand type '{shown(source)}' and result type '{shown(target)}' are cast incompatible")

    return rule


def _same_container(a: Attribute, b: Attribute) -> bool:
    if type(a) is not type(b):
        return _shape(a) is None and _shape(b) is None
    if isinstance(a, TensorType):
        return a.encoding == cast(Any, b).encoding
    if isinstance(a, VectorType):
        return a.scalable_dims == cast(Any, b).scalable_dims
    if isinstance(a, MemRefType):
        return cast(Any, a).layout == cast(Any, b).layout and cast(Any, a).memory_space == cast(Any, b).memory_space
    return True


def _cast(source: Kind, target: Kind, fits: Callable[[Attribute, Attribute], bool] = lambda a, b: True) -> Complete:
    return Complete(
        (
            number_of_operands(1),
            number_of_results(1),
            operand(0, source),
            result(0, target),
            _same_dimensions,
            same_shape,
            _castable(fits),
        )
    )


def _either_is_index(a: Attribute, b: Attribute) -> bool:
    return isinstance(a, IndexType) != isinstance(b, IndexType)


CASTS: dict[str, Complete] = {
    **dict.fromkeys(("extsi", "extui"), _cast(FIXED_INTEGER_LIKE, FIXED_INTEGER_LIKE, lambda a, b: width(a) < width(b))),
    "trunci": _cast(FIXED_INTEGER_LIKE, FIXED_INTEGER_LIKE, lambda a, b: width(a) > width(b)),
    "extf": _cast(FLOAT_LIKE, FLOAT_LIKE, lambda a, b: width(a) < width(b)),
    "truncf": _cast(FLOAT_LIKE, FLOAT_LIKE, lambda a, b: width(a) > width(b)),
    "convertf": _cast(FLOAT_LIKE, FLOAT_LIKE, lambda a, b: width(a) == width(b) and a != b),
    **dict.fromkeys(("sitofp", "uitofp"), _cast(FIXED_INTEGER_LIKE, FLOAT_LIKE)),
    **dict.fromkeys(("fptosi", "fptoui"), _cast(FLOAT_LIKE, FIXED_INTEGER_LIKE)),
    **dict.fromkeys(("index_cast", "index_castui"), _cast(CASTABLE_TO_INDEX, CASTABLE_TO_INDEX, _either_is_index)),
    "bitcast": _cast(WITH_BITS, WITH_BITS, lambda a, b: width(a) == width(b)),
}


# ---- the rest of arith ---------------------------------------------------------------------------------------------------------------


def _binary(kind: Kind) -> Complete:
    return Complete((number_of_operands(2), number_of_results(1), operands(kind), results(kind), same_type))


def _condition_shape(op: Operation) -> None:
    result_type, other = op.results[0].type, op.operands[0].type
    if with_element(other, i1) != result_type:
        fail("failed to verify that result type has i1 element type and same shape as operands")


def _predicate(count: int) -> Rule:
    cases = ", ".join(map(str, range(count)))
    return attribute(
        "predicate",
        f"allowed 64-bit signless integer cases: {cases}",
        lambda a: isinstance(a, IntegerAttr) and cast(Any, a).type == i64 and 0 <= a.value.data < count,
    )


def _comparison(kind: Kind, count: int) -> Complete:
    return Complete(
        (
            _predicate(count),
            number_of_operands(2),
            number_of_results(1),
            operands(kind),
            results(BOOL_LIKE),
            _condition_shape,
            same_operand_types,
        )
    )


def _select_types(op: Operation) -> None:
    condition, yes, no = (value.type for value in op.operands)
    if not BOOL_LIKE.has(condition):
        fail(f"operand #0 must be bool-like, but got '{shown(condition)}'")
    if yes != op.results[0].type or no != yes:
        fail("failed to verify that all of {true_value, false_value, result} have same type")
    if condition == i1 and not isinstance(condition, TensorType | VectorType):
        return
    if _shape(condition) != _shape(yes) or not isinstance(yes, TensorType | VectorType | UnrankedTensorType):
        fail("failed to verify that condition is signless i1 or has matching shape")
    if condition != (expected := with_element(yes, i1)):
        fail(
            f"expected condition type to have the same shape as the result type, expected '{shown(expected)}', but got '{shown(condition)}'"
        )


def _constant(op: Operation) -> None:
    value, type = op.properties.get("value", op.attributes.get("value")), op.results[0].type
    if value is None:
        fail("requires attribute 'value'")
    found = getattr(value, "type", None)
    if found is None or found != type:
        fail("failed to verify that all of {value, result} have same type")
    if isinstance(element(type), IntegerType) and not is_signless(element(type)):
        fail("integer return type must be signless")
    scalable = isinstance(type, VectorType) and any(bool(flag.value.data) for flag in cast(Any, type).scalable_dims)
    if scalable and isinstance(value, DenseIntOrFPElementsAttr) and not cast(Any, value).is_splat():
        fail("initializing scalable vectors with elements attribute is not supported unless it's a vector splat")


def _two_results(overflow: bool) -> Complete:
    kinds = (operands(INTEGER_LIKE), result(0, INTEGER_LIKE), result(1, BOOL_LIKE if overflow else INTEGER_LIKE))
    return Complete((number_of_operands(2), number_of_results(2), *kinds, *(() if overflow else (same_type,)), elementwise))


INTEGERS = (
    "addi subi muli divui divsi ceildivui ceildivsi floordivsi remui remsi andi ori xori shli shrui shrsi maxsi maxui minsi minui".split()
)
FLOATS = "addf subf mulf divf remf maximumf minimumf maxnumf minnumf".split()

RULES: dict[str, tuple[Rule, ...]] = {
    f"arith.{name}": rules
    for name, rules in {
        **dict.fromkeys(INTEGERS, _binary(INTEGER_LIKE)),
        **dict.fromkeys(FLOATS, _binary(FLOAT_LIKE)),
        **CASTS,
        "negf": Complete((number_of_operands(1), number_of_results(1), operands(FLOAT_LIKE), results(FLOAT_LIKE), same_type)),
        "cmpi": _comparison(INTEGER_LIKE, 10),
        "cmpf": _comparison(FLOAT_LIKE, 16),
        "select": Complete((number_of_operands(3), number_of_results(1), _select_types)),
        "constant": Complete((number_of_operands(0), number_of_results(1), _constant)),
        "addui_extended": _two_results(overflow=True),
        "subui_extended": _two_results(overflow=True),
        "mulsi_extended": _two_results(overflow=False),
        "mului_extended": _two_results(overflow=False),
    }.items()
}


# ---- math --------------------------------------------------------------------------------------------------------------------------


def _elementwise(count: int, kind: Kind, result_kind: Kind | None = None, rule: Rule = same_type) -> Complete:
    return Complete((number_of_operands(count), number_of_results(1), operands(kind), results(result_kind or kind), rule))


def _with_integer_power(op: Operation) -> None:
    base, power = (value.type for value in op.operands)
    if op.results[0].type != base:
        fail("failed to verify that all of {lhs, result} have same type")
    if not _compatible(_shape(base), _shape(power)):
        fail("requires the same shape for all operands and results")


def _is_kind_of(op: Operation) -> None:
    if _shape(op.results[0].type) != _shape(op.operands[0].type):
        fail("failed to verify that result type has i1 element type and same shape as operands")


UNARY_FLOATS = (
    "absf acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp2 expm1 floor log log10 log1p log2 round roundeven rsqrt "
    "sin sinh sqrt tan tanh trunc"
).split()

MATH: dict[str, tuple[Rule, ...]] = {
    f"math.{name}": rules
    for name, rules in {
        **dict.fromkeys(UNARY_FLOATS, _elementwise(1, FLOAT_LIKE)),
        **dict.fromkeys(("absi", "ctlz", "cttz", "ctpop"), _elementwise(1, INTEGER_LIKE)),
        **dict.fromkeys(("atan2", "copysign", "powf"), _elementwise(2, FLOAT_LIKE)),
        "ipowi": _elementwise(2, INTEGER_LIKE),
        **dict.fromkeys(("fma", "clampf"), _elementwise(3, FLOAT_LIKE)),
        **dict.fromkeys(("isfinite", "isinf", "isnan", "isnormal"), _elementwise(1, FLOAT_LIKE, BOOL_LIKE, _is_kind_of)),
        "fpowi": Complete(
            (number_of_operands(2), number_of_results(1), operand(0, FLOAT_LIKE), operand(1, INTEGER_LIKE), _with_integer_power)
        ),
    }.items()
}
