"""Operations as rows of a table: a row in, an operation's class out, with its syntax and with rules in MLIR's words.

    define("llvm.atomicrmw", "ptr: pointer, val: any", "res: =val", "bin_op: ienum(...), ordering: ienum(...)",
           "$bin_op $ptr `,` $val $ordering attr-dict `:` type($ptr) `,` type($val)")

A row names operands, results and attributes. `name?` may be missing, `name*` is a list. After the colon stands a kind (`KINDS`), or for
values `=other`: the type of another operand. The format is MLIR's declarative one. Dialects with hundreds of operations of which a program
uses three are written so: a class costs a tenth of one with xDSL's compiled format, which is only worth it where much is parsed.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    AttrSizedResultSegments,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_region_def,
    opt_result_def,
    opt_successor_def,
    prop_def,
    region_def,
    result_def,
    successor_def,
    traits_def,
    var_operand_def,
    var_region_def,
    var_result_def,
    var_successor_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import OpTrait

from stepwell.dialects.op_table.formats import compiled, flat
from stepwell.dialects.op_table.reading import Reading, built, read_element
from stepwell.dialects.op_table.rows import (
    FIXED,
    FIXED_TYPES,
    KINDS,
    Custom,
    RowOperation,
    attribute_names,
    field_name,
    is_optional,
    parts,
    rules_of_row,
)
from stepwell.dialects.op_table.writing import Writing, write_element
from stepwell.ir.rules import Rule

_OPERANDS: dict[str, Callable[..., Any]] = {"": operand_def, "?": opt_operand_def, "*": var_operand_def}
_RESULTS: dict[str, Callable[..., Any]] = {"": result_def, "?": opt_result_def, "*": var_result_def}
_REGIONS: dict[str, Callable[..., Any]] = {"": region_def, "?": opt_region_def, "*": var_region_def}
_SUCCESSORS: dict[str, Callable[..., Any]] = {"": successor_def, "?": opt_successor_def, "*": var_successor_def}


def define(
    name: str,
    ins: str = "",
    outs: str = "",
    attrs: str = "",
    format: str | None = None,
    *,
    regions: str = "",
    successors: str = "",
    traits: Sequence[OpTrait] = (),
    verify: Callable[[Any], None] | None = None,
    rules: dict[str, tuple[Rule, ...]] | None = None,
    custom: dict[str, Custom] | None = None,
    doc: str | None = None,
    infer: Callable[[dict[str, list[SSAValue]]], Attribute] | None = None,
) -> type[TableOperation]:
    """The class of a row. Its rules go into `rules`, in MLIR's order: numbers, attributes, operands, results."""
    row = {"ins": parts(ins), "outs": parts(outs), "attrs": parts(attrs), "regions": parts(regions), "successors": parts(successors)}
    fields: dict[str, Any] = {
        "name": name,
        "__doc__": doc or f"`{name}`",
        "__module__": __name__,
    }
    for key, table in (("ins", _OPERANDS), ("outs", _RESULTS), ("regions", _REGIONS), ("successors", _SUCCESSORS)):
        for part in row[key]:
            fields[field_name(part.name)] = table[part.many]()
    for part in row["attrs"]:
        fields[field_name(part.name)] = opt_prop_def(prop_name=part.name) if is_optional(part) else prop_def(prop_name=part.name)
    options: list[Any] = []
    if sum(part.many != "" for part in row["ins"]) > 1:
        options.append(AttrSizedOperandSegments(as_property=True))
    if sum(part.many != "" for part in row["outs"]) > 1:
        options.append(AttrSizedResultSegments(as_property=True))
    if options:
        fields["irdl_options"] = tuple(options)
    if traits:
        fields["traits"] = traits_def(*traits)
    if verify is not None:
        fields["verify_"] = verify
    if rules is not None:
        rules[name] = (*rules_of_row(row), *rules.get(name, ()))
    base = RowOperation if format is None else TableOperation
    made = cast("type[TableOperation]", irdl_op_definition(cast(Any, type(name.replace(".", "_"), (base,), fields))))
    if len(row["outs"]) > 1:
        made.RESULT_WORDS = tuple((part.name, part.many) for part in row["outs"])
    made.ROW, made.FORMAT, made.CUSTOM, made.INFER = row, format, custom or {}, None if infer is None else staticmethod(infer)
    return made


class TableOperation(RowOperation):
    """A row with a format."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        reading = Reading(parser, cls.ROW)
        start = parser.pos
        for element in compiled(cls.FORMAT or ""):
            read_element(cls, reading, element)
        return built(cls, reading, start)

    def print(self, printer: Printer) -> None:
        writing = Writing(printer, self)
        for element in flat(compiled(self.FORMAT or "")):
            if element.what == "name" and element.text in attribute_names(type(self)):
                writing.said.add(element.text)
        for element in compiled(self.FORMAT or ""):
            write_element(self, writing, element)


__all__ = ["FIXED", "FIXED_TYPES", "KINDS", "Custom", "Reading", "RowOperation", "TableOperation", "Writing", "define", "parts"]
