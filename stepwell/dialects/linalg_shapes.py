"""Ops of `linalg` with a syntax of their own: `map`, `elementwise`, `contract`, `softmax` and the transforms of Winograd's convolution."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self
from typing import cast as typed

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ArrayAttr, IntegerAttr, ShapedType, TensorType, i64
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
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

from stepwell.dialects.linalg import StructuredEffect, verify_results
from stepwell.dialects.linalg_named import (
    ARITIES,
    PARALLEL,
    REDUCTION,
    body_region,
    parse_ins_and_outs,
    print_ins_and_outs,
    verify_shapes,
)
from stepwell.dialects.support import element_of, parse_result_types, print_result_types


def _shape(value: SSAValue) -> tuple[int, ...]:
    return tuple(value.type.get_shape()) if isinstance(value.type, ShapedType) else ()


# ---- map ------------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class MapOp(IRDLOperation):
    """A scalar computation on elements in the same place.

    ```mlir
    %r = linalg.map ins(%a, %b : tensor<64xf32>, tensor<64xf32>) outs(%o : tensor<64xf32>) (%x: f32, %y: f32, %old: f32) {
      ...
      linalg.yield %z : f32
    }
    ```
    or, of one operation, `linalg.map { arith.addf } ins(...) outs(...)`.
    """

    name = "linalg.map"

    inputs = var_operand_def()
    init = operand_def(ShapedType)
    res = var_result_def(TensorType)
    mapper = region_def("single_block")
    traits = traits_def(StructuredEffect())

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return ArrayAttr(AffineMapAttr(AffineMap.identity(len(_shape(value)))) for value in self.operands)

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return ArrayAttr([PARALLEL] * len(_shape(self.operands[-1])))

    def verify_(self) -> None:
        *inputs, output = self.operands
        block = self.mapper.block
        if block.arg_types != tuple(element_of(value.type) for value in self.operands):
            raise VerifyException(f"expects {len(self.operands)} arguments in its mapper, the elements of its operands")
        for value in inputs:
            if _shape(value) != _shape(output):
                raise VerifyException(f"expected shape of input {_shape(value)} to match shape of output {_shape(output)}")
        verify_results(self, [output])
        last = block.last_op
        if not isinstance(last, YieldOp) or tuple(last.operand_types) != (element_of(output.type),):
            raise VerifyException(f"must yield one {element_of(output.type)}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        short = _parse_short_body(parser)
        inputs, outputs = parse_ins_and_outs(parser)
        attributes = parser.parse_optional_attr_dict()
        types = [value.type for value in outputs if isinstance(value.type, TensorType)]
        if short is not None:
            body = _short_body(short, [element_of(value.type) for value in (*inputs, *outputs)], len(inputs))
        else:
            arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=True))
            body = parser.parse_region(arguments)
        return cls.create(operands=[*inputs, *outputs], result_types=types, attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        *inputs, output = self.operands
        print_ins_and_outs(printer, inputs, [output])
        printer.print_op_attributes(self.attributes)
        printer.print_string("\n  (")
        printer.print_list(self.mapper.block.args, printer.print_block_argument)
        printer.print_string(") ")
        printer.print_region(self.mapper, print_entry_block_args=False)


def _parse_short_body(parser: Parser) -> tuple[str, dict[str, Attribute]] | None:
    """`{ arith.addf { attributes } }`"""
    if parser.parse_optional_punctuation("{") is None:
        return None
    name = parser.parse_identifier()
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation("}")
    return name, attributes


def _short_body(short: tuple[str, dict[str, Attribute]], types: Sequence[Attribute], inputs: int) -> Region:
    from stepwell.ir.registry import make_context

    name, attributes = short
    block = Block(arg_types=types)
    kind = make_context(allow_unregistered=False).get_op(name)
    properties = {k: v for k, v in attributes.items() if k in typed(Any, kind).get_irdl_definition().properties}
    rest = {k: v for k, v in attributes.items() if k not in properties}
    op = kind.create(operands=list(block.args[:inputs]), result_types=[types[-1]], properties=properties, attributes=rest)
    block.add_ops([op, YieldOp(op.results[0])])
    return Region(block)


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
        with parser.in_angle_brackets():
            return parser.parse_str_enum(ElementwiseKind)

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
    traits = traits_def(StructuredEffect())

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return self.indexing_maps

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return ArrayAttr([PARALLEL] * len(_shape(self.outputs[0])))

    def verify_(self) -> None:
        arity = ARITIES[self.kind.body()]
        if len(self.inputs) != arity:
            raise VerifyException(f"expected {arity} inputs for '{self.kind.data}', got {len(self.inputs)}")
        verify_results(self, self.outputs)
        verify_shapes(self.operands, [attribute.data for attribute in self.get_indexing_maps()])

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
        if len(inputs) != ARITIES[kind.body()]:
            parser.raise_error(f"expected {ARITIES[kind.body()]} inputs for '{kind.data}', got {len(inputs)}", start)
        body = body_region(kind.body(), [value.type for value in (*inputs, *outputs)], str(kind.data).endswith("_unsigned"))
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
    rank = len(_shape(operands[-1]))
    maps = (AffineMap.identity(rank) if _shape(v) or not rank else AffineMap(rank, 0, ()) for v in operands)
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
    traits = traits_def(StructuredEffect())

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return self.indexing_maps

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        output = self.indexing_maps.data[-1].data
        used = {expr.position for expr in output.results if isinstance(expr, AffineDimExpr)}
        return ArrayAttr(PARALLEL if dim in used else REDUCTION for dim in range(output.num_dims))

    def verify_(self) -> None:
        maps = [attribute.data for attribute in self.indexing_maps]
        if len(maps) != len(self.operands):
            raise VerifyException(f"expected the number of indexing_map ({len(maps)}) to be equal to the number of operands")
        if len({map.num_dims for map in maps}) != 1:
            raise VerifyException("expected the indexing maps to have the same number of dimensions")
        for map in maps:
            dims = [expr.position for expr in map.results if isinstance(expr, AffineDimExpr)]
            if len(dims) != len(map.results) or len(set(dims)) != len(dims):
                raise VerifyException("provided affine_map is not a projected permutation")
        lhs, rhs, out = (map.used_dims() for map in maps)
        if len(lhs | rhs | out) != maps[0].num_dims:
            raise VerifyException("iteration space dim is not used by any operand")
        if not (lhs & rhs) - out:
            raise VerifyException("expected at least one contracting dimension")
        verify_results(self, self.outputs)
        verify_shapes(self.operands, maps)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("indexing_maps")
        parser.parse_punctuation("=")
        properties: dict[str, Attribute] = {"indexing_maps": parser.parse_attribute()}
        attributes = parser.parse_optional_attr_dict()
        inputs, outputs = parse_ins_and_outs(parser)
        attributes |= parser.parse_optional_attr_dict()
        start = parser.pos
        types = parse_result_types(parser, optional=True)
        if "cast" in attributes:
            properties["cast"] = attributes.pop("cast")
        if len(inputs) != 2 or len(outputs) != 1:
            parser.raise_error(f"expected 2 inputs and 1 output, got {len(inputs)} and {len(outputs)}", start)
        body = body_region("mul_add", [value.type for value in (*inputs, *outputs)], "cast_unsigned" in str(properties.get("cast", "")))
        return cls(operands=[inputs, outputs], result_types=[types], properties=properties, attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(" indexing_maps = ")
        printer.print_attribute(self.indexing_maps)
        cast_attribute: dict[str, Attribute] = {} if self.cast is None else {"cast": self.cast}
        printer.print_op_attributes({**cast_attribute, **self.attributes})
        print_ins_and_outs(printer, self.inputs, self.outputs)
        if self.results:
            print_result_types(printer, self.result_types)


# ---- softmax and Winograd -------------------------------------------------------------------------------------------------------


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
        shapes = _shape(self.input), _shape(self.output)
        if not 0 <= self.dimension.value.data < len(shapes[0]):
            raise VerifyException("incorrect dimension specified")
        if len(shapes[0]) != len(shapes[1]) or any(a != b and DYNAMIC_INDEX not in (a, b) for a, b in zip(*shapes, strict=False)):
            raise VerifyException("incompatible output shape")
        verify_results(self, [self.output])

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


class WinogradTransform(IRDLOperation):
    """What the three transforms of Winograd's convolution share: `fmr(F_4_3)` says the sizes of output and filter."""

    FMR: ClassVar[tuple[str, ...]] = ("F_2_3", "F_4_3", "F_2_5")

    def verify_(self) -> None:
        if len(self.operands) != 2 or list(self.result_types) != [self.operands[1].type]:
            raise VerifyException("takes an input and an output, and gives what is in the output")
        if typed("IntegerAttr[Any]", self.properties["fmr"]).value.data not in range(len(self.FMR)):
            raise VerifyException("has an fmr that does not exist")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("fmr")
        with parser.in_parens():
            start = parser.pos
            name = parser.parse_identifier()
        if name not in cls.FMR:
            parser.raise_error(f"expected one of {', '.join(cls.FMR)}", start)
        inputs, outputs = parse_ins_and_outs(parser)
        attributes = parser.parse_optional_attr_dict()
        types = parse_result_types(parser, optional=True)
        properties = {"fmr": IntegerAttr(cls.FMR.index(name), 32)}
        return cls.create(operands=[*inputs, *outputs], result_types=types, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" fmr({self.FMR[typed('IntegerAttr[Any]', self.properties['fmr']).value.data]})")
        print_ins_and_outs(printer, self.operands[:1], self.operands[1:])
        printer.print_op_attributes(self.attributes)
        if self.results:
            print_result_types(printer, self.result_types)


@irdl_op_definition
class WinogradFilterTransformOp(WinogradTransform):
    """`linalg.winograd_filter_transform fmr(F_4_3) ins(%f : tensor<2x3x3x5xf32>) outs(%o : tensor<6x6x5x2xf32>) -> tensor<6x6x5x2xf32>`"""

    name = "linalg.winograd_filter_transform"
    filter = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    fmr = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())


@irdl_op_definition
class WinogradInputTransformOp(WinogradTransform):
    """The input's side."""

    name = "linalg.winograd_input_transform"
    input = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    fmr = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())


@irdl_op_definition
class WinogradOutputTransformOp(WinogradTransform):
    """The way back."""

    name = "linalg.winograd_output_transform"
    value = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    fmr = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())


SHAPE_OPS: list[type[Operation]] = [
    *(MapOp, ElementwiseOp, ContractOp, SoftmaxOp),
    *(WinogradFilterTransformOp, WinogradInputTransformOp, WinogradOutputTransformOp),
]
SHAPE_ATTRIBUTES: list[type[Attribute]] = [ElementwiseKindAttr]
