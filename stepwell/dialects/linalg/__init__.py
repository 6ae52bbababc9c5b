"""`linalg`: computations on whole tensors or memrefs as an iteration space, indexing maps and a scalar body. Upstream's dialect.

Ours know their effects (none on tensors, so that dead ones go away) and verify what they yield. `pack` and `unpack` xDSL does not have. The
other named ops stand in `linalg_table` and load when they are met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects import linalg as shipped
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
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
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
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
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.linalg.pack import PackOp as PackOp
from stepwell.dialects.linalg.pack import UnPackOp as UnPackOp
from stepwell.dialects.linalg.verify import Canonical, element_or_self, shape_of, verify_bodies, verify_structured
from stepwell.dialects.linalg.verify import StructuredEffect as StructuredEffect
from stepwell.dialects.linalg.verify import WholeDims as WholeDims
from stepwell.dialects.support import parse_result_types, print_result_types, replace_ops, without
from stepwell.ir.rules import shown

LinalgStructuredOperation.register(WholeDims)  # transpose, broadcast, reduce and map are structured, too

PARALLEL = IteratorTypeAttr(IteratorType.PARALLEL)
REDUCTION = IteratorTypeAttr(IteratorType.REDUCTION)


def _tensor_types(values: Sequence[SSAValue]) -> list[Attribute]:
    types: list[Attribute] = [value.type for value in values]
    return [type for type in types if isinstance(type, TensorType)]


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
    body = region_def()
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])
    iterator_types = prop_def(ArrayAttr[IteratorTypeAttr])
    doc = opt_prop_def(StringAttr)
    library_call = opt_prop_def(StringAttr)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(StructuredEffect(), Canonical())

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
        verify_structured(self, self.outputs)

    def verify_regions(self) -> None:
        verify_bodies(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        trait = parse_trait(parser)
        maps, iterators = trait.pop("indexing_maps", None), trait.pop("iterator_types", None)
        if not isinstance(iterators, ArrayAttr):
            parser.raise_error('expected "iterator_types" array attribute', start)
        if not isinstance(maps, ArrayAttr):
            parser.raise_error('expected "indexing_maps" array attribute', start)
        types = [_iterator(parser, name, start) for name in cast(ArrayAttr[Any], iterators)]
        inputs = parse_operands(parser, "ins")
        outputs = parse_operands(parser, "outs")
        attributes: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("attrs"):
            parser.parse_punctuation("=")
            attributes = parser.expect(parser.parse_optional_attr_dict, "expected attributes")
        body = parser.parse_optional_region()
        if body is None:
            parser.raise_error("expected '{' to begin a region")
        op = cls(
            inputs,
            outputs,
            body,
            cast(ArrayAttr[AffineMapAttr], maps),
            types,
            parse_result_types(parser, optional=True),
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
            printer.print_string(" attrs = ")
            printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_region(self.body)
        if self.results:
            print_result_types(printer, self.result_types)


_ITERATORS = {str(kind.value): IteratorTypeAttr(kind) for kind in IteratorType}


def _iterator(parser: Parser, name: Any, start: int) -> IteratorTypeAttr:
    """`"parallel"`, or the attribute that it is short for."""
    if isinstance(name, IteratorTypeAttr):
        return name
    found = _ITERATORS.get(name.data) if isinstance(name, StringAttr) else None
    if found is None:
        parser.raise_error(f"unexpected iterator_type ({getattr(name, 'data', name)})", start)
    return found


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


@irdl_op_definition
class IndexOp(IRDLOperation):
    """The position of the point in one dimension of the iteration space: `%i = linalg.index 0 : index`."""

    name = "linalg.index"

    dim = prop_def(IntegerAttr)
    result = result_def(IndexType())
    traits = traits_def(Pure(), Canonical())

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


# ---- named ops: xDSL's, with effects. Every field is said again because that is how IRDL inherits. --------------------------------


class _OfOneInput:
    """What `linalg.fill` and `linalg.copy` share: how they are made and read."""

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        outputs: Sequence[SSAValue],
        res: Sequence[Attribute] | None = None,
        attributes: dict[str, Attribute] | None = None,
    ) -> None:
        NamedOperation.__init__(
            cast(NamedOperation, self),
            ins=inputs,
            outs=outputs,
            result_types=[_tensor_types(outputs) if res is None else res],
            attributes=attributes,
            hidden_region=type(self).get_hidden_region(inputs, outputs),
        )

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        """The body, which the text does not show."""
        raise NotImplementedError

    @classmethod
    def parse(cls, parser: Parser) -> Any:
        """The ending of the op's text: operands, attributes, types of results."""
        from stepwell.dialects.linalg.named import check_arguments, parse_ins_and_outs

        op: Any = cls
        attributes = parser.parse_optional_attr_dict()
        inputs, outputs = parse_ins_and_outs(parser)
        start = parser.pos
        attributes |= parser.parse_optional_attr_dict()
        types = parse_result_types(parser, optional=True)
        check_arguments(parser, start, op.name, 2, len(inputs) + len(outputs))
        body = cls.get_hidden_region(inputs, outputs)
        return op.build(operands=[inputs, outputs], result_types=[types], attributes=attributes, regions=[body])


@irdl_op_definition
class FillOp(_OfOneInput, shipped_ops.FillOp):
    """`%r = linalg.fill ins(%c : f32) outs(%t : tensor<4xf32>) -> tensor<4xf32>`"""

    name = "linalg.fill"
    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    traits = traits_def(StructuredEffect(), Canonical())

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _pass_on([element_or_self(value.type) for value in (*inputs, *outputs)])

    def verify_(self) -> None:
        verify_structured(self, self.outputs)
        if len(self.inputs) != 1 or len(self.outputs) != 1:
            raise VerifyException("expected op with 1 input and 1 output")
        value: Any = self.inputs[0].type
        if isinstance(value, (MemRefType, TensorType)):
            raise VerifyException("expected op with scalar input")
        if value != (element := element_or_self(self.outputs[0].type)):
            raise VerifyException(f"expected fill value type ('{shown(value)}') to match output element type ('{shown(element)}')")

    def verify_regions(self) -> None:
        verify_bodies(self)


@irdl_op_definition
class CopyOp(_OfOneInput, shipped_ops.CopyOp):
    """`linalg.copy ins(%a : memref<4xf32>) outs(%b : memref<4xf32>)`"""

    name = "linalg.copy"
    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    traits = traits_def(StructuredEffect(), Canonical())

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        types = [element_or_self(value.type) for value in (*inputs, *outputs)]
        if types[0] == types[-1]:
            return _pass_on(types)
        from stepwell.dialects.linalg.bodies import body_region

        return body_region("copy", types)

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        rank = len(shape_of(self.outputs[0]))
        return ArrayAttr(
            AffineMapAttr(AffineMap.identity(rank) if shape_of(v) or not rank else AffineMap(rank, 0, ())) for v in self.operands
        )

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return ArrayAttr([PARALLEL] * len(shape_of(self.outputs[0])))

    def verify_(self) -> None:
        verify_structured(self, self.outputs)

    def verify_regions(self) -> None:
        verify_bodies(self)


def _pass_on(types: Sequence[Attribute]) -> Region:
    """The body that yields its first argument."""
    block = Block(arg_types=types)
    block.add_op(YieldOp(block.args[0]))
    return Region(block)


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
    traits = traits_def(StructuredEffect(), Canonical())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from typing import cast as typed

        from stepwell.dialects.linalg.named import MATMUL, parse_named

        return typed(Self, parse_named(cls, MATMUL, parser))

    def print(self, printer: Printer) -> None:
        if self.indexing_maps != MATMUL_MAPS:
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        casts: dict[str, Attribute] = {} if self.cast is None else {"cast": self.cast}
        printer.print_op_attributes({**casts, **self.attributes})
        print_operands(printer, "ins", self.inputs)
        print_operands(printer, "outs", self.outputs)
        if self.results:
            print_result_types(printer, self.result_types)

    def verify_(self) -> None:
        verify_structured(self, self.outputs)
        if self.indexing_maps != MATMUL_MAPS:
            from stepwell.dialects.linalg.named import verify_matmul_maps

            verify_matmul_maps([attribute.data for attribute in self.indexing_maps])

    def verify_regions(self) -> None:
        verify_bodies(self)


_NAMED = (
    *("add", "sub", "mul", "exp", "log", "sqrt", "select", "max", "min", "quantized_matmul", "pooling_nchw_max"),
    *("transpose", "broadcast", "reduce"),
    *("conv_2d_nchw_fchw", "conv_2d_ngchw_fgchw", "conv_2d_ngchw_gfchw", "conv_2d_nhwc_fhwc", "conv_2d_nhwc_hwcf", "conv_2d_nhwgc_gfhwc"),
)
"""Named ops that xDSL has too; ours stand in `linalg_table`."""

Linalg = replace_ops(
    without(shipped.Linalg, *(f"linalg.{name}" for name in _NAMED)),
    [GenericOp, IndexOp, FillOp, CopyOp, MatmulOp, PackOp, UnPackOp],
)
