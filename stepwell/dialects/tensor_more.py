"""`tensor`, second part: `parallel_insert_slice`, `rank`, `scatter`, and `reshape` also of tensors of unknown rank."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, TensorType, UnitAttr, UnrankedTensorType, i64
from xdsl.dialects.utils import DynamicIndexList
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    BaseAttr,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import IntegerList, describe, element_of, is_rank_reduction, mixed, require

AnyTensor = BaseAttr(TensorType) | BaseAttr(UnrankedTensorType)
Tensor = TensorType[Any]


def _element(type: Attribute) -> Attribute:
    return cast("Any", type).element_type


@irdl_op_definition
class ParallelInsertSliceOp(IRDLOperation):
    """A thread's part of a shared result, inside `scf.forall.in_parallel`.

    ```mlir
    tensor.parallel_insert_slice %part into %shared[%i, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<?x8xf32>
    ```
    """

    name = "tensor.parallel_insert_slice"

    source = operand_def(TensorType)
    dest = operand_def(TensorType)
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `into` $dest `` custom<DynamicIndexList>($offsets, $static_offsets) custom<DynamicIndexList>($sizes, $static_sizes)"
        "custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($source) `into` type($dest)"
    )

    def mixed_offsets(self) -> list[int | SSAValue]:
        return mixed(self.static_offsets, self.offsets)

    def mixed_sizes(self) -> list[int | SSAValue]:
        return mixed(self.static_sizes, self.sizes)

    def mixed_strides(self) -> list[int | SSAValue]:
        return mixed(self.static_strides, self.strides)

    def verify_(self) -> None:
        source, dest = cast(Tensor, self.source.type), cast(Tensor, self.dest.type)
        sizes = self.static_sizes.get_values()
        if not len(self.static_offsets) == len(sizes) == len(self.static_strides) == dest.get_num_dims():
            raise VerifyException(f"has {len(sizes)} sizes for a tensor of rank {dest.get_num_dims()}")
        if source.element_type != dest.element_type or not is_rank_reduction(sizes, source.get_shape()):
            raise VerifyException(f"has a slice of type {source} where sizes are {describe(sizes)}")


@irdl_op_definition
class RankOp(IRDLOperation):
    """`tensor.rank %t : tensor<*xf32>`"""

    name = "tensor.rank"

    tensor = operand_def(AnyTensor)
    result = result_def(IndexType)
    traits = traits_def(Pure())
    assembly_format = "$tensor attr-dict `:` type($tensor)"


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements in the shape that a tensor of integers says.

    `tensor.reshape %t(%shape) : (tensor<?xf32>, tensor<2xi32>) -> tensor<?x?xf32>`
    """

    name = "tensor.reshape"

    source = operand_def(AnyTensor)
    shape = operand_def(TensorType)
    result = result_def(AnyTensor)
    traits = traits_def(Pure())
    assembly_format = "$source `(` $shape `)` attr-dict `:` functional-type(operands, results)"

    def __init__(self, source: SSAValue, shape: SSAValue, result_type: Attribute) -> None:
        super().__init__(operands=[source, shape], result_types=[result_type])

    def verify_(self) -> None:
        source, shape, result = self.source.type, cast(Tensor, self.shape.type), self.result.type
        if _element(source) != _element(result):
            raise VerifyException("element types of source and destination tensor types should be the same")
        if shape.get_num_dims() != 1:
            raise VerifyException(f"takes a shape of one dimension, not {shape}")
        extent = shape.get_shape()[0]
        if isinstance(result, UnrankedTensorType):
            return
        sizes = cast(Tensor, result).get_shape()
        if extent == DYNAMIC_INDEX:
            raise VerifyException("cannot use shape operand with dynamic length to reshape to statically-ranked tensor type")
        if extent != len(sizes):
            raise VerifyException("length of shape operand differs from the result's tensor rank")
        if isinstance(source, TensorType):
            before = cast(Tensor, source).get_shape()
            if DYNAMIC_INDEX not in before and DYNAMIC_INDEX not in sizes and prod(before) != prod(sizes):
                raise VerifyException("source and destination tensor should have the same number of elements")


@irdl_op_definition
class ScatterOp(IRDLOperation):
    """A tensor with slices replaced where rows of `indices` say.

    ```mlir
    %r = tensor.scatter %parts into %t[%rows] scatter_dims([0]) unique : (tensor<2x4xf32>, tensor<8x4xf32>, tensor<2x1xindex>)
      -> tensor<8x4xf32>
    ```
    """

    name = "tensor.scatter"

    source = operand_def(TensorType)
    dest = operand_def(TensorType)
    indices = operand_def(TensorType)
    scatter_dims = prop_def(DenseArrayBase.constr(i64))
    unique = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    custom_directives = (IntegerList,)
    assembly_format = (
        "$source `into` $dest `[` $indices `]` `scatter_dims` `(` custom<IntegerList>($scatter_dims) `)` (`unique` $unique^)?"
        "attr-dict `:` functional-type(operands, results)"
    )

    def verify_(self) -> None:
        dims = list(self.scatter_dims.get_values())
        dest, indices = cast(Tensor, self.dest.type), cast(Tensor, self.indices.type)
        require(self.unique is not None, "requires 'unique' attribute to be set")
        if not dims:
            raise VerifyException("scatter_dims must be non-empty")
        if len(dims) > dest.get_num_dims():
            raise VerifyException("scatter_dims overflow destination rank")
        if min(dims) < 0:
            raise VerifyException("scatter_dims value must be non-negative")
        if max(dims) >= dest.get_num_dims():
            raise VerifyException("scatter_dims value must be smaller than destination rank")
        if any(a >= b for a, b in pairwise(dims)):
            raise VerifyException("scatter_dims values must be strictly increasing")
        batch = indices.get_shape()[:-1]
        full = tuple(1 if dim in dims else size for dim, size in enumerate(dest.get_shape()))
        reduced = tuple(size for dim, size in enumerate(dest.get_shape()) if dim not in dims)
        if cast(Tensor, self.source.type).get_shape() not in ((*batch, *full), (*batch, *reduced)):
            raise VerifyException(f"source type mismatch: expected {describe((*batch, *full))} or its rank-reduced variant")
        if self.result.type != dest or element_of(self.source.type) != dest.element_type:
            raise VerifyException(f"puts {self.source.type} into {dest} and gives {self.result.type}")


RARE: tuple[list[type[Operation]], list[type[Attribute]]] = ([ParallelInsertSliceOp, RankOp, ScatterOp], [])
