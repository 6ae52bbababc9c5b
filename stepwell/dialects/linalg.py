"""`linalg`: computations on whole tensors or memrefs as an iteration space, indexing maps and a scalar body. Upstream's dialect.

Ours know their effects (none on tensors, so that dead ones go away) and verify what they yield. `pack` and `unpack` xDSL does not have. The
other named ops stand in `linalg_table` and load when they are met.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import linalg as shipped
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    AnyTensorType,
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    ShapedType,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.dialects.linalg import ops as shipped_ops
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation as LinalgStructuredOperation
from xdsl.dialects.linalg.abstract_ops import NamedOperation as NamedOperation
from xdsl.dialects.linalg.attrs import IteratorType as IteratorType
from xdsl.dialects.linalg.attrs import IteratorTypeAttr as IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp as YieldOp
from xdsl.dialects.utils import DynamicIndexList, split_dynamic_index_list, verify_dynamic_index_list
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, HasParent, MemoryEffect, MemoryEffectKind, Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine_maps import INDEX
from stepwell.dialects.support import IntegerList, describe, element_of, mixed, replace_ops, without

PARALLEL = IteratorTypeAttr(IteratorType.PARALLEL)
REDUCTION = IteratorTypeAttr(IteratorType.REDUCTION)

_NOTHING: frozenset[EffectInstance] = frozenset()
_READ_AND_WRITE = frozenset({EffectInstance(MemoryEffectKind.READ), EffectInstance(MemoryEffectKind.WRITE)})


class StructuredEffect(MemoryEffect):
    """Reads and writes memory where an operand is a memref; free of effects on tensors."""

    @classmethod
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance]:
        return _READ_AND_WRITE if any(isinstance(operand.type, MemRefType) for operand in op.operands) else _NOTHING


def _tensor_types(values: Sequence[SSAValue]) -> list[Attribute]:
    types: list[Attribute] = [value.type for value in values]
    return [type for type in types if isinstance(type, TensorType)]


def verify_results(op: Operation, outputs: Sequence[SSAValue]) -> None:
    """Raise VerifyException unless the results are the outputs that are tensors."""
    if list(op.result_types) != _tensor_types(outputs):
        raise VerifyException("has results that are not of the types of its tensor outputs")


# ---- generic --------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class GenericOp(LinalgStructuredOperation):
    """Any computation: for each point of the iteration space the body, on the elements that the maps name.

    ```mlir
    %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<?x?xf32>, tensor<?x?xf32>) outs(%z : tensor<?x?xf32>) attrs = {stage = "mm", loops = ["m", "n", "k"]} {
    ^bb0(%a: f32, %b: f32, %c: f32):
      ...
      linalg.yield %s : f32
    } -> tensor<?x?xf32>
    ```
    """

    name = "linalg.generic"

    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])
    iterator_types = prop_def(ArrayAttr[IteratorTypeAttr])
    doc = opt_prop_def(StringAttr)
    library_call = opt_prop_def(StringAttr)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(StructuredEffect())

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        outputs: Sequence[SSAValue],
        body: Region,
        indexing_maps: Sequence[AffineMapAttr] | ArrayAttr[AffineMapAttr],
        iterator_types: Sequence[IteratorTypeAttr] | ArrayAttr[IteratorTypeAttr],
        result_types: Sequence[Attribute] | None = None,
        doc: StringAttr | None = None,
        library_call: StringAttr | None = None,
    ) -> None:
        """`result_types=None`: those of the outputs that are tensors."""
        super().__init__(
            operands=[inputs, outputs],
            result_types=[_tensor_types(outputs) if result_types is None else result_types],
            properties={
                "indexing_maps": ArrayAttr(indexing_maps),
                "iterator_types": ArrayAttr(iterator_types),
                "doc": doc,
                "library_call": library_call,
            },
            regions=[body],
        )

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return self.indexing_maps

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return self.iterator_types

    def verify_(self) -> None:
        super().verify_()
        verify_results(self, self.outputs)
        last = self.body.block.last_op
        expected = tuple(element_of(type) for type in self.outputs.types)
        if not isinstance(last, YieldOp) or tuple(last.operand_types) != expected:
            raise VerifyException(f"must yield {', '.join(str(t) for t in expected)}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        trait = parse_trait(parser)
        maps, iterators = trait.pop("indexing_maps", None), trait.pop("iterator_types", None)
        if not isinstance(maps, ArrayAttr) or not isinstance(iterators, ArrayAttr):
            parser.raise_error("expected indexing_maps and iterator_types", start)
        names = cast(ArrayAttr[Any], iterators)
        try:
            types = [name if isinstance(name, IteratorTypeAttr) else IteratorTypeAttr(IteratorType(name.data)) for name in names]
        except ValueError as error:
            parser.raise_error(str(error), start)
        inputs = parse_operands(parser, "ins")
        outputs = parse_operands(parser, "outs")
        attributes: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("attrs"):
            parser.parse_punctuation("=")
            attributes = parser.expect(parser.parse_optional_attr_dict, "expected attributes")
        body = parser.parse_region()
        op = cls(
            inputs,
            outputs,
            body,
            cast(ArrayAttr[AffineMapAttr], maps),
            types,
            parse_result_types(parser),
            cast(StringAttr | None, trait.pop("doc", None)),
            cast(StringAttr | None, trait.pop("library_call", None)),
        )
        op.attributes |= trait | attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" {indexing_maps = ")
        printer.print_attribute(self.indexing_maps)
        printer.print_string(", iterator_types = [")
        printer.print_list(self.iterator_types, lambda iterator: printer.print_string_literal(iterator.data))
        printer.print_string("]")
        for name in ("doc", "library_call"):
            if name in self.properties:
                printer.print_string(f", {name} = ")
                printer.print_attribute(self.properties[name])
        printer.print_string("}")
        print_operands(printer, "ins", self.inputs)
        print_operands(printer, "outs", self.outputs)
        if self.attributes:
            printer.print_string(" attrs =")
            printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_region(self.body)
        print_result_types(printer, self.result_types)


def parse_trait(parser: Parser) -> dict[str, Attribute]:
    """`{...}`, or the alias of a dictionary."""
    trait = parser.parse_optional_attribute()
    return dict(trait.data) if isinstance(trait, DictionaryAttr) else {}


def parse_operands(parser: Parser, keyword: str) -> Sequence[SSAValue]:
    """`ins(%a, %b : type, type)`, or nothing."""
    start = parser.pos
    if not parser.parse_optional_keyword(keyword):
        return ()
    with parser.in_parens():
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    return parser.resolve_operands(operands, types, start)


def print_operands(printer: Printer, keyword: str, operands: Sequence[SSAValue]) -> None:
    if not operands:
        return
    printer.print_string(f" {keyword}")
    with printer.in_parens():
        printer.print_list(operands, printer.print_ssa_value)
        printer.print_string(" : ")
        printer.print_list([operand.type for operand in operands], printer.print_attribute)


def parse_result_types(parser: Parser) -> Sequence[Attribute]:
    """`-> type`, `-> (type, type)`, or nothing."""
    if not parser.parse_optional_punctuation("->"):
        return ()
    types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
    return [parser.parse_type()] if types is None else types


def print_result_types(printer: Printer, types: Sequence[Attribute]) -> None:
    if not types:
        return
    printer.print_string(" -> ")
    if len(types) == 1:
        printer.print_attribute(types[0])
    else:
        with printer.in_parens():
            printer.print_list(types, printer.print_attribute)


@irdl_op_definition
class IndexOp(IRDLOperation):
    """The position of the point in one dimension of the iteration space: `%i = linalg.index 0 : index`."""

    name = "linalg.index"

    dim = prop_def(IntegerAttr)
    result = result_def(IndexType())
    traits = traits_def(HasParent(GenericOp), Pure())

    def __init__(self, dim: int) -> None:
        super().__init__(properties={"dim": IntegerAttr(dim, i64)}, result_types=[INDEX])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        dim = parser.parse_integer(allow_boolean=False)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        parser.parse_type()
        op = cls(dim)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.dim.value.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : index")

    def verify_(self) -> None:
        generic = self.parent_op()
        if isinstance(generic, GenericOp) and not 0 <= self.dim.value.data < len(generic.iterator_types):
            raise VerifyException(f"of dimension {self.dim.value.data} in {len(generic.iterator_types)} loops")


# ---- named ops: xDSL's, with effects. Every field is said again because that is how IRDL inherits. --------------------------------

AnyBuffer = base(MemRefType) | base(AnyTensorType)


@irdl_op_definition
class FillOp(shipped_ops.FillOp):
    """`%r = linalg.fill ins(%c : f32) outs(%t : tensor<4xf32>) -> tensor<4xf32>`"""

    name = "linalg.fill"
    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    traits = traits_def(StructuredEffect())

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        outputs: Sequence[SSAValue],
        res: Sequence[Attribute] | None = None,
        attributes: dict[str, Attribute] | None = None,
    ) -> None:
        NamedOperation.__init__(
            self,
            ins=inputs,
            outs=outputs,
            result_types=[_tensor_types(outputs) if res is None else res],
            attributes=attributes,
            hidden_region=self.get_hidden_region(inputs, outputs),
        )

    def verify_(self) -> None:
        verify_results(self, self.outputs)
        if len(self.inputs) != 1 or len(self.outputs) != 1 or self.inputs[0].type != element_of(self.outputs[0].type):
            raise VerifyException(f"fills {self.outputs.types[0]} by {', '.join(str(t) for t in self.inputs.types)}")


@irdl_op_definition
class CopyOp(shipped_ops.CopyOp):
    """`linalg.copy ins(%a : memref<4xf32>) outs(%b : memref<4xf32>)`"""

    name = "linalg.copy"
    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    traits = traits_def(StructuredEffect())

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        outputs: Sequence[SSAValue],
        res: Sequence[Attribute] | None = None,
        attributes: dict[str, Attribute] | None = None,
    ) -> None:
        NamedOperation.__init__(
            self,
            ins=inputs,
            outs=outputs,
            result_types=[_tensor_types(outputs) if res is None else res],
            attributes=attributes,
            hidden_region=self.get_hidden_region(inputs, outputs),
        )

    def verify_(self) -> None:
        verify_results(self, self.outputs)
        LinalgStructuredOperation.verify_(self)


MATMUL_MAPS = ArrayAttr(
    [
        AffineMapAttr(AffineMap.from_callable(lambda m, _, k: (m, k))),
        AffineMapAttr(AffineMap.from_callable(lambda _, n, k: (k, n))),
        AffineMapAttr(AffineMap.from_callable(lambda m, n, _: (m, n))),
    ]
)


@irdl_op_definition
class MatmulOp(shipped_ops.MatmulOp):
    """`%c = linalg.matmul ins(%a, %b : tensor<4x8xf32>, tensor<8x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32>`"""

    name = "linalg.matmul"
    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    indexing_maps = prop_def(
        ArrayAttr[AffineMapAttr],
        default_value=MATMUL_MAPS,
    )
    cast = opt_prop_def(Attribute)
    traits = traits_def(StructuredEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from typing import cast as typed

        from stepwell.dialects.linalg_named import Spec, parse_named

        return typed(Self, parse_named(cls, Spec("matmul", "mul_add", "m n | k", "m k; k n; m n", maps_given=True), parser))

    def print(self, printer: Printer) -> None:
        if self.indexing_maps != MATMUL_MAPS:
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        casts: dict[str, Attribute] = {} if self.cast is None else {"cast": self.cast}
        printer.print_op_attributes({**casts, **self.attributes})
        print_operands(printer, "ins", self.inputs)
        print_operands(printer, "outs", self.outputs)
        print_result_types(printer, self.result_types)

    def verify_(self) -> None:
        verify_results(self, self.outputs)
        if self.indexing_maps != MATMUL_MAPS:
            from stepwell.dialects.linalg_named import Spec, verify_given_maps

            verify_given_maps(Spec("matmul", "mul_add", "m n | k", "m k; k n; m n"), [attribute.data for attribute in self.indexing_maps])
        LinalgStructuredOperation.verify_(self)


@irdl_op_definition
class TransposeOp(shipped_ops.TransposeOp):
    """`%r = linalg.transpose ins(%a : tensor<2x3xf32>) outs(%b : tensor<3x2xf32>) permutation = [1, 0]`"""

    name = "linalg.transpose"
    inputs = var_operand_def(AnyBuffer)
    outputs = var_operand_def(AnyBuffer)
    res = var_result_def(AnyTensorType)
    body = region_def("single_block")
    permutation = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(StructuredEffect())


@irdl_op_definition
class BroadcastOp(shipped_ops.BroadcastOp):
    """`%r = linalg.broadcast ins(%a : tensor<3xf32>) outs(%b : tensor<2x3xf32>) dimensions = [0]`"""

    name = "linalg.broadcast"
    input = operand_def(AnyBuffer)
    init = operand_def(AnyBuffer)
    result = var_result_def(AnyTensorType)
    hidden_region = region_def("single_block")
    dimensions = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(StructuredEffect())


@irdl_op_definition
class ReduceOp(shipped_ops.ReduceOp):
    """`%r = linalg.reduce ins(%a : tensor<2x3xf32>) outs(%b : tensor<2xf32>) dimensions = [1] (%x: f32, %acc: f32) { ... linalg.yield %s
    : f32 }`"""

    name = "linalg.reduce"
    input = operand_def(AnyBuffer)
    init = operand_def(AnyBuffer)
    result = var_result_def(AnyTensorType)
    region = region_def("single_block")
    dimensions = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(StructuredEffect())


# ---- packing --------------------------------------------------------------------------------------------------------------------


class _Tiling(IRDLOperation):
    """What pack and unpack share: the shape of the packed tensor."""

    def packed_shape(self, unpacked: Sequence[int]) -> tuple[int, ...]:
        """The outer extents, permuted, then the inner tiles."""
        tiles = self.static_tiles()
        outer = list(unpacked)
        for position, tile in zip(self.tiled_dims(), tiles, strict=True):
            unknown = DYNAMIC_INDEX in (outer[position], tile)
            outer[position] = DYNAMIC_INDEX if unknown else -(-outer[position] // tile)
        return (*(outer[dim] for dim in self.outer_permutation(len(outer))), *tiles)

    def static_tiles(self) -> tuple[int, ...]:
        return tuple(cast(Any, self.properties["static_inner_tiles"]).get_values())

    def tiled_dims(self) -> tuple[int, ...]:
        """For each inner tile the dimension that it cuts."""
        return tuple(cast(Any, self.properties["inner_dims_pos"]).get_values())

    def outer_permutation(self, rank: int) -> tuple[int, ...]:
        attribute = cast(Any, self.properties.get("outer_dims_perm"))
        return tuple(attribute.get_values()) if attribute is not None and len(attribute) else tuple(range(rank))

    def _verify_tiling(self, unpacked: Attribute, packed: Attribute) -> None:
        unpacked_shape, packed_shape = cast(ShapedType, unpacked).get_shape(), cast(ShapedType, packed).get_shape()
        rank, dims = len(unpacked_shape), self.tiled_dims()
        if len(dims) != len(self.static_tiles()) or len(set(dims)) != len(dims) or any(not 0 <= dim < rank for dim in dims):
            raise VerifyException(f"has inner_dims_pos {list(dims)} for {len(self.static_tiles())} tiles of rank {rank}")
        if sorted(self.outer_permutation(rank)) != list(range(rank)):
            raise VerifyException(f"has outer_dims_perm {list(self.outer_permutation(rank))} for rank {rank}")
        if any(tile <= 0 and tile != DYNAMIC_INDEX for tile in self.static_tiles()):
            raise VerifyException(f"has inner tiles {list(self.static_tiles())}")
        expected = self.packed_shape(unpacked_shape)
        if len(expected) != len(packed_shape) or any(a != b and DYNAMIC_INDEX not in (a, b) for a, b in zip(expected, packed_shape)):
            raise VerifyException(f"has a packed shape {describe(packed_shape)} where {describe(expected)} is expected")


@irdl_op_definition
class PackOp(_Tiling):
    """Cuts dimensions into tiles and moves the tiles inside, padded where an extent is not a multiple.

    ```mlir
    %p = linalg.pack %w padding_value(%zero : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %d
        : tensor<768x3072xf32> -> tensor<96x768x32xf32>
    ```
    p[n / 32, k, n mod 32] = w[k, n]
    """

    name = "linalg.pack"
    DEST: ClassVar = VarConstraint("DEST", base(TensorType))

    source = operand_def(TensorType)
    dest = operand_def(DEST)
    padding_value = opt_operand_def()
    inner_tiles = var_operand_def(IndexType)
    outer_dims_perm = opt_prop_def(DenseArrayBase.constr(i64))
    inner_dims_pos = prop_def(DenseArrayBase.constr(i64))
    static_inner_tiles = prop_def(DenseArrayBase.constr(i64))
    result = result_def(DEST)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList, IntegerList)
    assembly_format = (
        "$source (`padding_value` `(` $padding_value^ `:` type($padding_value) `)`)?"
        "(`outer_dims_perm` `=` custom<IntegerList>($outer_dims_perm)^)?"
        "`inner_dims_pos` `=` custom<IntegerList>($inner_dims_pos)"
        "`inner_tiles` `=` custom<DynamicIndexList>($inner_tiles, $static_inner_tiles)"
        "`into` $dest attr-dict `:` type($source) `->` type($dest)"
    )

    @classmethod
    def get(
        cls,
        source: SSAValue,
        dest: SSAValue,
        inner_dims_pos: Sequence[int],
        inner_tiles: Sequence[int | SSAValue],
        *,
        padding_value: SSAValue | None = None,
        outer_dims_perm: Sequence[int] = (),
    ) -> PackOp:
        static, dynamic = split_dynamic_index_list(list(inner_tiles), DYNAMIC_INDEX)
        return cls(
            operands=[source, dest, padding_value, dynamic],
            result_types=[dest.type],
            properties=_tiling_properties(outer_dims_perm, inner_dims_pos, static),
        )

    def mixed_tiles(self) -> list[int | SSAValue]:
        return mixed(self.static_inner_tiles, self.inner_tiles)

    def verify_(self) -> None:
        verify_dynamic_index_list(self.static_inner_tiles.get_values(), self.inner_tiles, DYNAMIC_INDEX, " in the inner tiles")
        self._verify_tiling(self.source.type, self.dest.type)
        element = element_of(self.source.type)
        if element_of(self.dest.type) != element or (self.padding_value is not None and self.padding_value.type != element):
            raise VerifyException(f"of {self.source.type} into {self.dest.type} mixes element types")
        shape = cast(ShapedType, self.source.type).get_shape()
        for dim, tile in zip(self.tiled_dims(), self.static_tiles(), strict=True):
            if self.padding_value is None and DYNAMIC_INDEX not in (shape[dim], tile) and shape[dim] % tile:
                raise VerifyException(f"cuts an extent of {shape[dim]} into tiles of {tile} and has no padding value")


@irdl_op_definition
class UnPackOp(_Tiling):
    """The inverse of `linalg.pack`; padding is dropped.

    ```mlir
    %w = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %d : tensor<96x768x32xf32> ->
    tensor<768x3072xf32>
    ```
    """

    name = "linalg.unpack"
    DEST: ClassVar = VarConstraint("DEST", base(TensorType))

    source = operand_def(TensorType)
    dest = operand_def(DEST)
    inner_tiles = var_operand_def(IndexType)
    outer_dims_perm = opt_prop_def(DenseArrayBase.constr(i64))
    inner_dims_pos = prop_def(DenseArrayBase.constr(i64))
    static_inner_tiles = prop_def(DenseArrayBase.constr(i64))
    result = result_def(DEST)

    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList, IntegerList)
    assembly_format = (
        "$source (`outer_dims_perm` `=` custom<IntegerList>($outer_dims_perm)^)?"
        "`inner_dims_pos` `=` custom<IntegerList>($inner_dims_pos)"
        "`inner_tiles` `=` custom<DynamicIndexList>($inner_tiles, $static_inner_tiles)"
        "`into` $dest attr-dict `:` type($source) `->` type($dest)"
    )

    @classmethod
    def get(
        cls,
        source: SSAValue,
        dest: SSAValue,
        inner_dims_pos: Sequence[int],
        inner_tiles: Sequence[int | SSAValue],
        *,
        outer_dims_perm: Sequence[int] = (),
    ) -> UnPackOp:
        static, dynamic = split_dynamic_index_list(list(inner_tiles), DYNAMIC_INDEX)
        return cls(
            operands=[source, dest, dynamic],
            result_types=[dest.type],
            properties=_tiling_properties(outer_dims_perm, inner_dims_pos, static),
        )

    def mixed_tiles(self) -> list[int | SSAValue]:
        return mixed(self.static_inner_tiles, self.inner_tiles)

    def verify_(self) -> None:
        verify_dynamic_index_list(self.static_inner_tiles.get_values(), self.inner_tiles, DYNAMIC_INDEX, " in the inner tiles")
        self._verify_tiling(self.dest.type, self.source.type)
        if element_of(self.dest.type) != element_of(self.source.type):
            raise VerifyException(f"of {self.source.type} into {self.dest.type} mixes element types")


def _tiling_properties(outer: Sequence[int], positions: Sequence[int], tiles: Sequence[int]) -> dict[str, Attribute]:
    properties: dict[str, Attribute] = {
        "inner_dims_pos": DenseArrayBase.from_list(i64, positions),
        "static_inner_tiles": DenseArrayBase.from_list(i64, tiles),
    }
    if outer:
        properties["outer_dims_perm"] = DenseArrayBase.from_list(i64, outer)
    return properties


_NAMED = (
    *("add", "sub", "mul", "exp", "log", "sqrt", "select", "max", "min", "quantized_matmul", "pooling_nchw_max"),
    *("conv_2d_nchw_fchw", "conv_2d_ngchw_fgchw", "conv_2d_ngchw_gfchw", "conv_2d_nhwc_fhwc", "conv_2d_nhwc_hwcf", "conv_2d_nhwgc_gfhwc"),
)
"""Named ops that xDSL has too; ours stand in `linalg_table`."""

Linalg = replace_ops(
    without(shipped.Linalg, *(f"linalg.{name}" for name in _NAMED)),
    [GenericOp, IndexOp, FillOp, CopyOp, MatmulOp, TransposeOp, BroadcastOp, ReduceOp, PackOp, UnPackOp],
)
