"""Named structured ops of `linalg` that are computations over a fixed iteration space: their syntax, maps, bodies and verification.

Which ops there are stands in `linalg_table`. A named op is a `linalg.generic` whose maps and body follow from its name, the types of its
operands, and its strides and dilations; like upstream, it carries the body as a region that its syntax does not show.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Self
from typing import cast as typed

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    ShapedType,
    TensorType,
    i64,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import AttrSizedOperandSegments, irdl_op_definition, opt_prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.linalg.bodies import ARITIES, body_region
from stepwell.dialects.linalg.verify import (
    Canonical,
    StructuredEffect,
    is_projected_permutation,
    shape_of,
    verify_bodies,
    verify_structured,
)
from stepwell.dialects.support import parse_result_types, print_result_types

PARALLEL = IteratorTypeAttr(IteratorType.PARALLEL)
REDUCTION = IteratorTypeAttr(IteratorType.REDUCTION)


@dataclass(frozen=True)
class Spec:
    """One named op.

    `loops` are the names of the dimensions (a `|` before the reductions is for the reader); `operands` their subscripts, by `;`, where
    `oh*sh+kh*dh` is a window with the op's strides and dilations, `_` a scalar; the last is the output. Without loops the op works element
    by element on operands of one rank. `body` names a function of `BODIES`.
    """

    name: str
    body: str
    loops: str = ""
    operands: str = ""
    maps_given: bool = False
    """Whether `indexing_maps = [...]` may be written."""

    @property
    def inputs(self) -> int:
        """How many inputs there are."""
        return self.operands.count(";") if self.operands else ARITIES[self.body]


MATMUL = Spec("matmul", "mul_add", "m n | k", "m k; k n; m n", maps_given=True)


# ---- the op ---------------------------------------------------------------------------------------------------------------------


MEMOIZED = "linalg.memoized_indexing_maps"
"""Where MLIR keeps the maps of an op whose name says them; it shows in the generic form alone."""


class NamedOp(LinalgStructuredOperation):
    """A named op; what it computes is its `SPEC`.

    ```mlir
    %r = linalg.batch_matmul ins(%a, %b : tensor<2x4x8xf32>, tensor<2x8x6xf32>) outs(%c : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    ```
    """

    SPEC: ClassVar[Spec]

    inputs = var_operand_def()
    outputs = var_operand_def(ShapedType)
    res = var_result_def(TensorType)
    body = region_def("single_block")
    indexing_maps = opt_prop_def(ArrayAttr[AffineMapAttr])
    strides = opt_prop_def(DenseIntOrFPElementsAttr)
    dilations = opt_prop_def(DenseIntOrFPElementsAttr)
    cast = opt_prop_def(Attribute)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(StructuredEffect(), Canonical())

    def _window(self, which: str) -> list[int]:
        attribute = self.properties.get(which)
        rank = self.SPEC.operands.count("*") // 2 if attribute is None else 0
        return [1] * rank if attribute is None else [int(v) for v in _numbers(typed(Any, attribute))]

    def _maps(self) -> list[AffineMap]:
        spec = self.SPEC
        given = self.indexing_maps or self.attributes.get(MEMOIZED)
        if given is not None:
            return [attribute.data for attribute in typed("ArrayAttr[AffineMapAttr]", given)]
        if not spec.operands:
            rank = len(shape_of(self.outputs[0]))
            return [AffineMap.identity(rank) if shape_of(v) or not rank else AffineMap(rank, 0, ()) for v in self.operands]
        names = spec.loops.replace("|", " ").split()
        strides, dilations = self._window("strides"), self._window("dilations")
        factors: dict[str, int] = {}
        for letter, values in (("s", strides), ("d", dilations)):
            suffixes = ("",) if len(values) == 1 else ("h", "w") if len(values) == 2 else ("d", "h", "w")
            factors |= {letter + suffix: value for suffix, value in zip(suffixes, values, strict=False)}
        return [_map(operand, names, factors) for operand in spec.operands.split(";")]

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return ArrayAttr(AffineMapAttr(map) for map in self._maps())

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        if not self.SPEC.operands:
            return ArrayAttr([PARALLEL] * len(shape_of(self.outputs[0])))
        output = self._maps()[-1].used_dims()
        return ArrayAttr(PARALLEL if dim in output else REDUCTION for dim in range(len(self.SPEC.loops.replace("|", " ").split())))

    def verify_(self) -> None:
        spec = self.SPEC
        expected = max((operand.count("*") // 2 for operand in spec.operands.split(";")), default=0)
        for name in ("strides", "dilations"):
            attribute = self.properties.get(name)
            if attribute is not None and not _is_list_of_i64(attribute, expected):
                summary = f"64-bit signless int elements attribute of shape [{expected}]"
                raise VerifyException(f"attribute '{name}' failed to satisfy constraint: {summary}")
        verify_structured(self, self.outputs)
        if self.indexing_maps is not None and len(self.indexing_maps) == 3:
            verify_given_maps(spec, self._maps())

    def verify_regions(self) -> None:
        verify_bodies(self)
        if "conv" in self.SPEC.name:
            _verify_convolution(self._maps())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return typed(Self, parse_named(cls, cls.SPEC, parser))

    def generic_form(self) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
        """Properties and attributes as MLIR's generic form states them: with the maps, which it keeps in an attribute of its own."""
        maps = self.get_indexing_maps()
        if self.SPEC.maps_given:
            return {**self.properties, "indexing_maps": maps}, self.attributes
        return self.properties, {**self.attributes, MEMOIZED: maps}

    def print(self, printer: Printer) -> None:
        properties = {name: value for name, value in self.properties.items() if name not in ("operandSegmentSizes", "indexing_maps")}
        if self.indexing_maps is not None:
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        printer.print_op_attributes({**properties, **self.attributes}, reserved_attr_names=(MEMOIZED,))
        print_ins_and_outs(printer, self.inputs, self.outputs)
        if self.results:
            print_result_types(printer, self.result_types)


def _numbers(attribute: Any) -> Sequence[int]:
    """One number per element, also of a splat."""
    values, count = list(attribute.get_values()), prod(attribute.type.get_shape())
    return values * count if len(values) == 1 else values


def _is_list_of_i64(attribute: Attribute, count: int) -> bool:
    if not isinstance(attribute, DenseIntOrFPElementsAttr):
        return False
    type = typed("Any", attribute.type)
    return type.get_element_type() == i64 and tuple(type.get_shape()) == (count,)


def _verify_convolution(maps: Sequence[AffineMap]) -> None:
    """The interface of convolutions: a window over the image, everything else subscripted by loops themselves."""
    image, kernel, output = maps[0], maps[1], maps[-1]
    for expr in image.results:
        pending = [expr]
        while pending:
            term = pending.pop()
            if isinstance(term, AffineBinaryOpExpr) and term.kind is AffineBinaryOpKind.Add:
                pending += [term.lhs, term.rhs]
            elif isinstance(term, AffineBinaryOpExpr):
                is_scaled = term.kind is AffineBinaryOpKind.Mul and isinstance(term.lhs, AffineDimExpr) and term is not expr
                if not is_scaled or not isinstance(term.rhs, AffineConstantExpr):
                    raise VerifyException("unexpected input index map for convolutions")
    if not (is_projected_permutation(kernel) and is_projected_permutation(output)):
        raise VerifyException("expected output/filter indexing maps to be projected permutations")


def _map(operand: str, names: Sequence[str], factors: dict[str, int]) -> AffineMap:
    results: list[AffineExpr] = []
    for subscript in operand.split():
        if subscript == "_":
            continue
        terms: list[AffineExpr] = []
        for term in subscript.split("+"):
            name, _, factor = term.partition("*")
            dim = AffineExpr.dimension(names.index(name))
            terms.append(dim * factors.get(factor, 1) if factor else dim)
        results.append(terms[0] if len(terms) == 1 else terms[0] + terms[1])
    return AffineMap(len(names), 0, tuple(results))


def verify_matmul_maps(maps: Sequence[AffineMap]) -> None:
    """Raise VerifyException unless maps are those of `matmul` with operands transposed or broadcast."""
    for map, default in zip(maps[:2], _defaults(MATMUL)[:2], strict=True):
        if not set(map.results) <= set(default.results):
            raise VerifyException("Unexpected dim expression in map result.")
        if len(map.results) < len(default.results) and 2 not in map.used_dims():
            raise VerifyException("Invalid broadcast requested, should be (d2).")


def verify_given_maps(spec: Spec, maps: Sequence[AffineMap]) -> None:
    """Raise VerifyException unless maps are those of a batched contraction with operands transposed or broadcast."""
    for index, (map, default) in enumerate(zip(maps, _defaults(spec), strict=True)):
        found, expected = len(map.results), len(default.results)
        if index == 2 and found != expected:
            raise VerifyException(f"expects {expected} dims, but got ({found}).")
        if index == 2 and map.results != default.results:
            raise VerifyException("Invalid output map result dimension.")
        if not set(map.results) <= set(default.results):
            raise VerifyException("Unexpected result dim expression (outside the set of default result dims).")
        if found > 3:
            raise VerifyException("no. of result dim expressions exceeds 3.")
        if found < expected:
            if not _is_valid_broadcast(map, index == 0):
                raise VerifyException("Invalid broadcast requested.")
        elif index < 2 and 0 not in map.results[0].used_dims():
            raise VerifyException("Invalid batch dimension expression.")


def _is_valid_broadcast(map: AffineMap, is_lhs: bool) -> bool:
    """Loops are (batch, m, n, k)."""
    if len(map.results) == 1:
        return 3 in map.results[0].used_dims()
    first, second = (expr.used_dims() for expr in map.results)
    if is_lhs:
        return bool(first & {0, 1}) and 3 in second
    return (0 in first and 3 in second) or (3 in first and 2 in second)


def _defaults(spec: Spec) -> list[AffineMap]:
    names = spec.loops.replace("|", " ").split()
    return [_map(operand, names, {}) for operand in spec.operands.split(";")]


# ---- text -----------------------------------------------------------------------------------------------------------------------


def parse_ins_and_outs(parser: Parser) -> tuple[list[SSAValue], list[SSAValue]]:
    """`ins(%a : type) outs(%b : type)`; either may be absent."""

    def values(keyword: str) -> list[SSAValue]:
        if parser.parse_optional_keyword(keyword) is None:
            return []
        start = parser.pos
        parser.parse_punctuation("(")
        if parser.parse_optional_punctuation(")"):
            return []
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_punctuation(")")
        return list(parser.resolve_operands(operands, types, start))

    return values("ins"), values("outs")


def print_ins_and_outs(printer: Printer, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> None:
    """` ins(...) outs(...)`"""
    for keyword, values in (("ins", inputs), ("outs", outputs)):
        if values:
            printer.print_string(f" {keyword}(")
            printer.print_list(values, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([value.type for value in values], printer.print_attribute)
            printer.print_string(")")


def parse_named(cls: type[LinalgStructuredOperation], spec: Spec, parser: Parser) -> LinalgStructuredOperation:
    """What follows the name of an op of class `cls`; the body is made."""
    attributes = parser.parse_optional_attr_dict()
    if spec.maps_given and parser.parse_optional_keyword("indexing_maps"):
        parser.parse_punctuation("=")
        attributes["indexing_maps"] = parser.parse_attribute()
    attributes |= parser.parse_optional_attr_dict()
    inputs, outputs = parse_ins_and_outs(parser)
    start = parser.pos
    attributes |= parser.parse_optional_attr_dict()
    types = parse_result_types(parser, optional=True)
    properties = {name: attributes.pop(name) for name in ("indexing_maps", "strides", "dilations", "cast") if name in attributes}
    unsigned = "cast_unsigned" in str(properties.get("cast", "")) or spec.name.endswith("_unsigned")
    if spec.maps_given and "indexing_maps" in properties and len(typed(Any, properties["indexing_maps"])) != 3:
        parser.raise_error("Indexing_map attribute must have 3 affine maps", start)
    check_arguments(parser, start, cls.name, spec.inputs + 1, len(inputs) + len(outputs))
    body = made_body(parser, start, cls.name, spec.body, [value.type for value in (*inputs, *outputs)], unsigned)
    return cls.build(operands=[inputs, outputs], result_types=[types], properties=properties, attributes=attributes, regions=[body])


def check_arguments(parser: Parser, start: int, name: str, expected: int, found: int) -> None:
    """Upstream's word for a wrong number of operands."""
    if expected != found:
        text = f"ods-gen generated region expects {expected} args, got {found}"
        parser.raise_error(f"custom op '{name}' [parseNamedStructuredOpRegion] {text}", start)


def made_body(parser: Parser, start: int, name: str, body: str, types: Sequence[Attribute], unsigned: bool) -> Region:
    """The body, or an error at the operation."""
    try:
        return body_region(body, types, unsigned)
    except VerifyException as error:
        parser.raise_error(f"custom op '{name}' {error}", start)


def define(spec: Spec) -> type[NamedOp]:
    """The op class of a spec."""
    fields: dict[str, Any] = {
        name: getattr(NamedOp, name) for name in ("inputs", "outputs", "res", "body", "indexing_maps", "strides", "dilations", "cast")
    }
    summary = f"`linalg.{spec.name}`: {spec.operands or 'elementwise'} over ({spec.loops or 'the output'}), {spec.body}."
    made = type(spec.name, (NamedOp,), {"name": f"linalg.{spec.name}", "__doc__": summary, **fields})
    defined = typed("type[NamedOp]", irdl_op_definition(made))
    defined.SPEC = spec
    return defined
