"""`linalg.pack` and `linalg.unpack`: dimensions cut into tiles, and back."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, IntegerAttr, MemRefType, ShapedType, TensorType, i64
from xdsl.dialects.utils import split_dynamic_index_list, verify_dynamic_index_list
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    prop_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.linalg.verify import Canonical, StructuredEffect
from stepwell.dialects.support import describe, element_of, mixed
from stepwell.ir.rules import shown

# ---- packing --------------------------------------------------------------------------------------------------------------------


class _Tiling(IRDLOperation):
    """What pack and unpack share: the text, and the shape of the packed tensor."""

    PADS: ClassVar[bool] = False

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

    # ---- text

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        source = parser.parse_unresolved_operand()
        padding: list[SSAValue] = []
        if cls.PADS and parser.parse_optional_keyword("padding_value"):
            with parser.in_parens():
                value = parser.parse_unresolved_operand()
                parser.parse_punctuation(":")
                padding = [parser.resolve_operand(value, parser.parse_type())]
        properties: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("outer_dims_perm"):
            properties["outer_dims_perm"] = _parse_numbers(parser)
        parser.parse_keyword("inner_dims_pos")
        properties["inner_dims_pos"] = _parse_numbers(parser)
        parser.parse_keyword("inner_tiles")
        parser.parse_punctuation("=")
        dynamic: list[SSAValue] = []

        def tile() -> int:
            operand = parser.parse_optional_unresolved_operand()
            if operand is None:
                return parser.parse_integer(allow_boolean=False)
            dynamic.append(parser.resolve_operand(operand, INDEX))
            return DYNAMIC_INDEX

        tiles = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, tile)
        properties["static_inner_tiles"] = DenseArrayBase.from_list(i64, tiles)
        parser.parse_keyword("into")
        dest = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = [parser.parse_type()]
        parser.parse_punctuation("->")
        types.append(parser.parse_type())
        values = parser.resolve_operands([source, dest], types, start)
        results = types[1:] if isinstance(types[1], TensorType) else []
        operands: list[Any] = [values[0], values[1], padding, dynamic] if cls.PADS else [values[0], values[1], dynamic]
        return cls.build(operands=operands, result_types=[results], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        source, dest = self.operands[:2]
        printer.print_string(" ")
        printer.print_ssa_value(source)
        dynamic = list(self.operands[2:])
        if self.PADS and cast(PackOp, self).padding_value is not None:
            padding = dynamic.pop(0)
            printer.print_string(" padding_value(")
            printer.print_ssa_value(padding)
            printer.print_string(" : ")
            printer.print_attribute(padding.type)
            printer.print_string(")")
        if len(cast(Any, self.properties.get("outer_dims_perm", ()))):
            printer.print_string(f" outer_dims_perm = {list(self.outer_permutation(0))}")
        printer.print_string(f" inner_dims_pos = {list(self.tiled_dims())} inner_tiles = ")
        values = iter(dynamic)
        with printer.in_square_brackets():
            printer.print_list(
                self.static_tiles(),
                lambda tile: printer.print_ssa_value(next(values)) if tile == DYNAMIC_INDEX else printer.print_string(str(tile)),
            )
        printer.print_string(" into ")
        printer.print_ssa_value(dest)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(source.type)
        printer.print_string(" -> ")
        printer.print_attribute(dest.type)

    # ---- rules

    def _verify_tiling(self, unpacked: Attribute, packed: Attribute) -> None:
        shape, packed_shape = cast(ShapedType, unpacked).get_shape(), cast(ShapedType, packed).get_shape()
        rank, dims, tiles = len(shape), self.tiled_dims(), self.static_tiles()
        if 0 in tiles:
            raise VerifyException("invalid zero tile factor")
        if not _are_positions(dims, rank):
            raise VerifyException("invalid inner_dims_pos vector")
        outer = self.outer_permutation(rank)
        if not _are_positions(outer, rank):
            raise VerifyException("invalid outer_dims_perm vector")
        if len(outer) != rank:
            raise VerifyException("outer_dims_perm must be a permutation or empty")
        if len(tiles) > rank:
            raise VerifyException("tiling factors must be less than or equal to the input rank for pack or output rank for unpack")
        if len(tiles) != len(dims):
            raise VerifyException("tiling factors must equal the number of dimensions to tile")
        if len(packed_shape) != rank + len(tiles):
            raise VerifyException(f"packed rank != (unpacked rank + num tiling factors), got {len(packed_shape)} != {rank + len(tiles)}")
        for index, (tile, found) in enumerate(zip(tiles, packed_shape[rank:], strict=True)):
            if tile == found:
                continue
            if tile == DYNAMIC_INDEX:
                raise VerifyException(
                    f"mismatch in inner tile sizes specified at index {index}: got static shape {found} but dynamic tile size"
                )
            where = f"mismatch in inner tile sizes specified and shaped of tiled dimension in the packed type at index {index}"
            raise VerifyException(f"{where}: got {describe([found])} != {tile}")
        expected = self.packed_shape(shape)
        if any(a != b and DYNAMIC_INDEX not in (a, b) for a, b in zip(expected, packed_shape, strict=True)):
            wanted = with_shape(packed, expected)
            raise VerifyException(f"expected '{shown(wanted)}' for the packed domain value, got '{shown(packed)}'")


def _parse_numbers(parser: Parser) -> Attribute:
    parser.parse_punctuation("=")
    numbers = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
    return DenseArrayBase.from_list(i64, numbers)


def _are_positions(dims: Sequence[int], rank: int) -> bool:
    return len(dims) <= rank and len(set(dims)) == len(dims) and all(0 <= dim < rank for dim in dims)


def with_shape(type: Attribute, shape: Sequence[int]) -> Attribute:
    """The tensor or memref type with another shape."""
    if isinstance(type, MemRefType):
        return MemRefType(type.element_type, shape)
    return TensorType(cast("TensorType[Any]", type).element_type, shape)


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
    PADS: ClassVar[bool] = True
    DEST: ClassVar = VarConstraint("DEST", base(TensorType) | base(MemRefType))

    source = operand_def(base(TensorType) | base(MemRefType))
    dest = operand_def(DEST)
    padding_value = opt_operand_def()
    inner_tiles = var_operand_def(IndexType)
    outer_dims_perm = opt_prop_def(DenseArrayBase.constr(i64))
    inner_dims_pos = prop_def(DenseArrayBase.constr(i64))
    static_inner_tiles = prop_def(DenseArrayBase.constr(i64))
    result = opt_result_def(DEST)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(StructuredEffect(), Canonical())

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
            result_types=[dest.type if isinstance(dest.type, TensorType) else None],
            properties=_tiling_properties(outer_dims_perm, inner_dims_pos, static),
        )

    def mixed_tiles(self) -> list[int | SSAValue]:
        return mixed(self.static_inner_tiles, self.inner_tiles)

    def verify_(self) -> None:
        verify_dynamic_index_list(self.static_inner_tiles.get_values(), self.inner_tiles, DYNAMIC_INDEX, " in the inner tiles")
        self._verify_tiling(self.source.type, self.dest.type)
        element = element_of(self.source.type)
        if self.padding_value is not None and self.padding_value.type != element:
            raise VerifyException(f"expected padding_value has '{shown(element)}' but got: '{shown(self.padding_value.type)}'")
        _verify_elements(self.source.type, self.dest.type)
        if self.padding_value is None and self.needs_padding():
            raise VerifyException(
                "invalid tile factor or output size provided. Only full tiles are supported when padding_value is not set"
            )

    def needs_padding(self) -> bool:
        """Whether a tile is known to be cut off."""
        shape = cast(ShapedType, self.source.type).get_shape()
        outer = self.outer_permutation(len(shape))
        packed = cast(ShapedType, self.dest.type).get_shape()
        for dim, tile in zip(self.tiled_dims(), self.mixed_tiles(), strict=True):
            if shape[dim] == DYNAMIC_INDEX:
                continue
            size = constant_of(tile)
            if size is None:
                count = packed[outer.index(dim)]
                if count > 0 and shape[dim] % count:
                    return True
            elif size and shape[dim] % size:
                return True
        return False


@irdl_op_definition
class UnPackOp(_Tiling):
    """The inverse of `linalg.pack`; padding is dropped.

    ```mlir
    %w = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %d : tensor<96x768x32xf32> ->
    tensor<768x3072xf32>
    ```
    """

    name = "linalg.unpack"
    DEST: ClassVar = VarConstraint("DEST", base(TensorType) | base(MemRefType))

    source = operand_def(base(TensorType) | base(MemRefType))
    dest = operand_def(DEST)
    inner_tiles = var_operand_def(IndexType)
    outer_dims_perm = opt_prop_def(DenseArrayBase.constr(i64))
    inner_dims_pos = prop_def(DenseArrayBase.constr(i64))
    static_inner_tiles = prop_def(DenseArrayBase.constr(i64))
    result = opt_result_def(DEST)

    traits = traits_def(StructuredEffect(), Canonical())

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
            result_types=[dest.type if isinstance(dest.type, TensorType) else None],
            properties=_tiling_properties(outer_dims_perm, inner_dims_pos, static),
        )

    def mixed_tiles(self) -> list[int | SSAValue]:
        return mixed(self.static_inner_tiles, self.inner_tiles)

    def verify_(self) -> None:
        verify_dynamic_index_list(self.static_inner_tiles.get_values(), self.inner_tiles, DYNAMIC_INDEX, " in the inner tiles")
        self._verify_tiling(self.dest.type, self.source.type)
        _verify_elements(self.source.type, self.dest.type)


def _verify_elements(source: Attribute, dest: Attribute) -> None:
    if element_of(source) != element_of(dest):
        raise VerifyException("requires the same element type for all operands and results")


def constant_of(size: int | SSAValue) -> int | None:
    """The number that a size is, if it is known."""
    if isinstance(size, int):
        return size
    value = size.owner.properties.get("value") if isinstance(size.owner, Operation) and size.owner.name == "arith.constant" else None
    return cast("IntegerAttr[Any]", value).value.data if isinstance(value, IntegerAttr) else None


def _tiling_properties(outer: Sequence[int], positions: Sequence[int], tiles: Sequence[int]) -> dict[str, Attribute]:
    properties: dict[str, Attribute] = {
        "inner_dims_pos": DenseArrayBase.from_list(i64, positions),
        "static_inner_tiles": DenseArrayBase.from_list(i64, tiles),
    }
    if outer:
        properties["outer_dims_perm"] = DenseArrayBase.from_list(i64, outer)
    return properties
