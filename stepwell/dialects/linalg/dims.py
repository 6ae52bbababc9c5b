"""Ops of `linalg` on whole dimensions: `map`, `reduce`, `transpose` and `broadcast`.

`map` and `reduce` of one operation have a short form, `linalg.map { arith.addf } ins(...) outs(...)`.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, TensorType, i64
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.irdl import IRDLOperation, irdl_op_definition, prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.linalg.named import PARALLEL, REDUCTION, parse_ins_and_outs, print_ins_and_outs
from stepwell.dialects.linalg.verify import (
    Canonical,
    StructuredEffect,
    WholeDims,
    element_or_self,
    shape_of,
    verify_bodies,
    verify_structured,
)
from stepwell.ir.rules import shown


class DimsOp(IRDLOperation, WholeDims):
    """What these ops share: the operands are inputs, then outputs; `_maps` says what reads what."""

    values = var_operand_def()
    res = var_result_def()
    ATTRIBUTE: ClassVar[str] = ""
    """The name of the list of dimensions."""

    def _split(self) -> int:
        return len(self.operands) - 1

    @property
    def inputs(self) -> Sequence[SSAValue]:
        return self.operands[: self._split()]

    @property
    def outputs(self) -> Sequence[SSAValue]:
        return self.operands[self._split() :]

    def dims(self) -> tuple[int, ...]:
        """The list of dimensions."""
        return tuple(cast(Any, self.properties[self.ATTRIBUTE]).get_values())

    def _maps(self) -> list[AffineMap]:
        raise NotImplementedError

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return ArrayAttr(AffineMapAttr(map) for map in self._maps())

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return ArrayAttr([PARALLEL] * len(shape_of(self.outputs[0])))

    def verify_regions(self) -> None:
        verify_bodies(self)

    def _print_dims(self, printer: Printer) -> None:
        printer.print_string(f" {self.ATTRIBUTE} = {list(self.dims())}")


def _parse_dims(parser: Parser, name: str) -> dict[str, Attribute]:
    parser.parse_keyword(name)
    parser.parse_punctuation("=")
    dims = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
    return {name: DenseArrayBase.from_list(i64, dims)}


def _result_types(outputs: Sequence[SSAValue]) -> list[Attribute]:
    return [value.type for value in outputs if isinstance(value.type, TensorType)]


def _listed(shape: Sequence[int]) -> str:
    return ", ".join(str(extent) for extent in shape)


# ---- bodies ---------------------------------------------------------------------------------------------------------------------


def _parse_short_body(parser: Parser) -> tuple[str, dict[str, Attribute]] | None:
    """`{ arith.addf { attributes } }`"""
    if parser.parse_optional_punctuation("{") is None:
        return None
    name = parser.expect(parser.parse_optional_identifier, "expected bare identifier or keyword")
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation("}")
    return name, attributes


def _short_body(short: tuple[str, dict[str, Attribute]], block: Block, operands: Sequence[SSAValue], result: Attribute) -> Region:
    from stepwell.ir.registry import make_context

    name, attributes = short
    kind = make_context(allow_unregistered=False).get_op(name)
    known = cast(Any, kind).get_irdl_definition().properties
    properties = {k: v for k, v in attributes.items() if k in known}
    for key, definition in known.items():
        if key not in properties and definition.default_value is not None:
            properties[key] = definition.default_value
    rest = {k: v for k, v in attributes.items() if k not in properties}
    op = kind.create(operands=list(operands), result_types=[result], properties=properties, attributes=rest)
    block.add_ops([op, YieldOp(op.results[0])])
    return Region(block)


def _payload(block: Block, operands: Sequence[SSAValue]) -> Operation | None:
    """The one operation of a body that has a short form: it takes `operands`, and its result is what the body yields."""
    first, last = block.first_op, block.last_op
    if first is None or last is None or first.next_op is not last or not operands or first.regions:
        return None
    is_payload = tuple(first.operands) == tuple(operands) and tuple(last.operands) == tuple(first.results)
    return first if is_payload else None


def _print_short(printer: Printer, payload: Operation) -> None:
    attributes = {
        name: value
        for name, value in {**payload.properties, **payload.attributes}.items()
        if not (name == "fastmath" and not getattr(value, "data", True))
    }
    printer.print_string(f" {{ {payload.name}")
    printer.print_op_attributes(attributes)
    printer.print_string(" }")


def _print_body(printer: Printer, body: Region) -> None:
    with printer.indented():
        printer.print_string("\n")
        with printer.in_parens():
            printer.print_list(body.block.args, printer.print_block_argument)
        printer.print_string(" ")
        printer.print_region(body, print_entry_block_args=False)


def _pass_on(types: Sequence[Attribute]) -> Region:
    block = Block(arg_types=types)
    block.add_op(YieldOp(block.args[0]))
    return Region(block)


# ---- map ------------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class MapOp(DimsOp):
    """A scalar computation on elements in the same place.

    ```mlir
    %r = linalg.map ins(%a, %b : tensor<64xf32>, tensor<64xf32>) outs(%o : tensor<64xf32>) (%x: f32, %y: f32, %old: f32) {
      ...
      linalg.yield %z : f32
    }
    ```
    """

    name = "linalg.map"

    values = var_operand_def()
    res = var_result_def()
    body = region_def()
    traits = traits_def(StructuredEffect(), Canonical())

    def _maps(self) -> list[AffineMap]:
        return [AffineMap.identity(len(shape_of(self.outputs[0])))] * len(self.operands)

    def verify_(self) -> None:
        if not self.operands:
            raise VerifyException("expected 1 or more operands, but found 0")
        verify_structured(self, self.outputs)
        arguments, count = self.body.block.args, len(self.operands)
        if count != len(arguments):
            raise VerifyException(f"expects number of operands to match the arity of mapper, but got: {count} and {len(arguments)}")
        for value, argument in zip(self.inputs, arguments, strict=False):
            if (element := element_or_self(value.type)) != argument.type:
                raise VerifyException(f"expected element type of input '{shown(element)}' to match bbArg type '{shown(argument.type)}'")
        shape = shape_of(self.outputs[0])
        for value in self.inputs:
            if (found := shape_of(value)) != shape:
                raise VerifyException(f"expected shape of input ({_listed(found)}) to match shape of output ({_listed(shape)})")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        short = _parse_short_body(parser)
        inputs, outputs = parse_ins_and_outs(parser)
        attributes = parser.parse_optional_attr_dict()
        values = [*inputs, *outputs]
        if short is not None:
            block = Block(arg_types=[element_or_self(value.type) for value in values])
            body = _short_body(short, block, block.args[:-1], block.args[-1].type) if values else Region(block)
        else:
            arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=True))
            body = parser.parse_region(arguments)
        return cls.create(operands=values, result_types=_result_types(outputs), attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        block = self.body.block
        payload = _payload(block, block.args[:-1])
        if payload is not None:
            _print_short(printer, payload)
        print_ins_and_outs(printer, self.inputs, self.outputs)
        printer.print_op_attributes(self.attributes)
        if payload is None:
            _print_body(printer, self.body)


# ---- reduce ---------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class ReduceOp(DimsOp):
    """Dimensions combined away, of several inputs at once if need be.

    ```mlir
    %r = linalg.reduce ins(%a : tensor<2x3xf32>) outs(%b : tensor<2xf32>) dimensions = [1] (%x: f32, %acc: f32) {
      ...
      linalg.yield %s : f32
    }
    ```
    """

    name = "linalg.reduce"
    ATTRIBUTE: ClassVar[str] = "dimensions"

    values = var_operand_def()
    res = var_result_def()
    body = region_def()
    dimensions = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(StructuredEffect(), Canonical())

    def _split(self) -> int:
        return len(self.operands) // 2

    def _maps(self) -> list[AffineMap]:
        rank, count = len(shape_of(self.operands[0])), self._split()
        return [AffineMap.identity(rank)] * count + [_without(rank, self.dims())] * count

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        reduced = self.dims()
        return ArrayAttr(REDUCTION if dim in reduced else PARALLEL for dim in range(len(shape_of(self.operands[0]))))

    def verify_(self) -> None:
        if not self.operands:
            raise VerifyException("expected at least one input")
        if len(self.operands) % 2:
            raise VerifyException("expected equal number of inputs and outputs")
        dims = self.dims()
        if any(a >= b for a, b in pairwise(dims)):
            summary = "i64 dense array attribute should be in increasing order"
            raise VerifyException(f"attribute 'dimensions' failed to satisfy constraint: {summary}")
        verify_structured(self, self.outputs)
        self._verify_shapes()
        self._verify_body()

    def _verify_shapes(self) -> None:
        shape, output = shape_of(self.inputs[0]), shape_of(self.outputs[0])
        for values, what, whole in ((self.inputs, "input", shape), (self.outputs, "output", output)):
            for index, value in enumerate(values):
                if shape_of(value) != whole:
                    text = f"Shape at {what}-index {index} is not equal to the shape at {what}-index 0."
                    raise VerifyException(f"expects all {what}s to have the same shapes. {text}")
        dims = self.dims()
        if any(not 0 <= dim < len(shape) for dim in dims):
            raise VerifyException(f"dimensions for reduction should be in the range [0, {len(shape) - 1}].")
        left = tuple(extent for dim, extent in enumerate(shape) if dim not in dims)
        if len(left) != len(output):
            raise VerifyException(f"number of dimensions after reduction {len(left)} doesn't match the init rank {len(output)}")
        if left != output:
            raise VerifyException(f"init dimensions [{_listed(output)}] doesn't match input dimensions after reduction [{_listed(left)}]")

    def _verify_body(self) -> None:
        arguments = self.body.block.args
        if len(arguments) != len(self.operands):
            raise VerifyException("mismatching number of operands and block arguments")
        for index, (value, argument) in enumerate(zip(self.operands, arguments, strict=True)):
            if (element := element_or_self(value.type)) != argument.type:
                what = "input" if index < self._split() else "output"
                types = f"'{shown(element)}' does not match corresponding block argument type '{shown(argument.type)}'"
                raise VerifyException(f"{what} element type {types}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        short = _parse_short_body(parser)
        start = parser.pos
        inputs, outputs = parse_ins_and_outs(parser)
        if not inputs:
            parser.raise_error(f"'{cls.name}' op expected at least one input", start)
        if len(inputs) != len(outputs):
            parser.raise_error(f"'{cls.name}' op expected equal number of inputs and outputs", start)
        properties = _parse_dims(parser, "dimensions")
        attributes = parser.parse_optional_attr_dict()
        values = [*inputs, *outputs]
        if short is not None:
            block = Block(arg_types=[element_or_self(value.type) for value in values])
            body = _short_body(short, block, (block.args[-1], *block.args[:-1]), block.args[-1].type)
        else:
            arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=True))
            body = parser.parse_region(arguments)
        types = _result_types(outputs)
        return cls.create(operands=values, result_types=types, properties=properties, attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        block = self.body.block
        payload = _payload(block, (block.args[-1], *block.args[:-1])) if block.args else None
        if payload is not None:
            _print_short(printer, payload)
        print_ins_and_outs(printer, self.inputs, self.outputs)
        self._print_dims(printer)
        printer.print_string("" if self.attributes else " ")
        printer.print_op_attributes(self.attributes)
        if payload is None:
            _print_body(printer, self.body)


def _without(rank: int, dims: Sequence[int]) -> AffineMap:
    return AffineMap(rank, 0, tuple(AffineExpr.dimension(dim) for dim in range(rank) if dim not in dims))


# ---- transpose and broadcast ----------------------------------------------------------------------------------------------------


class MoveOp(DimsOp):
    """One input, one output, and a body that hands the element on."""

    values = var_operand_def()
    res = var_result_def()
    body = region_def()

    @property
    def input(self) -> SSAValue:
        return self.operands[0]

    @property
    def init(self) -> SSAValue:
        return self.operands[1]

    def verify_(self) -> None:
        if len(self.operands) != 2:
            raise VerifyException(f"expected 2 operands, but found {len(self.operands)}")
        verify_structured(self, self.outputs)
        self._verify_dims()

    def _verify_dims(self) -> None:
        raise NotImplementedError

    @classmethod
    def get(cls, input: SSAValue, init: SSAValue, dims: Sequence[int]) -> Self:
        """`dims` are the permutation, or the dimensions that are added."""
        body = _pass_on([element_or_self(input.type), element_or_self(init.type)])
        properties: dict[str, Attribute] = {cls.ATTRIBUTE: DenseArrayBase.from_list(i64, dims)}
        return cls.create(operands=[input, init], result_types=_result_types([init]), properties=properties, regions=[body])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        inputs, outputs = parse_ins_and_outs(parser)
        properties = _parse_dims(parser, cls.ATTRIBUTE)
        attributes = parser.parse_optional_attr_dict()
        values = [*inputs, *outputs]
        body = _pass_on([element_or_self(value.type) for value in values]) if values else Region(Block())
        types = _result_types(outputs)
        return cls.create(operands=values, result_types=types, properties=properties, attributes=attributes, regions=[body])

    def print(self, printer: Printer) -> None:
        print_ins_and_outs(printer, self.inputs, self.outputs)
        self._print_dims(printer)
        printer.print_string("" if self.attributes else " ")
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class TransposeOp(MoveOp):
    """`%r = linalg.transpose ins(%a : tensor<2x3xf32>) outs(%b : tensor<3x2xf32>) permutation = [1, 0]`"""

    name = "linalg.transpose"
    ATTRIBUTE: ClassVar[str] = "permutation"

    values = var_operand_def()
    res = var_result_def()
    body = region_def()
    permutation = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(StructuredEffect(), Canonical())

    def _maps(self) -> list[AffineMap]:
        permutation = self.dims()
        inverse = tuple(AffineExpr.dimension(permutation.index(dim)) for dim in range(len(permutation)))
        return [AffineMap(len(permutation), 0, inverse), AffineMap.identity(len(permutation))]

    def _verify_dims(self) -> None:
        shape, output, permutation = shape_of(self.input), shape_of(self.init), self.dims()
        if sorted(permutation) != list(range(len(permutation))):
            raise VerifyException("permutation is not valid")
        if len(shape) != len(output):
            raise VerifyException(f"input rank ({len(shape)}) does not match init rank ({len(output)})")
        if len(shape) != len(permutation):
            raise VerifyException(f"size of permutation {len(permutation)} does not match the argument rank {len(shape)}")
        for dim, (source, extent) in enumerate(zip(permutation, output, strict=True)):
            if shape[source] != extent:
                text = f"dim(result, {dim}) = {extent} doesn't match dim(input, permutation[{dim}]) = {shape[source]}"
                raise VerifyException(text)


@irdl_op_definition
class BroadcastOp(MoveOp):
    """`%r = linalg.broadcast ins(%a : tensor<3xf32>) outs(%b : tensor<2x3xf32>) dimensions = [0]`: the dimensions named are added."""

    name = "linalg.broadcast"
    ATTRIBUTE: ClassVar[str] = "dimensions"

    values = var_operand_def()
    res = var_result_def()
    body = region_def()
    dimensions = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(StructuredEffect(), Canonical())

    def _maps(self) -> list[AffineMap]:
        rank = len(shape_of(self.init))
        return [_without(rank, self.dims()), AffineMap.identity(rank)]

    def _verify_dims(self) -> None:
        shape, output, dims = shape_of(self.input), shape_of(self.init), self.dims()
        if len(set(dims)) != len(dims):
            raise VerifyException("dimensions should not contain duplicates")
        if len(shape) + len(dims) != len(output):
            ranks = f"input rank: {len(shape)}, dimensions size: {len(dims)}, init rank: {len(output)}"
            raise VerifyException(f"input rank plus added dimensions does not match init rank. {ranks}")
        for index, dim in enumerate(dims):
            if not 0 <= dim < len(output):
                raise VerifyException(f"dimension {index} is out of range. expected range: [0, {len(output) - 1}], got: {dim}")
        kept = [dim for dim in range(len(output)) if dim not in dims]
        for index, (dim, extent) in enumerate(zip(kept, shape, strict=True)):
            if output[dim] != extent:
                raise VerifyException(f"input dim {index} should match init dim {dim}. input: {extent}, init: {output[dim]}")


DIMS_OPS: list[type[Operation]] = [MapOp, ReduceOp, TransposeOp, BroadcastOp]
