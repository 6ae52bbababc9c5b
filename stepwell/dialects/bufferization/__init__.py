"""`bufferization`: the border between tensors and memrefs. Upstream's dialect, defined here in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects import bufferization as shipped
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, MemRefType, TensorType, UnitAttr, UnrankedMemRefType, UnrankedTensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    BaseAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import (
    EffectInstance,
    MemoryAllocEffect,
    MemoryEffect,
    MemoryEffectKind,
    MemoryFreeEffect,
    MemoryReadEffect,
    MemoryWriteEffect,
    NoMemoryEffect,
)
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import compatible_shapes, element_of, replace_ops, require

AnyTensor = BaseAttr(TensorType) | BaseAttr(UnrankedTensorType)
AnyMemRef = BaseAttr(MemRefType) | BaseAttr(UnrankedMemRefType)


def _verify_types(tensor: Attribute, buffer: Attribute) -> None:
    """A tensor and a buffer of the same shape and elements."""
    ranked = isinstance(tensor, TensorType), isinstance(buffer, MemRefType)
    a, b = cast("Any", tensor), cast("Any", buffer)
    if ranked[0] != ranked[1] or (ranked[0] and a.get_shape() != b.get_shape()):
        raise VerifyException("failed to verify that specified tensor and buffer types match: shapes do not match")
    if a.element_type != b.element_type:
        raise VerifyException("failed to verify that specified tensor and buffer types match: element types do not match")


@irdl_op_definition
class ToBufferOp(IRDLOperation):
    """The buffer that a tensor will stand in; `read_only` promises that nobody writes to it.

    ```mlir
    %b = bufferization.to_buffer %t read_only : tensor<?x?xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
    ```
    """

    name = "bufferization.to_buffer"

    tensor = operand_def(AnyTensor)
    memref = result_def(AnyMemRef)
    read_only = opt_prop_def(UnitAttr)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$tensor (`read_only` $read_only^)? attr-dict `:` type($tensor) `to` type($memref)"

    def verify_(self) -> None:
        _verify_types(self.tensor.type, self.memref.type)


@irdl_op_definition
class ToTensorOp(IRDLOperation):
    """The tensor that stands in a buffer; `restrict` promises that nothing else does, `writable` that it may be overwritten.

    ```mlir
    %t = bufferization.to_tensor %b restrict writable : memref<?x?xf32, strided<[?, 1], offset: ?>> to tensor<?x?xf32>
    ```
    """

    name = "bufferization.to_tensor"

    memref = operand_def(AnyMemRef)
    tensor = result_def(AnyTensor)
    restrict = opt_prop_def(UnitAttr)
    writable = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$memref (`restrict` $restrict^)? (`writable` $writable^)? attr-dict `:` type($memref) `to` type($tensor)"

    def verify_(self) -> None:
        _verify_types(self.tensor.type, self.memref.type)


@irdl_op_definition
class AllocTensorOp(IRDLOperation):
    """A tensor that will get a buffer of its own, a copy of another one or without contents.

    ```mlir
    %t = bufferization.alloc_tensor(%n) : tensor<?x4xf32>
    %u = bufferization.alloc_tensor() copy(%t) : tensor<?x4xf32>
    ```
    """

    name = "bufferization.alloc_tensor"

    T: ClassVar = VarConstraint("T", AnyTensor)
    dynamic_sizes = var_operand_def(IndexType)
    copy = opt_operand_def(T)
    size_hint = opt_operand_def(IndexType)
    memory_space = opt_prop_def(Attribute)
    tensor = result_def(T)

    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(MemoryAllocEffect())
    assembly_format = "`(` $dynamic_sizes `)` ( `copy` `(` $copy^ `)`)? (`size_hint` `=` $size_hint^)? attr-dict `:` type($tensor)"

    def __init__(self, type: Attribute, dynamic_sizes: Sequence[SSAValue] = (), copy: SSAValue | None = None) -> None:
        super().__init__(operands=(dynamic_sizes, copy, None), result_types=(type,))

    def verify_(self) -> None:
        if self.copy is not None and self.dynamic_sizes:
            raise VerifyException("dynamic sizes not needed when copying a tensor")
        shape = cast("TensorType[Any]", self.tensor.type).get_shape() if isinstance(self.tensor.type, TensorType) else ()
        expected = shape.count(DYNAMIC_INDEX)
        if self.copy is None and len(self.dynamic_sizes) != expected:
            raise VerifyException(f"incorrect number of dynamic sizes, has {len(self.dynamic_sizes)}, expected {expected}")


@irdl_op_definition
class DeallocTensorOp(IRDLOperation):
    """The end of a tensor's life: `bufferization.dealloc_tensor %t : tensor<?xf32>`."""

    name = "bufferization.dealloc_tensor"

    tensor = operand_def(AnyTensor)
    traits = traits_def(MemoryFreeEffect())
    assembly_format = "$tensor attr-dict `:` type($tensor)"


class _AllocatesAndReads(MemoryEffect):
    """What a clone does: it reads its operand and allocates its result."""

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        result = op.results[0]
        return {
            EffectInstance(MemoryEffectKind.READ, op.operands[0]),
            EffectInstance(MemoryEffectKind.ALLOC, result),
            EffectInstance(MemoryEffectKind.WRITE, result),
        }


@irdl_op_definition
class CloneOp(IRDLOperation):
    """A buffer with the same contents, perhaps the same: `bufferization.clone %b : memref<?xf32> to memref<?xf32>`."""

    name = "bufferization.clone"

    input = operand_def(AnyMemRef)
    output = result_def(AnyMemRef)
    traits = traits_def(_AllocatesAndReads())
    assembly_format = "$input attr-dict `:` type($input) `to` type($output)"

    def __init__(self, input: SSAValue | Operation, output_type: Attribute | None = None) -> None:
        super().__init__(operands=(input,), result_types=(output_type or SSAValue.get(input).type,))


@irdl_op_definition
class MaterializeInDestinationOp(IRDLOperation):
    """A tensor that shall stand in a certain buffer.

    ```mlir
    %r = bufferization.materialize_in_destination %t in %dest : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    bufferization.materialize_in_destination %t in restrict writable %buffer : (tensor<?xf32>, memref<?xf32>) -> ()
    ```
    """

    name = "bufferization.materialize_in_destination"

    source = operand_def(AnyTensor)
    dest = operand_def()
    result = opt_result_def(AnyTensor)
    restrict = opt_prop_def(UnitAttr)
    writable = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$source `in` (`restrict` $restrict^)? (`writable` $writable^)? $dest attr-dict `:` functional-type(operands, results)"
    )

    def verify_(self) -> None:
        dest: Any = self.dest.type
        source: Any = self.source.type
        to_tensor = isinstance(self.dest.type, (TensorType, UnrankedTensorType))
        require(to_tensor or isinstance(dest, (MemRefType, UnrankedMemRefType)), "'dest' must be a tensor or a memref")
        if to_tensor:
            if self.result is None:
                raise VerifyException("tensor 'dest' implies exactly one tensor result")
            require(self.result.type == dest, "result and 'dest' types must match")
        else:
            require(self.result is None, "memref 'dest' implies zero results")
        require(self.restrict is None or not to_tensor, "'restrict' is valid only for memref destinations")
        require((self.writable is not None) != to_tensor, "'writable' must be specified if and only if the destination is of memref type")
        if not isinstance(self.source.type, TensorType) or not isinstance(dest, (TensorType, MemRefType)):
            return
        a, b = source.get_shape(), cast("Any", dest).get_shape()
        if len(a) != len(b):
            raise VerifyException(f"source rank ({len(a)}) does not match destination rank ({len(b)})")
        require(compatible_shapes(a, b), "source/destination shapes are incompatible")
        require(element_of(source) == element_of(self.dest.type), "source/destination element types are incompatible")


Bufferization = replace_ops(
    shipped.Bufferization, [ToBufferOp, ToTensorOp, AllocTensorOp, DeallocTensorOp, CloneOp, MaterializeInDestinationOp]
)
