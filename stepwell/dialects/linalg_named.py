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
    DYNAMIC_INDEX,
    AffineMapAttr,
    ArrayAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ShapedType,
    TensorType,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import AttrSizedOperandSegments, irdl_op_definition, opt_prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import arith, math
from stepwell.dialects.linalg import StructuredEffect, verify_results
from stepwell.dialects.support import element_of, is_float, parse_result_types, print_result_types

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


# ---- bodies ---------------------------------------------------------------------------------------------------------------------


class _Body:
    """Builds scalar arithmetic at the end of a block, on floats or integers alike."""

    def __init__(self, block: Block, unsigned: bool) -> None:
        self._block = block
        self._unsigned = unsigned

    def add(self, op: Operation) -> SSAValue:
        self._block.add_op(op)
        return op.results[0]

    def cast(self, value: SSAValue, type: Attribute) -> SSAValue:
        """`value` as a `type`, by the cast that fits."""
        source: Attribute = value.type
        if source == type:
            return value
        kinds = _kind(source), _kind(type)
        wider = getattr(type, "bitwidth", 64) > getattr(source, "bitwidth", 64)
        if kinds == ("float", "float"):
            return self.add(arith.ExtFOp(value, type) if wider else arith.TruncFOp(value, type))
        if kinds == ("int", "int"):
            grow = arith.ExtUIOp if self._unsigned else arith.ExtSIOp
            return self.add(grow(value, type) if wider else arith.TruncIOp(value, type))
        if kinds == ("int", "float"):
            return self.add((arith.UIToFPOp if self._unsigned else arith.SIToFPOp)(value, type))
        if kinds == ("float", "int"):
            return self.add((arith.FPToUIOp if self._unsigned else arith.FPToSIOp)(value, type))
        if "index" in kinds and "int" in kinds:
            return self.add(arith.IndexCastOp(value, type))
        return value  # another type's arithmetic: its verifier will say

    def binary(self, kind: str, a: SSAValue, b: SSAValue) -> SSAValue:
        float_op, signed_op, unsigned_op = OPERATIONS[kind]
        if isinstance(a.type, ComplexType):
            return self._complex(kind, a, b)
        op = float_op if _kind(a.type) not in ("int", "index") else unsigned_op if self._unsigned else signed_op
        if op is None:
            raise VerifyException(f"has no '{kind}' of {a.type}")
        if isinstance(a.type, IntegerType) and a.type.bitwidth == 1 and kind in ("add", "mul"):
            op = arith.OrIOp if kind == "add" else arith.AndIOp
        return self.add(op(a, b))

    def _complex(self, kind: str, a: SSAValue, b: SSAValue) -> SSAValue:
        from xdsl.dialects import complex

        ops: dict[str, Any] = {"add": complex.AddOp, "sub": complex.SubOp, "mul": complex.MulOp, "div": complex.DivOp}
        if kind not in ops:
            raise VerifyException(f"has no '{kind}' of {a.type}")
        return self.add(ops[kind].create(operands=[a, b], result_types=[a.type], properties={"fastmath": arith.NO_FLAGS}))


OPERATIONS: dict[str, tuple[Any, Any, Any]] = {
    "add": (arith.AddfOp, arith.AddiOp, arith.AddiOp),
    "sub": (arith.SubfOp, arith.SubiOp, arith.SubiOp),
    "mul": (arith.MulfOp, arith.MuliOp, arith.MuliOp),
    "div": (arith.DivfOp, arith.DivSIOp, arith.DivUIOp),
    "max": (arith.MaximumfOp, arith.MaxSIOp, arith.MaxUIOp),
    "min": (arith.MinimumfOp, arith.MinSIOp, arith.MinUIOp),
    "powf": (math.PowFOp, None, None),
}
FUNCTIONS: dict[str, Any] = {
    **{"exp": math.ExpOp, "log": math.LogOp, "abs": math.AbsFOp, "ceil": math.CeilOp, "floor": math.FloorOp, "negf": arith.NegfOp},
    **{
        "sin": math.SinOp,
        "cos": math.CosOp,
        "tan": math.TanOp,
        "round": math.RoundOp,
        "sqrt": math.SqrtOp,
        "rsqrt": math.RsqrtOp,
        "tanh": math.TanhOp,
        "erf": math.ErfOp,
    },
}
ARITIES = {**dict.fromkeys(OPERATIONS, 2), **dict.fromkeys(FUNCTIONS, 1), "square": 1, "reciprocal": 1, "select": 3}


def _kind(type: Attribute) -> str:
    if isinstance(type, IntegerType):
        return "int"
    return "index" if isinstance(type, IndexType) else "float" if is_float(type) else "other"


def _build(body: str, build: _Body, arguments: Sequence[SSAValue]) -> SSAValue:
    """The value that a body yields; the last argument is the old element of the output."""
    *inputs, old = arguments
    type: Attribute = old.type
    if body in ("mul_add", "mul_add_q", "sum", "max_window", "min_window"):
        values = [build.cast(value, type) for value in inputs]
        if body == "mul_add_q":
            values = [build.binary("sub", values[0], values[2]), build.binary("sub", values[1], values[3])]
        if body in ("mul_add", "mul_add_q"):
            return build.binary("add", old, build.binary("mul", values[0], values[1]))
        return build.binary({"sum": "add", "max_window": "max", "min_window": "min"}[body], old, values[0])
    if body == "select":
        return build.add(arith.SelectOp(inputs[0], build.cast(inputs[1], type), build.cast(inputs[2], type)))
    values = [build.cast(value, type) for value in inputs]
    if body in OPERATIONS:
        return build.binary(body, values[0], values[1])
    if body == "square":
        return build.binary("mul", values[0], values[0])
    if body == "reciprocal":
        one = build.add(arith.ConstantOp(FloatAttr(1.0, typed(Any, type)) if is_float(type) else IntegerAttr(1, typed(Any, type))))
        return build.binary("div", one, values[0])
    if body == "abs" and not is_float(type):
        return build.add(math.AbsIOp(values[0]))
    return build.add(FUNCTIONS[body](values[0]))


def body_region(body: str, types: Sequence[Attribute], unsigned: bool = False) -> Region:
    """The body over operands of these types, inputs then the output."""
    block = Block(arg_types=[element_of(type) for type in types])
    result = _build(body, _Body(block, unsigned), block.args)
    block.add_op(YieldOp(result))
    return Region(block)


# ---- the op ---------------------------------------------------------------------------------------------------------------------


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
    traits = traits_def(StructuredEffect())

    def _window(self, which: str) -> list[int]:
        attribute = self.properties.get(which)
        rank = self.SPEC.operands.count("*") // 2 if attribute is None else 0
        return [1] * rank if attribute is None else [int(v) for v in _numbers(typed(Any, attribute))]

    def _maps(self) -> list[AffineMap]:
        spec = self.SPEC
        if self.indexing_maps is not None:
            return [attribute.data for attribute in self.indexing_maps]
        if not spec.operands:
            rank = len(_shape(self.outputs[0]))
            return [AffineMap.identity(rank) if _shape(v) or not rank else AffineMap(rank, 0, ()) for v in self.operands]
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
            return ArrayAttr([PARALLEL] * len(_shape(self.outputs[0])))
        output = self._maps()[-1].used_dims()
        return ArrayAttr(PARALLEL if dim in output else REDUCTION for dim in range(len(self.SPEC.loops.replace("|", " ").split())))

    def verify_(self) -> None:
        spec = self.SPEC
        if len(self.inputs) != spec.inputs or len(self.outputs) != 1:
            raise VerifyException(f"expects {spec.inputs} inputs and 1 output, got {len(self.inputs)} and {len(self.outputs)}")
        verify_results(self, self.outputs)
        for name in ("strides", "dilations"):
            expected = max((operand.count("*") // 2 for operand in spec.operands.split(";")), default=0)
            if name in self.properties and len(list(_numbers(typed(Any, self.properties[name])))) != expected:
                raise VerifyException(f"incorrect shape for attribute '{name}': expects {expected} values")
        if self.indexing_maps is not None:
            verify_given_maps(spec, [attribute.data for attribute in self.indexing_maps])
        if spec.name.endswith("_unsigned") and spec.body.endswith("_window") and is_float(element_of(self.outputs[0].type)):
            raise VerifyException(f"unsupported operation: unsigned {spec.body[:3]} not on uint")
        verify_shapes(self.operands, self._maps())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return typed(Self, parse_named(cls, cls.SPEC, parser))

    def print(self, printer: Printer) -> None:
        properties = {name: value for name, value in self.properties.items() if name not in ("operandSegmentSizes", "indexing_maps")}
        if self.indexing_maps is not None:
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        printer.print_op_attributes({**properties, **self.attributes})
        print_ins_and_outs(printer, self.inputs, self.outputs)
        if self.results:
            print_result_types(printer, self.result_types)


def _numbers(attribute: Any) -> Sequence[int]:
    """One number per element, also of a splat."""
    values, count = list(attribute.get_values()), prod(attribute.type.get_shape())
    return values * count if len(values) == 1 else values


def _shape(value: SSAValue) -> tuple[int, ...]:
    return tuple(value.type.get_shape()) if isinstance(value.type, ShapedType) else ()


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


def verify_given_maps(spec: Spec, maps: Sequence[AffineMap]) -> None:
    """Raise VerifyException unless maps are those of a contraction with operands transposed, or broadcast along leading dimensions."""
    defaults = [_map(operand, spec.loops.replace("|", " ").split(), {}) for operand in spec.operands.split(";")]
    if len(maps) != len(defaults):
        raise VerifyException(f"expected {len(defaults)} indexing_maps, got {len(maps)}")
    batched = spec.loops.split()[0] == "b"
    reduced = defaults[0].used_dims() - defaults[-1].used_dims()
    for index, (map, default) in enumerate(zip(maps, defaults, strict=True)):
        if map.num_dims != default.num_dims:
            raise VerifyException(f"expected indexing_map #{index} to have {default.num_dims} dim(s) to match the number of loops")
        if not all(expr in default.results for expr in map.results):
            raise VerifyException("Unexpected result dim expression (outside the set of default result dims).")
        if index == len(maps) - 1:
            if map.results != default.results:
                raise VerifyException("Invalid output map result dimension.")
        elif len(map.results) < len(default.results):
            kept = default.results[len(default.results) - len(map.results) :] if index == 0 or batched else default.results[:1]
            if (len(map.results) == 1 and not map.used_dims() & reduced) or (len(map.results) > 1 and set(map.results) != set(kept)):
                raise VerifyException("Invalid broadcast requested")
        elif batched and map.results[0] != default.results[0]:
            raise VerifyException("Invalid batch dimension expression")


def verify_shapes(operands: Sequence[SSAValue], maps: Sequence[AffineMap]) -> None:
    """Raise VerifyException unless the shapes of the operands agree about the extent of every loop."""
    extents: dict[int, int] = {}
    for index, (value, map) in enumerate(zip(operands, maps, strict=True)):
        shape = _shape(value)
        if len(shape) != len(map.results):
            raise VerifyException(
                f"expected operand #{index} rank ({len(shape)}) to match the result rank of indexing_map ({len(map.results)})"
            )
        for expr, size in zip(map.results, shape, strict=True):
            if isinstance(expr, AffineDimExpr) and size != DYNAMIC_INDEX:
                extents.setdefault(expr.position, size)
    for index, (value, map) in enumerate(zip(operands, maps, strict=True)):
        for dim, (expr, size) in enumerate(zip(map.results, _shape(value), strict=True)):
            used = expr.used_dims()
            if size == DYNAMIC_INDEX or not used <= extents.keys():
                continue
            if any(extents[d] == 0 for d in used):
                continue
            last = expr.eval([extents.get(d, 1) - 1 for d in range(map.num_dims)], [0] * map.num_symbols) + 1
            exact = isinstance(expr, AffineDimExpr | AffineConstantExpr)
            if (exact and last != size) or last > size:
                bound = "" if exact else "greater than or equal to "
                raise VerifyException(
                    f"inferred input/output operand #{index} has shape's dimension #{dim} to be {bound}{last}, but found {size}"
                )


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
    if len(inputs) != spec.inputs or len(outputs) != 1:
        parser.raise_error(f"expected {spec.inputs} inputs and 1 output, got {len(inputs)} and {len(outputs)}", start)
    body = body_region(spec.body, [value.type for value in (*inputs, *outputs)], unsigned)
    return cls.build(operands=[inputs, outputs], result_types=[types], properties=properties, attributes=attributes, regions=[body])


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
