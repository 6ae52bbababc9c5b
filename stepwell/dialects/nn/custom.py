"""Functions with a reverse rule of their own.

In: tensors. Out: what the forward region says. It means something until derivatives have been taken; `nn-decompose` removes it.
"""

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.nn.base import TENSOR, Tensor, is_float
from stepwell.dialects.nn.control import closed, list_of_types, parse_results, print_results, yielded


@irdl_op_definition
class CustomVjpOp(IRDLOperation):
    """A function of its operands, and how cotangents of its results become cotangents of its operands.

    `forward` takes the operands; it yields the results and whatever `backward` needs beside. `backward` takes this and a cotangent for each
    result that is a float; it yields one for each operand that is a float. Of a `checkpoint` backward is no rule of the user's: it computes
    forward once more, so that forward mode may look through.

    ```mlir
    %y = nn.custom_vjp(%x) : tensor<4xf32> -> tensor<4xf32> forward {
    ^bb0(%a: tensor<4xf32>):
      %b = nn.sign %a : tensor<4xf32>
      nn.yield %b : tensor<4xf32>
    } backward {
    ^bb0(%ct: tensor<4xf32>):
      nn.yield %ct : tensor<4xf32>
    }
    ```
    Source: `custom_vjp` and `checkpoint` of JAX.
    """

    name = "nn.custom_vjp"
    inputs = var_operand_def(TENSOR)
    values = var_result_def(TENSOR)
    forward = region_def("single_block")
    backward = region_def("single_block")
    checkpoint: UnitAttr | None = opt_prop_def(UnitAttr)  # type: ignore[assignment]
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        ahead, back = self.forward.block, self.backward.block
        _check("its forward region takes", [a.type for a in ahead.args], [v.type for v in self.inputs])
        count = len(self.results)
        given = [v.type for v in yielded(ahead)]
        _check("its forward region yields first", given[:count], list(self.result_types))
        _check("its backward region takes", [a.type for a in back.args], [*given[count:], *floats(self.result_types)])
        _check("its backward region yields", [v.type for v in yielded(back)], floats(v.type for v in self.inputs))

    def print(self, printer: Printer) -> None:
        with printer.in_parens():
            printer.print_list(self.inputs, printer.print_ssa_value)
        if self.checkpoint is not None:
            printer.print_string(" checkpoint")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([v.type for v in self.inputs], printer.print_attribute)
        print_results(printer, self.result_types)
        for word, region in (("forward", self.forward), ("backward", self.backward)):
            printer.print_string(f" {word} ")
            printer.print_region(region)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        unresolved = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        marked = parser.parse_optional_keyword("checkpoint") is not None
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type) if unresolved else []
        if len(types) != len(unresolved):
            parser.raise_error(f"nn.custom_vjp has {len(unresolved)} operands and {len(types)} operand types", start, parser.pos)
        operands: list[SSAValue] = [parser.resolve_operand(o, t) for o, t in zip(unresolved, types, strict=True)]
        results = parse_results(parser)
        parser.parse_keyword("forward")
        forward = closed(parser.parse_region())
        parser.parse_keyword("backward")
        regions = [forward, closed(parser.parse_region())]
        properties: dict[str, Attribute] = {"checkpoint": UnitAttr()} if marked else {}
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=attributes, regions=regions)


def floats(types: Any) -> list[Attribute]:
    """Those of some types whose values have derivatives."""
    return [type for type in types if is_float(cast(Tensor, type).element_type)]


def _check(what: str, have: list[Any], want: list[Any]) -> None:
    if have != want:
        raise VerifyException(f"nn.custom_vjp: {what} ({list_of_types(have)}), expected ({list_of_types(want)})")


CUSTOM: list[type[IRDLOperation]] = [CustomVjpOp]
