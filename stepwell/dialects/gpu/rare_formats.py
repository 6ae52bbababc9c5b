"""The parts of rare `gpu` operations' syntax that are written by hand: tokens, kernels and their sizes, reductions."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from stepwell.dialects.gpu.rare_types import FIXED_INDEX, TOKEN
from stepwell.dialects.op_table import Reading, Writing


def async_format() -> tuple[Any, Any]:
    """`async [%t]`: a token for when it is done, tokens of what comes before."""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        is_async = parser.parse_optional_keyword("async") is not None
        tokens = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_unresolved_operand) or []
        reading.values["asyncDependencies"], reading.types["asyncDependencies"] = list(tokens), [TOKEN] * len(tokens)
        reading.types["asyncToken"] = [TOKEN] if is_async else []

    def write(writing: Writing, _: Any) -> None:
        op: Any = writing.op
        if op.asyncToken is not None:
            writing.word("async")
        if op.asyncDependencies:
            writing.gap()
            writing.printer.print_string("[")
            writing.printer.print_list(op.asyncDependencies, writing.printer.print_ssa_value)
            writing.printer.print_string("]")

    return read, write


def kernel_format() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        found = reading.parser.parse_attribute()
        if found.name != "symbol_ref":
            reading.parser.raise_error("custom op 'gpu.launch_func' invalid kind of attribute specified")
        reading.attributes["kernel"] = found

    def write(writing: Writing, _: Any) -> None:
        writing.gap()
        writing.printer.print_attribute(cast(Any, writing.op).kernel)
        writing.said.add("kernel")

    return read, write


_SIZES = [f"{what}Size{axis}" for what in ("grid", "block", "cluster") for axis in "XYZ"]


def sizes_format() -> tuple[Any, Any]:
    """`clusters in (...) blocks in (...) threads in (...) : i64`"""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser

        def group(names: list[str]) -> None:
            parser.parse_keyword("in")
            found = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
            for name, value in zip(names, found, strict=True):
                reading.values[name] = [value]

        if parser.parse_optional_keyword("clusters"):
            group(_SIZES[6:])
        parser.parse_keyword("blocks")
        group(_SIZES[:3])
        parser.parse_keyword("threads")
        group(_SIZES[3:6])
        type = parser.parse_type() if parser.parse_optional_punctuation(":") else FIXED_INDEX
        for name in _SIZES:
            reading.types[name] = [type] * len(reading.values.get(name, ()))

    def write(writing: Writing, _: Any) -> None:
        op, printer = cast(Any, writing.op), writing.printer

        def group(keyword: str, names: list[str]) -> None:
            printer.print_string(f" {keyword} in (")
            printer.print_list([getattr(op, name) for name in names], printer.print_ssa_value)
            printer.print_string(")")

        if op.clusterSizeX is not None:
            group("clusters", _SIZES[6:])
        group("blocks", _SIZES[:3])
        group("threads", _SIZES[3:6])
        if op.gridSizeX.type != FIXED_INDEX:
            printer.print_string(" : ")
            printer.print_attribute(op.gridSizeX.type)

    return read, write


def arguments_format() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        reading.values["kernelOperands"], reading.types["kernelOperands"] = [], []

        def one() -> None:
            reading.values["kernelOperands"].append(parser.parse_unresolved_operand())
            parser.parse_punctuation(":")
            reading.types["kernelOperands"].append(parser.parse_type())

        if parser.parse_optional_keyword("args") is None:
            return
        parser.parse_punctuation("(")
        if parser.parse_optional_punctuation(")"):
            return
        one()
        while parser.parse_optional_punctuation(","):
            one()
        if parser.parse_optional_punctuation(")") is None:
            parser.raise_error("expected ')' in argument list")

    def write(writing: Writing, _: Any) -> None:
        printer = writing.printer
        for index, value in enumerate(cast(Any, writing.op).kernelOperands):
            printer.print_string(", " if index else " args(")
            printer.print_ssa_value(value)
            printer.print_string(" : ")
            printer.print_attribute(value.type)
        if cast(Any, writing.op).kernelOperands:
            printer.print_string(")")

    return read, write


def handler_format() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        if parser.parse_optional_punctuation("<"):
            found = parser.parse_optional_attribute()
            if found is None:
                parser.raise_error("expected attribute value")
            reading.attributes["offloadingHandler"] = found
            parser.parse_punctuation(">")

    def write(writing: Writing, _: Any) -> None:
        handler = cast(Any, writing.op).offloadingHandler
        if handler is not None:
            writing.printer.print_string(" <")
            writing.printer.print_attribute(handler)
            writing.printer.print_string(">")
        writing.said.add("offloadingHandler")

    return read, write


def reduction_format() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        cls: Any = parser.ctx.get_optional_attr("gpu.all_reduce_op")
        word = parser.parse_optional_keyword_in(cls.CASES)
        if word is not None:
            reading.attributes["op"] = cls(word)
        elif not parser._current_token.text.startswith("%"):  # pyright: ignore[reportPrivateUsage]
            parser.raise_error("invalid op kind")

    def write(writing: Writing, _: Any) -> None:
        kind = writing.op.properties.get("op")
        if kind is not None:
            writing.word(cast(Any, kind).data)
        writing.said.add("op")

    return read, write


def barrier_format() -> tuple[Any, Any]:
    """`named(%b : type) memfence [...] scope <subgroup>`, in any order."""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        while True:
            if parser.parse_optional_keyword("named"):
                with parser.in_parens():
                    reading.values["named_barrier"] = [parser.parse_unresolved_operand()]
                    parser.parse_punctuation(":")
                    reading.types["named_barrier"] = [parser.parse_type()]
            elif parser.parse_optional_keyword("memfence"):
                reading.attributes["address_spaces"] = parser.parse_attribute()
            elif parser.parse_optional_keyword("scope"):
                cls: Any = parser.ctx.get_optional_attr("gpu.barrier_scope")
                scope = cls(cls.parse_parameter(parser))
                if scope.data != "workgroup":
                    reading.attributes["scope"] = scope
            else:
                return

    def write(writing: Writing, _: Any) -> None:
        op, printer = cast(Any, writing.op), writing.printer
        if op.named_barrier is not None:
            printer.print_string(" named(")
            printer.print_ssa_value(op.named_barrier)
            printer.print_string(" : ")
            printer.print_attribute(op.named_barrier.type)
            printer.print_string(")")
        if op.address_spaces is not None:
            printer.print_string(" memfence ")
            printer.print_attribute(op.address_spaces)
        if op.scope is not None and op.scope.data != "workgroup":
            printer.print_string(f" scope <{op.scope.data}>")
        writing.said |= {"address_spaces", "scope"}

    return read, write
