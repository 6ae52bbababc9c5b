"""The flags of `mlopt`: one dataclass, whose fields are the flags, and the reader of a command line.

A field `split_input_file` is the flag `--split-input-file`. Passes and named pipelines are flags too, in the order in which they are given:
`--cse`, or `--pass-name='option=1 other=2'`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.pipeline_text import PassText, parse_options
from stepwell.ir.registry import all_passes, all_pipelines, did_you_mean


def _switch(help: str, default: bool = False) -> bool:
    """A flag without value; `--flag=0` and `--flag=false` switch it off."""
    return field(default=default, metadata={"help": help, "kind": "switch"})


def _text(help: str, metavar: str, default: Any = None, implied: str | None = None) -> Any:
    """A flag with a value; `implied` is the value of the bare flag, where that is allowed."""
    return field(default=default, metadata={"help": help, "kind": "text", "metavar": metavar, "implied": implied})


def _number(help: str, default: int | None, implied: str | None = None) -> Any:
    return field(default=default, metadata={"help": help, "kind": "number", "metavar": "N", "implied": implied})


def _names(help: str) -> frozenset[str]:
    return field(default=frozenset(), metadata={"help": help, "kind": "names", "metavar": "PASS,..."})


@dataclass
class Options:
    """What the command line asked for."""

    input: str = field(default="-", metadata={"kind": "input"})
    passes: list[PassText] = field(default_factory=list[PassText], metadata={"kind": "passes"})

    # what to run
    pass_pipeline: str | None = _text("run this pipeline, e.g. builtin.module(func.func(cse),canonicalize)", "PIPELINE")
    verify_each: bool = _switch("verify the IR after each pass (default on; --verify-each=0)", default=True)
    validate_each: int | None = _number("run the functions on N random inputs before and after each pass and compare", None, implied="1")

    # reading and writing
    output: str = _text("write to FILE (also -o FILE)", "FILE", default="-")
    split_input_file: str | None = _text("treat the pieces between lines of MARKER as separate inputs", "MARKER", implied="// -----")
    output_split_marker: str = _text("print MARKER between the pieces", "MARKER", default="// -----")
    allow_unregistered_dialect: bool = _switch("accept operations of unknown dialects")
    no_implicit_module: bool = _switch("do not wrap the input in a module")
    verify_diagnostics: str | None = _text("check diagnostics against expected-error {{...}} comments", "all|only-expected", implied="all")

    # printing
    mlir_print_op_generic: bool = _switch("print operations in the generic form")
    mlir_print_debuginfo: bool = _switch("print locations")
    mlir_elide_elementsattrs_if_larger: int | None = _number("leave constants of more than N elements out", None)
    mlir_print_elementsattrs_with_hex_if_larger: int = _number("print constants of more than N elements in hex", 100)
    mlir_print_ir_before: frozenset[str] = _names("print the IR before these passes")
    mlir_print_ir_after: frozenset[str] = _names("print the IR after these passes")
    mlir_print_ir_before_all: bool = _switch("print the IR before every pass")
    mlir_print_ir_after_all: bool = _switch("print the IR after every pass")
    mlir_print_ir_after_change: bool = _switch("print the IR after every pass that changed it")
    mlir_print_ir_after_failure: bool = _switch("print the IR when a pass fails")
    mlir_print_ir_module_scope: bool = _switch("print the whole module even if the pass runs on a part of it")
    mlir_timing: bool = _switch("print where the time went")

    # instead of running
    dump_pass_pipeline: bool = _switch("print the pipeline with all options before running it")
    list_passes: bool = _switch("list the passes and pipelines")
    show_dialects: bool = _switch("list the dialects")
    explain: str | None = _text("tell about an operation or a pass, and where it is lowered", "NAME")
    version: bool = _switch("print the version")
    help: bool = _switch("print this help")
    debug: bool = _switch("on an internal error, print the traceback")

    mlir_disable_threading: bool = _switch("accepted and ignored: there is one thread")
    mlir_print_local_scope: bool = _switch("accepted and ignored: no aliases are printed")


SHORT = {"o": "output", "h": "help"}
ON = {"": True, "1": True, "true": True, "0": False, "false": False}


def read_command_line(arguments: Sequence[str]) -> Options:
    """The options in `arguments`. Raises CompileError for what is not understood."""
    flags = {field.name.replace("_", "-"): field for field in fields(Options) if "help" in field.metadata}
    options = Options()
    inputs: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument == "-":
            inputs.append(argument)
            continue
        name, has_value, value = argument.lstrip("-").partition("=")
        name = SHORT.get(name, name)
        if name in flags:
            setattr(options, flags[name].name, _value(flags[name], value if has_value else None, rest))
        elif name in all_passes() or name in all_pipelines():
            options.passes.append(PassText(name, parse_options(value)))
        else:
            hint = did_you_mean(name, [*flags, *all_passes(), *all_pipelines()])
            raise CompileError(f"unknown command line argument '{argument}'", location="mlopt", hint=hint or "mlopt --help lists them")
    if len(inputs) > 1:
        raise CompileError(f"one input file is enough, but there are {len(inputs)}: {' '.join(inputs)}", location="mlopt")
    if options.passes and options.pass_pipeline is not None:
        raise CompileError("passes are given both as flags and as --pass-pipeline", location="mlopt", hint="use one of the two")
    options.input = inputs[0] if inputs else "-"
    return options


def _value(flag: Field[Any], value: str | None, rest: Iterator[str]) -> Any:
    """The value of a flag, from behind its `=` or from the next argument."""
    spelling = "--" + flag.name.replace("_", "-")
    kind = flag.metadata["kind"]
    if kind == "switch":
        if (value or "") not in ON:
            raise CompileError(f"{spelling} is true or false, not '{value}'", location="mlopt")
        return ON[value or ""]
    if value is None:
        value = flag.metadata.get("implied") or next(rest, None)
    if value is None:
        raise CompileError(f"{spelling} needs a value: {spelling}={flag.metadata['metavar']}", location="mlopt")
    if kind == "names":
        return frozenset(value.split(","))
    if kind == "number":
        if not value.isdecimal():
            raise CompileError(f"{spelling} needs a number, not '{value}'", location="mlopt")
        return int(value)
    return value


def help_text() -> str:
    """What `mlopt --help` prints."""
    lines = [
        "usage: mlopt [file] [flags] [passes]",
        "",
        "Reads MLIR text (a file, or - for standard input), runs passes over it in the order given, prints the result.",
        "",
    ]
    for flag in fields(Options):
        if "help" in flag.metadata:
            lines.append(f"  {_spelling(flag):<58}{flag.metadata['help']}")
    lines += ["", "Every pass and pipeline is a flag: --pass-name, --pass-name='option=1 other=2'. mlopt --list-passes lists them."]
    return "\n".join(lines) + "\n"


def _spelling(flag: Field[Any]) -> str:
    name = "--" + flag.name.replace("_", "-")
    metavar = flag.metadata.get("metavar")
    if metavar is None:
        return name
    return f"{name}[={metavar}]" if flag.metadata.get("implied") else f"{name}={metavar}"
