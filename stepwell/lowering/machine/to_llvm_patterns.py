"""Patterns of which the `convert-*-to-llvm` passes have dozens: one operation becomes one operation, elementwise on vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DenseArrayBase, VectorType, i64
from xdsl.dialects.llvm import FastMathAttr
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects import llvm
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined
from stepwell.lowering.machine.to_llvm_types import CLASSES, extract, insert, poison

NO_FLAGS = FastMathAttr(None)
Properties = Callable[[Any], dict[str, Attribute]]


def fast_math(op: Any) -> dict[str, Attribute]:
    """The flags of an operation on floats, as `llvm` has them."""
    flags = op.properties.get("fastmath")
    return {"fastmathFlags": NO_FLAGS if flags is None or not flags.data else FastMathAttr(flags.data)}


def nothing(_: Any) -> dict[str, Attribute]:
    """No properties."""
    return {}


def row_type(type: Attribute) -> tuple[list[int], Attribute]:
    """The extents of nested arrays around a 1-D vector, and that vector's type."""
    extents: list[int] = []
    while isinstance(type, llvm.LLVMArrayType):
        extents.append(type.size.data)
        type = type.type
    return extents, type


def elementwise(
    rewriter: Conversion,
    operands: Sequence[SSAValue],
    result: Attribute,
    build: Callable[[Sequence[SSAValue], Attribute], SSAValue],
) -> SSAValue:
    """Build the operation, for every row of it where vectors have become arrays of rows."""
    extents, row = row_type(result)
    if not extents:
        return build(operands, result)
    value = poison(rewriter, result)
    positions: list[list[int]] = [[]]
    for extent in extents:
        positions = [[*position, index] for position in positions for index in range(extent)]
    for position in positions:
        rows = [extract(rewriter, operand, *position) for operand in operands]
        value = insert(rewriter, value, build(rows, row), *position)
    return value


class OneToOne(ConversionPattern):
    """`arith.addf %a, %b` -> `llvm.fadd %a, %b`: a table of names."""

    def __init__(self, table: Mapping[str, str], properties: Properties = nothing) -> None:
        self.names = tuple(table)  # pyright: ignore[reportAttributeAccessIssue]
        self._table = {name: llvm_class(target) for name, target in table.items()}
        self._properties = properties

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        """One operation of the table."""
        types = rewriter.types.convert_all(result.type for result in op.results)
        if types is None:
            return Declined(f"the result type {op.results[0].type} has no converted type")
        kind, properties = self._table[op.name], self._properties(op)

        def build(values: Sequence[SSAValue], type: Attribute) -> SSAValue:
            return rewriter.create(kind, values, (type,), properties=dict(properties)).results[0]

        return (elementwise(rewriter, operands, types[0], build),)


def llvm_class(name: str) -> Any:
    """The operation of that name, of the dialect's common or rare part."""
    found = CLASSES.get(name)
    if found is None:
        from stepwell.dialects.llvm.rare import OPS

        CLASSES.update({op.name: op for op in OPS})
        found = CLASSES[name]
    return found


def position(*indices: int) -> dict[str, Attribute]:
    """The property of `extractvalue` and `insertvalue`."""
    return {"position": DenseArrayBase.from_list(i64, indices)}


def is_vector(type: Attribute) -> bool:
    """Whether a type is a vector."""
    return isinstance(type, VectorType)


def width_of(type: Attribute) -> int:
    """The bits of the elements of a type that was converted."""
    _, row = row_type(type)
    element = cast(Any, row).element_type if isinstance(row, VectorType) else row
    return cast(Any, element).bitwidth
