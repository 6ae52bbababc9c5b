"""`bufferization`: the border between tensors and memrefs.

Upstream's dialect; ours are the ops that xDSL allows for memrefs without a layout only.
"""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects import bufferization as shipped
from xdsl.dialects.bufferization import AllocTensorOp as AllocTensorOp
from xdsl.dialects.bufferization import CloneOp as CloneOp
from xdsl.dialects.bufferization import MaterializeInDestinationOp as MaterializeInDestinationOp
from xdsl.dialects.builtin import MemRefType, TensorType, UnitAttr
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import replace_ops


@irdl_op_definition
class ToBufferOp(IRDLOperation):
    """The buffer that a tensor will stand in; `read_only` promises that nobody writes to it.

    ```mlir
    %b = bufferization.to_buffer %t read_only : tensor<?x?xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
    ```
    """

    name = "bufferization.to_buffer"

    tensor = operand_def(TensorType)
    memref = result_def(MemRefType)
    read_only = opt_prop_def(UnitAttr)
    assembly_format = "$tensor (`read_only` $read_only^)? attr-dict `:` type($tensor) `to` type($memref)"

    def verify_(self) -> None:
        _verify(self.name, cast(TensorType[Any], self.tensor.type), cast(MemRefType[Any], self.memref.type))


@irdl_op_definition
class ToTensorOp(IRDLOperation):
    """The tensor that stands in a buffer; `restrict` promises that nothing else does, `writable` that it may be overwritten.

    ```mlir
    %t = bufferization.to_tensor %b restrict writable : memref<?x?xf32, strided<[?, 1], offset: ?>> to tensor<?x?xf32>
    ```
    """

    name = "bufferization.to_tensor"

    memref = operand_def(MemRefType)
    tensor = result_def(TensorType)
    restrict = opt_prop_def(UnitAttr)
    writable = opt_prop_def(UnitAttr)
    assembly_format = "$memref (`restrict` $restrict^)? (`writable` $writable^)? attr-dict `:` type($memref) `to` type($tensor)"

    def verify_(self) -> None:
        _verify(self.name, cast(TensorType[Any], self.tensor.type), cast(MemRefType[Any], self.memref.type))


def _verify(name: str, tensor: TensorType[Any], memref: MemRefType[Any]) -> None:
    if (tensor.get_shape(), tensor.element_type) != (memref.get_shape(), memref.element_type):
        raise VerifyException(f"stands between {tensor} and {memref}")


Bufferization = replace_ops(shipped.Bufferization, [ToBufferOp, ToTensorOp])
