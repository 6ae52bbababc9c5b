"""What must hold of ops of `transform` beyond their syntax, in upstream's words."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.transform.matchers import verify_matcher


def _loops_of_sizes(op: Operation) -> None:
    """A loop is made for each size that is not zero."""
    sizes = op.properties.get("tile_sizes")
    if isinstance(sizes, DenseArrayBase) and "packed_tile_sizes" not in op.properties:
        scalable = op.properties.get("scalable_tile_sizes")
        flags = cast(Any, scalable).get_values() if scalable is not None else (0,) * len(sizes)
        count = sum(bool(size or flag) for size, flag in zip(sizes.get_values(), flags, strict=True))
        if count != len(op.results) - 1:
            loops = f"number of loops to tile ({count}) to match number of `loops` results ({len(op.results) - 1})"
            raise VerifyException(f"expected {loops}")


def _integers(value: Attribute | None) -> list[int]:
    if isinstance(value, DenseArrayBase):
        return [int(number) for number in value.get_values()]
    return [cast("IntegerAttr[Any]", item).value.data for item in cast("ArrayAttr[Attribute]", value or ArrayAttr([]))]


def _interchange(op: Operation) -> None:
    order = _integers(op.properties.get("iterator_interchange"))
    if any(number < 0 for number in order):
        summary = "i64 dense array attribute whose value is non-negative"
        raise VerifyException(f"attribute 'iterator_interchange' failed to satisfy constraint: {summary}")
    if sorted(order) != list(range(len(order))):
        raise VerifyException(f"expects iterator_interchange to be a permutation, found {', '.join(map(str, order))}")


def _pad(op: Operation) -> None:
    dims, flags = _integers(op.attributes.get("padding_dimensions")), _integers(op.attributes.get("nofold_flags"))
    if any(dim < 0 for dim in dims):
        raise VerifyException(f"expects padding_dimensions to contain positive integers, found {dims}")
    if any(flag not in (0, 1) for flag in flags):
        raise VerifyException(f"expects nofold_flags to contain booleans (0/1), found {flags}")
    for order in map(_integers, cast("ArrayAttr[Attribute]", op.attributes.get("transpose_paddings", ArrayAttr([])))):
        if sorted(order) != list(range(len(order))):
            raise VerifyException(f"expects transpose_paddings to be a permutation, found {order}")


def _pack_greedily(op: Operation) -> None:
    order = _integers(op.properties.get("matmul_inner_dims_order"))
    if sorted(order) != list(range(len(order))):
        raise VerifyException("matmul_inner_dims_order is not a valid permutation")
    sizes = op.properties.get("matmul_packed_sizes")
    packed = [] if sizes is None else _integers(sizes)
    multiples = _integers(op.properties.get("matmul_padded_sizes_next_multiple_of"))
    if any(size and multiple for size, multiple in zip(packed, multiples, strict=False)):
        raise VerifyException("at most one of the packed_size and the padded_sizes_next_multiple_of can be nonzero")


def _permutations(op: Operation) -> None:
    for name in ("outer_perm", "inner_perm"):
        order = _integers(op.properties.get(name))
        if sorted(order) != list(range(len(order))):
            raise VerifyException(f'"{name}" is not a valid permutation')


def _same_results(op: Operation) -> None:
    if len(set(op.result_types)) > 1:
        raise VerifyException("expects all results type to be the same")


RULES: dict[str, Callable[[Any], None]] = {
    "transform.structured.tile_using_for": _loops_of_sizes,
    "transform.structured.interchange": _interchange,
    "transform.structured.pad": _pad,
    "transform.structured.pack_greedily": _pack_greedily,
    "transform.structured.pack_transpose": _permutations,
    "transform.structured.multitile_sizes": _same_results,
    **{
        f"transform.match.structured.{name}": verify_matcher
        for name in ("body", "dim", "input", "init", "result", "num_inputs", "num_inits", "rank", "elemental_bitwidth")
    },
}
"""What must hold beyond the syntax, by operation."""
