"""Ops of `linalg` with a syntax of their own: `elementwise`, `contract` and `softmax`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ArrayAttr, IntegerAttr, ShapedType, TensorType, i64
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from stepwell.dialects.linalg.named import (
    ARITIES,
    PARALLEL,
    REDUCTION,
    check_arguments,
    made_body,
    parse_ins_and_outs,
    print_ins_and_outs,
)
from stepwell.dialects.linalg.verify import (
    Canonical,
    StructuredEffect,
    is_projected_permutation,
    shape_of,
    verify_bodies,
    verify_destinations,
    verify_structured,
)
from stepwell.dialects.support import parse_result_types, print_result_types

# ---- elementwise and contract ---------------------------------------------------------------------------------------------------


class ElementwiseKind(StrEnum):
    """What `linalg.elementwise` computes."""

    EXP = "exp"
    LOG = "log"
    ABS = "abs"
    CEIL = "ceil"
    FLOOR = "floor"
    NEGF = "negf"
    RECIPROCAL = "reciprocal"
    ROUND = "round"
    SQRT = "sqrt"
    RSQRT = "rsqrt"
    SQUARE = "square"
    TANH = "tanh"
    ERF = "erf"
    SIN = "sin"
    COS = "cos"
    TAN = "tan"
    ASIN = "asin"
    ACOS = "acos"
    ATAN = "atan"
    ASINH = "asinh"
    ACOSH = "acosh"
    ATANH = "atanh"
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    DIV_UNSIGNED = "div_unsigned"
    MAX_SIGNED = "max_signed"
    MIN_SIGNED = "min_signed"
    MAX_UNSIGNED = "max_unsigned"
    MIN_UNSIGNED = "min_unsigned"
    POWF = "powf"
    SELECT = "select"


@irdl_attr_definition
class ElementwiseKindAttr(EnumAttribute[ElementwiseKind]):
    """`#linalg.elementwise_kind<exp>`"""

    name = "linalg.elementwise_kind"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> ElementwiseKind:
        kinds = {str(kind.value): kind for kind in ElementwiseKind}
        with parser.in_angle_brackets():
            start = parser.pos
            word = parser.parse_optional_identifier()
            if word not in kinds:
                parser.raise_error(f"expected ::mlir::linalg::ElementwiseKind to be one of: {', '.join(kinds)}", start)
            return kinds[word]

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def body(self) -> str:
        """The name of the body."""
        return str(self.data).removesuffix("_signed").removesuffix("_unsigned")


@irdl_op_definition
class ElementwiseOp(LinalgStructuredOperation):
    """`%r = linalg.elementwise kind=#linalg.elementwise_kind<add> indexing_maps = [...] ins(%a, %b : ...) outs(%o : ...) -> type`"""

    name = "linalg.elementwise"

    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    kind = prop_def(ElementwiseKindAttr)
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(StructuredEffect(), Canonical())

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return self.indexing_maps

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return ArrayAttr([PARALLEL] * len(shape_of(self.outputs[0])))

    def verify_(self) -> None:
        arity = ARITIES[self.kind.body()]
        if len(self.inputs) != arity:
            raise VerifyException(f"expected {arity} inputs for '{self.kind.data}', got {len(self.inputs)}")
        verify_structured(self, self.outputs)

    def verify_regions(self) -> None:
        verify_bodies(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("kind")
        parser.parse_punctuation("=")
        start = parser.pos
        kind = parser.parse_attribute()
        if not isinstance(kind, ElementwiseKindAttr):
            parser.raise_error("expected an attribute #linalg.elementwise_kind<...>", start)
        properties: dict[str, Attribute] = {"kind": kind}
        if parser.parse_optional_keyword("indexing_maps"):
            parser.parse_punctuation("=")
            properties["indexing_maps"] = parser.parse_attribute()
        attributes = parser.parse_optional_attr_dict()
        inputs, outputs = parse_ins_and_outs(parser)
        types = parse_result_types(parser, optional=True)
        properties.setdefault("indexing_maps", _elementwise_maps([*inputs, *outputs]))
        check_arguments(parser, start, cls.name, ARITIES[kind.body()] + 1, len(inputs) + len(outputs))
        unsigned = str(kind.data).endswith("_unsigned")
        body = made_body(parser, start, cls.name, kind.body(), [value.type for value in (*inputs, *outputs)], unsigned)
        return cls(operands=[inputs, outputs], result_types=[types], properties=properties, attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(" kind=")
        printer.print_attribute(self.kind)
        if self.indexing_maps != _elementwise_maps(self.operands):
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        printer.print_op_attributes(self.attributes)
        print_ins_and_outs(printer, self.inputs, self.outputs)
        if self.results:
            print_result_types(printer, self.result_types)


def _elementwise_maps(operands: Sequence[SSAValue]) -> ArrayAttr[AffineMapAttr]:
    """Identity for each tensor, the empty map for scalars."""
    rank = len(shape_of(operands[-1]))
    maps = (AffineMap.identity(rank) if shape_of(v) or not rank else AffineMap(rank, 0, ()) for v in operands)
    return ArrayAttr(AffineMapAttr(map) for map in maps)


@irdl_op_definition
class ContractOp(LinalgStructuredOperation):
    """A sum of products over the loops that the output's map lacks: `linalg.contract indexing_maps = [#a, #b, #c] ins(...) outs(...)`."""

    name = "linalg.contract"

    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])
    cast = opt_prop_def(Attribute)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(StructuredEffect(), Canonical())

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return self.indexing_maps

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        output = self.indexing_maps.data[-1].data
        used = {expr.position for expr in output.results if isinstance(expr, AffineDimExpr)}
        return ArrayAttr(PARALLEL if dim in used else REDUCTION for dim in range(output.num_dims))

    def verify_(self) -> None:
        verify_structured(self, self.outputs)

    def verify_regions(self) -> None:
        maps = [attribute.data for attribute in self.indexing_maps]
        self._verify_maps(maps)
        verify_bodies(self)

    def _verify_maps(self, maps: Sequence[AffineMap]) -> None:
        if len(maps) != len(self.operands):
            text = f"expected the number of indexing_map ({len(maps)}) to be equal to the number of input/output operands"
            raise VerifyException(f"{text} ({len(self.operands)})")
        loops = maps[0].num_dims
        for map, value in zip(maps, self.operands, strict=True):
            if map.num_dims != loops:
                raise VerifyException("iteration spaces of provided affine_maps differ")
            if not is_projected_permutation(map):
                raise VerifyException("provided affine_map is not a projected permutation")
            if not isinstance(value.type, ShapedType):
                if map.results:
                    raise VerifyException("affine_map specifies shaped access while operand has non-shaped type")
            elif len(map.results) != len(shape_of(value)):
                raise VerifyException("ranks of shaped operand and results of corresponding affine_map differ")
        lhs, rhs, out = (map.used_dims() for map in maps)
        found_contraction = False
        for dim in range(loops):
            if dim not in lhs | rhs | out:
                raise VerifyException(f"iteration space dim at index {dim} not used to access any operand")
            contracted = dim in lhs and dim in rhs and dim not in out
            found_contraction |= contracted
            if not contracted and dim not in out:
                raise VerifyException(f"iteration space dim at index {dim} is neither a contracting dim nor of parallel iteration type")
        if not found_contraction:
            raise VerifyException("expected at least one contracting dimension")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        if parser.parse_optional_keyword("indexing_maps") is None:
            parser.raise_error("custom op 'linalg.contract' expected 'indexing_maps' attribute")
        parser.parse_punctuation("=")
        properties: dict[str, Attribute] = {"indexing_maps": parser.parse_attribute()}
        attributes = parser.parse_optional_attr_dict()
        inputs, outputs = parse_ins_and_outs(parser)
        attributes |= parser.parse_optional_attr_dict()
        start = parser.pos
        types = parse_result_types(parser, optional=True)
        if "cast" in attributes:
            properties["cast"] = attributes.pop("cast")
        check_arguments(parser, start, cls.name, 3, len(inputs) + len(outputs))
        unsigned = "cast_unsigned" in str(properties.get("cast", ""))
        body = made_body(parser, start, cls.name, "mul_add", [value.type for value in (*inputs, *outputs)], unsigned)
        return cls(operands=[inputs, outputs], result_types=[types], properties=properties, attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(" indexing_maps = ")
        printer.print_attribute(self.indexing_maps)
        cast_attribute: dict[str, Attribute] = {} if self.cast is None else {"cast": self.cast}
        printer.print_op_attributes({**cast_attribute, **self.attributes})
        print_ins_and_outs(printer, self.inputs, self.outputs)
        if self.results:
            print_result_types(printer, self.result_types)


# ---- softmax -------------------------------------------------------------------------------------------------------


@irdl_op_definition
class SoftmaxOp(IRDLOperation):
    """`%r = linalg.softmax dimension(2) ins(%x : tensor<2x16x32xf32>) outs(%o : tensor<2x16x32xf32>) -> tensor<2x16x32xf32>`"""

    name = "linalg.softmax"

    input = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    dimension = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())

    def verify_(self) -> None:
        shapes = shape_of(self.input), shape_of(self.output)
        if not 0 <= self.dimension.value.data < len(shapes[0]):
            raise VerifyException("incorrect dimension specified")
        if len(shapes[0]) != len(shapes[1]) or any(a != b and DYNAMIC_INDEX not in (a, b) for a, b in zip(*shapes, strict=False)):
            raise VerifyException("incompatible output shape")
        verify_destinations(self, [self.output])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        attributes = parser.parse_optional_attr_dict()
        parser.parse_keyword("dimension")
        with parser.in_parens():
            dimension = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
        inputs, outputs = parse_ins_and_outs(parser)
        types = parse_result_types(parser, optional=True)
        return cls.create(operands=[*inputs, *outputs], result_types=types, properties={"dimension": dimension}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)
        printer.print_string(f" dimension({self.dimension.value.data})")
        print_ins_and_outs(printer, [self.input], [self.output])
        if self.results:
            print_result_types(printer, self.result_types)


SHAPE_OPS: list[type[Operation]] = [
    *(ElementwiseOp, ContractOp, SoftmaxOp),
]
SHAPE_ATTRIBUTES: list[type[Attribute]] = [ElementwiseKindAttr]
