"""The `llvm.intr.*` ops that read or write memory."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import (
    BoolAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    i1,
)
from xdsl.dialects.llvm import LLVMPointerType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import element_of, shape_of

PointerVector = VectorType.constr(LLVMPointerType)


def _i32(value: int) -> IntegerAttr[Any]:
    return IntegerAttr(value, IntegerType(32))


def _verify_masked(op: IRDLOperation, row: Attribute, *others: Attribute) -> None:
    """Raise VerifyException unless `row` is a vector, the first of the others is its mask and the rest have its length."""
    lengths = {shape_of(type) for type in (row, *others)}
    if len(lengths) != 1 or None in lengths or element_of(others[0]) != i1:
        raise VerifyException("has operands of unequal lengths or a mask that is not of i1")


@irdl_op_definition
class MaskedLoadOp(IRDLOperation):
    """`%v = llvm.intr.masked.load %p, %mask, %pass {alignment = 4 : i32} : (!llvm.ptr, vector<16xi1>, vector<16xf32>) -> vector<16xf32>`"""

    name = "llvm.intr.masked.load"

    data = operand_def(LLVMPointerType)
    mask = operand_def(VectorType)
    pass_thru = opt_operand_def(VectorType)
    res = result_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "operands attr-dict `:` functional-type(operands, results)"

    def __init__(self, data: SSAValue, mask: SSAValue, pass_thru: SSAValue, alignment: int) -> None:
        super().__init__(operands=[data, mask, pass_thru], result_types=[pass_thru.type], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.res.type, *self.operand_types[1:])
        if self.pass_thru is not None and self.pass_thru.type != self.res.type:
            raise VerifyException(f"gives {self.res.type} and passes {self.pass_thru.type} through")


@irdl_op_definition
class MaskedStoreOp(IRDLOperation):
    """`llvm.intr.masked.store %v, %p, %mask {alignment = 4 : i32} : vector<16xf32>, vector<16xi1> into !llvm.ptr`"""

    name = "llvm.intr.masked.store"

    value = operand_def(VectorType)
    data = operand_def(LLVMPointerType)
    mask = operand_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `,` $data `,` $mask attr-dict `:` type($value) `,` type($mask) `into` type($data)"

    def __init__(self, value: SSAValue, data: SSAValue, mask: SSAValue, alignment: int) -> None:
        super().__init__(operands=[value, data, mask], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.value.type, self.mask.type)


@irdl_op_definition
class MaskedGatherOp(IRDLOperation):
    """`%v = llvm.intr.masked.gather %ps, %mask, %pass {alignment = 4 : i32} : (vector<4x!llvm.ptr>, ...) -> vector<4xf32>`"""

    name = "llvm.intr.masked.gather"

    ptrs = operand_def(PointerVector)
    mask = operand_def(VectorType)
    pass_thru = opt_operand_def(VectorType)
    res = result_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "operands attr-dict `:` functional-type(operands, results)"

    def __init__(self, ptrs: SSAValue, mask: SSAValue, pass_thru: SSAValue, alignment: int) -> None:
        super().__init__(operands=[ptrs, mask, pass_thru], result_types=[pass_thru.type], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.res.type, *self.operand_types[1:], self.ptrs.type)


@irdl_op_definition
class MaskedScatterOp(IRDLOperation):
    """`llvm.intr.masked.scatter %v, %ps, %mask {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into vector<4x!llvm.ptr>`"""

    name = "llvm.intr.masked.scatter"

    value = operand_def(VectorType)
    ptrs = operand_def(PointerVector)
    mask = operand_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `,` $ptrs `,` $mask attr-dict `:` type($value) `,` type($mask) `into` type($ptrs)"

    def __init__(self, value: SSAValue, ptrs: SSAValue, mask: SSAValue, alignment: int) -> None:
        super().__init__(operands=[value, ptrs, mask], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.value.type, self.mask.type, self.ptrs.type)


@irdl_op_definition
class PrefetchOp(IRDLOperation):
    """Asks for a cache line: `rw` 1 to write, `hint` 0 to 3 (3: keep close), `cache` 1 for data. Upstream prints the generic form."""

    name = "llvm.intr.prefetch"

    addr = operand_def(LLVMPointerType)
    rw = prop_def(IntegerAttr)
    hint = prop_def(IntegerAttr)
    cache = prop_def(IntegerAttr)

    def __init__(self, addr: SSAValue, *, rw: int = 0, hint: int = 3, cache: int = 1) -> None:
        super().__init__(operands=[addr], properties={"rw": _i32(rw), "hint": _i32(hint), "cache": _i32(cache)})


@irdl_op_definition
class MemcpyOp(IRDLOperation):
    """Copies bytes between disjoint buffers. Upstream prints the generic form."""

    name = "llvm.intr.memcpy"

    dst = operand_def(LLVMPointerType)
    src = operand_def(LLVMPointerType)
    len = operand_def(IntegerType)
    isVolatile = prop_def(BoolAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, dst: SSAValue, src: SSAValue, len: SSAValue) -> None:
        super().__init__(operands=[dst, src, len], properties={"isVolatile": BoolAttr.from_bool(False)})


@irdl_op_definition
class MemsetOp(IRDLOperation):
    """Fills bytes. Upstream prints the generic form."""

    name = "llvm.intr.memset"

    dst = operand_def(LLVMPointerType)
    val = operand_def(IntegerType(8))
    len = operand_def(IntegerType)
    isVolatile = prop_def(BoolAttr)
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, dst: SSAValue, val: SSAValue, len: SSAValue) -> None:
        super().__init__(operands=[dst, val, len], properties={"isVolatile": BoolAttr.from_bool(False)})
