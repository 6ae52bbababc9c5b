"""Types and attributes of the rare part of `gpu`, and the kinds of types that its rows name."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    MemRefType,
    VectorType,
)
from xdsl.dialects.gpu import AsyncTokenType
from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.traits import Pure

from stepwell.dialects.attr_table import Item, body, enumeration
from stepwell.dialects.op_table.rows import FIXED_TYPES, KINDS
from stepwell.ir.rules import Kind, is_float, is_signless, width

TOKEN = AsyncTokenType()
FIXED_INDEX = IndexType()
PURE = (Pure(),)

# ---- types and attributes -----------------------------------------------------------------------------------------------------------


@irdl_attr_definition
class MMAMatrixType(Data[tuple[tuple[int, int], Attribute, str]], TypeAttribute):
    """`!gpu.mma_matrix<16x16xf16, "AOp">`: a matrix that a subgroup holds."""

    name = "gpu.mma_matrix"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[tuple[int, int], Attribute, str]:
        with parser.in_angle_brackets():
            shape: list[int] = []
            while (extent := parser.parse_optional_integer(allow_boolean=False, allow_negative=False)) is not None:
                shape.append(extent)
                parser.parse_shape_delimiter()
            element = parser.parse_type()
            parser.parse_punctuation(",")
            operand = parser.parse_str_literal()
            if len(shape) != 2:
                parser.raise_error("MMAMatrixType must have exactly two dimensions")
            fits = isinstance(element, (Float16Type, Float32Type, Float64Type)) or width(element) in (8, 32)
            if not fits or (width(element) == 8 and is_signless(element)):
                parser.raise_error("MMAMatrixType elements must be SI8, UI8, I32, F16, F32, or F64")
            if operand not in ("AOp", "BOp", "COp"):
                parser.raise_error("operand expected to be one of AOp, BOp or COp")
        return (shape[0], shape[1]), element, operand

    def print_parameter(self, printer: Printer) -> None:
        (rows, columns), element, operand = self.data
        printer.print_string(f"<{rows}x{columns}x")
        printer.print_attribute(element)
        printer.print_string(f', "{operand}">')


def _handle(name: str) -> type[ParametrizedAttribute]:
    fields = {"name": f"gpu.{name}", "__doc__": f"`!gpu.{name}`"}
    return irdl_attr_definition(type(name.replace(".", "_"), (ParametrizedAttribute, TypeAttribute), fields))


NamedBarrierType = _handle("named_barrier")
HANDLES = {name: _handle(f"sparse.{name}") for name in ("dntensor_handle", "spmat_handle", "spgemmop_handle")}


def _check_table(parser: AttrParser, items: tuple[Item, ...]) -> None:
    names = [str(item.data[0]) for item in items if isinstance(item, Data) and item.name == "gpu.kernel_metadata" and item.data]
    if len(set(names)) != len(names):
        parser.raise_error("expected all kernels to be uniquely named")


REDUCTIONS = "add mul minui minsi minnumf maxui maxsi maxnumf and or xor minimumf maximumf"
ELEMENTWISE = "addf mulf subf maxf minf divf addi muli subi divs divu negatef negates extf truncf"
ATTRIBUTES: list[type[Attribute]] = [
    enumeration("gpu.all_reduce_op", REDUCTIONS, spaced=True, label="::mlir::gpu::AllReduceOperation"),
    enumeration("gpu.shuffle_mode", "xor down up idx", spaced=True, label="::mlir::gpu::ShuffleMode"),
    enumeration("gpu.mma_element_wise", ELEMENTWISE, spaced=True, label="::mlir::gpu::MMAElementwiseOp"),
    enumeration("gpu.prune_2to4_spmat_flag", "NONE PRUNE_ONLY PRUNE_AND_CHECK", spaced=True),
    enumeration("gpu.mat_transpose_mode", "NON_TRANSPOSE TRANSPOSE CONJUGATE_TRANSPOSE", spaced=True),
    enumeration("gpu.spgemm_work_estimation_or_compute_kind", "WORK_ESTIMATION COMPUTE", spaced=True),
    enumeration("gpu.broadcast_type", "first_active_lane any_lane specific_lane", spaced=True),
    enumeration("gpu.barrier_scope", "workgroup cluster subgroup", label="::mlir::gpu::BarrierScope"),
    body("gpu.object"),
    body("gpu.select_object"),
    body("gpu.kernel_metadata"),
    body("gpu.kernel_table", _check_table),
    MMAMatrixType,
    NamedBarrierType,
    *HANDLES.values(),
]

# ---- kinds of types -----------------------------------------------------------------------------------------------------------------


def _number(type: Attribute) -> bool:
    return is_float(type) or is_signless(type)


def _number_or_vector(type: Attribute) -> bool:
    if isinstance(type, VectorType):
        return type.get_num_dims() == 1 and not type.get_num_scalable_dims() and _number(cast(Attribute, type.element_type))
    return _number(type)


def _mma_memref(type: Attribute) -> bool:
    if not isinstance(type, MemRefType):
        return False
    held = cast("MemRefType[Any]", type).element_type
    if isinstance(held, VectorType):
        return held.get_num_dims() == 1 and _is_matrix_element(held.element_type)
    return _is_matrix_element(held)


def _is_matrix_element(type: Attribute) -> bool:
    return isinstance(type, (Float16Type, Float32Type, Float64Type)) or (is_signless(type) and width(type) in (8, 32))


_ELEMENTS = "8-bit signless integer or 32-bit signless integer or 16-bit float or 32-bit float or 64-bit float"
KINDS.update(
    {
        "number": Kind("Integer or Float", _number),
        "numbers": Kind("Integer or Float or fixed-length vector of Integer or Float values of ranks 1", _number_or_vector),
        "matrix": Kind("MMAMatrix type", lambda t: isinstance(t, MMAMatrixType)),
        "mmamemref": Kind(f"memref of {_ELEMENTS} or vector of {_ELEMENTS} values of ranks 1 values", _mma_memref),
        "bytes1d": Kind(
            "1D memref of 8-bit signless integer values",
            lambda t: isinstance(t, MemRefType) and len(t.get_shape()) == 1 and width(cast("MemRefType[Any]", t).element_type) == 8,
        ),
        "namedbarrier": Kind("named barrier type", lambda t: t.name == "gpu.named_barrier"),
        "signless": Kind("signless integer", is_signless),
        "gputoken": Kind("async token type", lambda t: isinstance(t, AsyncTokenType)),
        **{name: Kind(f"{name} type", lambda t, cls=cls: isinstance(t, cls)) for name, cls in HANDLES.items()},
    }
)
FIXED_TYPES.update({"namedbarrier": NamedBarrierType(), "gputoken": TOKEN, **{name: cls() for name, cls in HANDLES.items()}})
