"""From a file of the `irdl` dialect to dialects whose types, attributes and operations are read, checked and printed in generic form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from xdsl.context import Context as ParserContext
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, SymbolRefAttr
from xdsl.dialects.irdl import irdl
from xdsl.ir import Attribute, Data, Dialect, Operation, Region, SSAValue, TypeAttribute
from xdsl.irdl import IRDLOperation, irdl_op_definition, var_operand_def, var_region_def, var_result_def, var_successor_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.irdl import constraints
from stepwell.ir.irdl.constraints import Check, Context, segments
from stepwell.ir.registry import LOADED_DIALECTS, make_context


def load_irdl_file(path: str) -> list[str]:
    """Makes the dialects of a file known by name, and gives their names. Raises CompileError where it cannot be read."""
    from stepwell.ir.text.parsing import parse_module
    from stepwell.ir.verify import verify

    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CompileError(f"cannot read '{path}': {getattr(error, 'strerror', None) or error}", location="mlopt") from None
    context = make_context()
    module = parse_module(text, context, name=path)
    verify(module)
    found = load_dialects(module, context)
    for dialect in found:
        LOADED_DIALECTS[dialect.name] = lambda dialect=dialect: dialect
    if not found:
        raise CompileError("defines no dialect", location=path, hint="irdl.dialect @name { ... }")
    return [dialect.name for dialect in found]


def load_dialects(module: ModuleOp, context: ParserContext) -> list[Dialect]:
    """The dialects that a module defines. Raises CompileError for a definition that cannot be used."""
    symbols: dict[str, Operation] = {}
    definitions = [op for op in module.walk() if isinstance(op, irdl.DialectOp)]
    for dialect in definitions:
        for op in dialect.body.block.ops:
            if isinstance(op, irdl.TypeOp | irdl.AttributeOp | irdl.OperationOp):
                symbols[f"{dialect.sym_name.data}.{op.sym_name.data}"] = op
    loaded: list[Dialect] = []
    for dialect in definitions:
        operations: list[type[Operation]] = []
        attributes: list[type[Attribute]] = []
        for op in dialect.body.block.ops:
            if isinstance(op, irdl.TypeOp | irdl.AttributeOp):
                attributes.append(_attribute_class(op, dialect.sym_name.data, symbols))
            elif isinstance(op, irdl.OperationOp):
                operations.append(_operation_class(op, dialect.sym_name.data, symbols))
        loaded.append(Dialect(dialect.sym_name.data, operations, attributes))
    return loaded


T = TypeVar("T", bound=Operation)

# ---- constraints -----------------------------------------------------------------------------------------------------------------------


class _Constraints:
    """The constraints of one definition: a number for each value of its body."""

    def __init__(self, body: Region, symbols: dict[str, Operation]) -> None:
        self.symbols = symbols
        self.number: dict[SSAValue, int] = {}
        self.checks: list[Check] = []
        for op in body.block.ops:
            if op.results and not isinstance(op, irdl.RegionOp):
                self.number[op.results[0]] = len(self.checks)
                self.checks.append(self._check(op))

    def numbers(self, values: Sequence[SSAValue]) -> list[int]:
        return [self.number[value] for value in values]

    def _check(self, op: Operation) -> Check:
        if isinstance(op, irdl.IsOp):
            return constraints.is_exactly(op.expected)
        if isinstance(op, irdl.AnyOp):
            return constraints.anything
        if isinstance(op, irdl.AnyOfOp):
            return constraints.any_of(self.numbers(op.args))
        if isinstance(op, irdl.AllOfOp):
            return constraints.all_of(self.numbers(op.args))
        if isinstance(op, irdl.BaseOp):
            if op.base_name is not None:
                return constraints.has_base(op.base_name.data[1:], as_type=op.base_name.data.startswith("!"))
            assert op.base_ref is not None
            name, as_type = self._referred(op.base_ref)
            return constraints.has_base(name, as_type=as_type)
        if isinstance(op, irdl.ParametricOp):
            name, as_type = self._referred(op.base_type)
            return constraints.is_parametric(name, self.numbers(op.args), as_type=as_type)
        raise CompileError(f"'{op.name}' cannot be checked without C++", hint="write the constraint with the other operations of irdl")

    def _referred(self, reference: SymbolRefAttr) -> tuple[str, bool]:
        name = ".".join((reference.root_reference.data, *(part.data for part in reference.nested_references)))
        found = self.symbols.get(name)
        if not isinstance(found, irdl.TypeOp | irdl.AttributeOp):
            raise CompileError(f"'{name}' does not refer to a type or attribute definition")
        return name, isinstance(found, irdl.TypeOp)


def _part(body: Region, kind: type[T]) -> T | None:
    return next((op for op in body.block.ops if isinstance(op, kind)), None)


# ---- types and attributes --------------------------------------------------------------------------------------------------------------


class DynamicAttribute(Data[tuple[Attribute, ...]]):
    """A type or attribute with parameters: `!dialect.name<i32, f32>`."""

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Attribute, ...]:
        at = parser.pos
        parsed = tuple(parser.parse_optional_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_attribute) or ())
        try:
            cls(parsed)
        except VerifyException as error:  # told where it stands, not behind it
            parser.raise_error(str(error), at)
        return parsed

    def print_parameter(self, printer: Printer) -> None:
        if self.data:
            with printer.in_angle_brackets():
                printer.print_list(self.data, printer.print_attribute)


def _attribute_class(op: irdl.TypeOp | irdl.AttributeOp, dialect: str, symbols: dict[str, Operation]) -> type[Attribute]:
    as_type = isinstance(op, irdl.TypeOp)
    what = "type" if as_type else "attribute"
    parameters = _part(op.body, irdl.ParametersOp)
    known: list[_Constraints] = []

    def verify(self: DynamicAttribute) -> None:
        if not known:  # made late: types may refer to each other
            known.append(_Constraints(op.body, symbols))
        numbers = known[0].numbers(parameters.args) if parameters is not None else []
        if len(numbers) != len(self.data):
            raise VerifyException(f"expected {len(numbers)} {what} arguments, but had {len(self.data)}")
        context = Context(known[0].checks)
        for number, parameter in zip(numbers, self.data, strict=True):
            context.check(number, parameter)

    name = f"{dialect}.{op.sym_name.data}"
    bases = (DynamicAttribute, TypeAttribute) if as_type else (DynamicAttribute,)
    return cast("type[Attribute]", type(name, bases, {"name": name, "verify": verify}))


# ---- operations ------------------------------------------------------------------------------------------------------------------------


def _operation_class(op: irdl.OperationOp, dialect: str, symbols: dict[str, Operation]) -> type[Operation]:
    known: list[_Constraints] = []

    def verify(self: Operation) -> None:
        if not known:
            known.append(_Constraints(op.body, symbols))
        _verify_operation(self, op.body, known[0])

    name = f"{dialect}.{op.sym_name.data}"
    fields: dict[str, Any] = {
        "name": name, "verify_": verify, "operands_": var_operand_def(), "results_": var_result_def(), "regions_": var_region_def(),
        "successors_": var_successor_def(),
    }  # fmt: skip
    return irdl_op_definition(type(name, (IRDLOperation,), fields))


def _verify_operation(op: Operation, body: Region, known: _Constraints) -> None:
    context = Context(known.checks)
    attributes: dict[str, Any] = {**op.properties, **op.attributes}
    divided: list[tuple[Sequence[SSAValue], list[int], list[int]]] = []
    for what, kind, values in (("operand", irdl.OperandsOp, op.operands), ("result", irdl.ResultsOp, op.results)):
        part: Any = _part(body, kind)
        words = [word.data.value for word in part.variadicity.value] if part is not None else []
        divided.append((values, known.numbers(part.args) if part is not None else [], segments(what, attributes, len(values), words)))
    wanted = _part(body, irdl.AttributesOp)
    if wanted is not None:
        for name, value in zip(wanted.attribute_value_names, wanted.attribute_values, strict=True):
            if name.data not in attributes:
                raise VerifyException(f'attribute "{name.data}" is expected but not provided')
            context.check(known.number[value], attributes[name.data])
    for values, numbers, sizes in divided:
        rest = list(values)
        for number, size in zip(numbers, sizes, strict=True):
            for value in rest[:size]:
                context.check(number, value.type)
            del rest[:size]
    _verify_regions(op, body, known, context)


def _verify_regions(op: Operation, body: Region, known: _Constraints, context: Context) -> None:
    part = _part(body, irdl.RegionsOp)
    wanted = [cast(irdl.RegionOp, value.owner) for value in part.args] if part is not None else []
    if len(op.regions) != len(wanted):
        raise VerifyException(f"unexpected number of regions: expected {len(wanted)} but got {len(op.regions)}")
    for place, (region, definition) in enumerate(zip(op.regions, wanted, strict=True)):
        blocks = definition.number_of_blocks
        if blocks is not None and (count := cast("IntegerAttr[Any]", blocks).value.data) != len(region.blocks):
            raise VerifyException(f"expected region {place} to have {count} block(s) but got {len(region.blocks)}")
        if definition.constrained_arguments is None:
            continue
        arguments = region.blocks[0].args if region.blocks else ()
        numbers = known.numbers(definition.entry_block_args)
        if len(arguments) != len(numbers):
            raise VerifyException(f"expected region {place} to have {len(numbers)} arguments but got {len(arguments)}")
        for argument, number in zip(arguments, numbers, strict=True):
            context.check(number, argument.type)
