"""The flags of `mlopt`: one dataclass, whose fields are the flags, and the reader of a command line.

A field `split_input_file` is the flag `--split-input-file`. Passes and named pipelines are flags too, in the order in which they are given:
`--cse`, or `--pass-name='option=1 other=2'`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pipeline_text import PassText, parse_options
from stepwell.ir.registry import LOADED_DIALECTS, LOADED_PASSES, LOADED_PIPELINES, all_passes, all_pipelines, did_you_mean, is_own_pass


def _switch(help: str, default: bool | None = False) -> Any:
    """A flag without value; `--flag=0` and `--flag=false` switch it off. None: what other flags say decides."""
    return field(default=default, metadata={"help": help, "kind": "switch"})


def _text(help: str, metavar: str, default: Any = None, implied: str | None = None) -> Any:
    """A flag with a value; `implied` is the value of the bare flag, where that is allowed."""
    return field(default=default, metadata={"help": help, "kind": "text", "metavar": metavar, "implied": implied})


def _number(help: str, default: int | None, implied: str | None = None) -> Any:
    return field(default=default, metadata={"help": help, "kind": "number", "metavar": "N", "implied": implied})


def _choice(help: str, choices: tuple[str, ...]) -> Any:
    """A flag with one of these values, the first of which is the default."""
    return field(default=choices[0], metadata={"help": help, "kind": "choice", "metavar": "|".join(choices), "choices": choices})


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

    load_module: str | None = _text("use the dialects and passes of a Python file (may be given again)", "FILE.py")
    irdl_file: str | None = _text("use the dialects that a file of the irdl dialect defines (may be given again)", "FILE.irdl.mlir")

    # reading and writing
    output: str = _text("write to FILE (also -o FILE)", "FILE", default="-")
    split_input_file: str | None = _text("treat the pieces between lines of MARKER as separate inputs", "MARKER", implied="// -----")
    output_split_marker: str = _text("print MARKER between the pieces", "MARKER", default="// -----")
    allow_unregistered_dialect: bool = _switch("accept operations of unknown dialects")
    no_implicit_module: bool = _switch("do not wrap the input in a module")
    verify_diagnostics: str | None = _text("check diagnostics against expected-error {{...}} comments", "all|only-expected", implied="all")
    verify_roundtrip: bool = _switch("print the IR that was read, read that, and compare")
    mlir_very_unsafe_disable_verifier_on_parsing: bool = _switch("do not verify what was read")
    run_reproducer: bool = _switch("run the pipeline that stands at the end of the file")

    # saying what is wrong
    diagnostics: str = _choice("show diagnostics for people, or as JSON, one object a line", ("text", "json"))
    mlir_diagnostic_verbosity_level: str = _choice("what to show", ("remarks", "errors", "warnings"))
    mlir_disable_diagnostic_notes: bool = _switch("show no notes")
    mlir_print_op_on_diagnostic: bool = _switch("show the operation that a diagnostic is about (default on)", default=True)
    mlir_print_stacktrace_on_diagnostic: bool = _switch("show where in the compiler an error was raised")

    # printing
    mlir_print_op_generic: bool = _switch("print operations in the generic form")
    mlir_print_debuginfo: bool = _switch("print locations")
    mlir_pretty_debuginfo: bool = _switch("print locations for people, not for the parser")
    mlir_print_local_scope: bool = _switch("print no aliases")
    mlir_print_value_users: bool = _switch("print who uses each value")
    mlir_print_unique_ssa_ids: bool = _switch("give no two values the same name, not even in different functions")
    mlir_print_skip_regions: bool = _switch("print {...} for every region")
    mlir_use_nameloc_as_prefix: bool = _switch('name values after their location loc("name")')
    mlir_print_upstream_names: bool | None = _switch("name values as mlir-opt does: %0, %arg0, %c4_i32 (on in the generic form)", None)
    mlir_elide_elementsattrs_if_larger: int | None = _number("leave constants of more than N elements out", None)
    mlir_print_elementsattrs_with_hex_if_larger: int = _number("print constants of more than N elements in hex", 100)
    mlir_elide_resource_strings_if_larger: int | None = _number("leave resources of more than N characters out", None)
    mlir_print_ir_before: frozenset[str] = _names("print the IR before these passes")
    mlir_print_ir_after: frozenset[str] = _names("print the IR after these passes")
    mlir_print_ir_before_all: bool = _switch("print the IR before every pass")
    mlir_print_ir_after_all: bool = _switch("print the IR after every pass")
    mlir_print_ir_after_change: bool = _switch("print the IR after every pass that changed it")
    mlir_print_ir_after_failure: bool = _switch("print the IR when a pass fails")
    mlir_print_ir_module_scope: bool = _switch("print the whole module even if the pass runs on a part of it")
    mlir_print_ir_diff: bool = _switch("after every pass, print the lines that it has changed")
    mlir_print_ir_tree_dir: str | None = _text("print into files of this folder, one for each pass and operation", "FOLDER")
    mlir_timing: bool = _switch("print where the time went")
    mlir_timing_display: str = _choice("how to print it", ("tree", "list"))
    mlir_output_format: str = _choice("how to print it", ("text", "json"))
    mlir_pass_statistics: bool = _switch("print what the passes have counted")
    mlir_pass_statistics_display: str = _choice("how to print it", ("pipeline", "list"))
    remarks_filter: str | None = _text("say what passes decided, where the category of the remark is REGEX", "REGEX")
    remarks_filter_passed: str | None = _text("of what was done", "REGEX")
    remarks_filter_missed: str | None = _text("of what was not done", "REGEX")
    remarks_filter_failed: str | None = _text("of what was tried and could not be done", "REGEX")
    remarks_filter_analyse: str | None = _text("of what was found out", "REGEX")
    remark_format: str = _choice("as diagnostics, or as YAML documents in a file", ("emitRemark", "yaml"))
    remarks_output_file: str | None = _text("the file for yaml", "FILE")
    mlir_generate_reproducer: str | None = _text("write the input and the pipeline to FILE", "FILE")
    mlir_pass_pipeline_crash_reproducer: str | None = _text("where a pass fails, write its input and the pipeline to FILE", "FILE")
    mlir_pass_pipeline_local_reproducer: bool = _switch("make the reproducer for the failing pass alone")

    # watching the rewriting
    log_actions_to: str | None = _text("write every attempt of a pattern, and all that it changes, to FILE", "FILE", implied="-")
    log_mlir_actions_filter: str | None = _text("log actions on operations at these places only", "FILE[:LINE[:COLUMN]],...")
    profile_actions_to: str | None = _text("write a trace of all actions for chrome://tracing or Perfetto to FILE", "FILE")
    mlir_debug_counter: str | None = _text("leave actions out: greedy-rewriter-skip=5,greedy-rewriter-count=1", "TAG-skip=N,TAG-count=N")
    mlir_print_debug_counter: bool = _switch("print how many actions of each tag there were")
    expensive_checks: bool = _switch("make sure that patterns which report failure have left the IR alone (also with --debug)")
    html: str | None = _text("write a report of all passes, for a browser, to FILE", "FILE")
    verify_with_mlir: bool = _switch("after each pass, ask a real MLIR whether it accepts the IR")

    # instead of running
    dump_pass_pipeline: bool = _switch("print the pipeline with all options before running it")
    list_passes: bool = _switch("list the passes and pipelines")
    show_dialects: bool = _switch("list the dialects")
    explain: str | None = _text("tell about an operation or a pass, and where it is lowered", "NAME")
    version: bool = _switch("print the version")
    help: bool = _switch("print this help")
    debug: bool = _switch("on an internal error, print the traceback")

    use_server: bool = _switch("let a resident process do the work, which starts faster; one is started where there is none")
    mlir_disable_threading: bool = _switch("accepted and ignored: there is one thread")


SHORT = {"o": "output", "h": "help", "p": "pass-pipeline"}
ON = {"": True, "1": True, "true": True, "0": False, "false": False}


def read_command_line(arguments: Sequence[str]) -> Options:
    """The options in `arguments`. Raises CompileError for what is not understood."""
    flags = {field.name.replace("_", "-"): field for field in fields(Options) if "help" in field.metadata}
    options = Options()
    inputs: list[str] = []
    _load_modules(arguments)
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument == "-":
            inputs.append(argument)
            continue
        name, has_value, value = argument.lstrip("-").partition("=")
        name = SHORT.get(name, name)
        if name in flags:
            setattr(options, flags[name].name, _value(flags[name], value if has_value else None, rest))
        elif is_own_pass(name) or name in all_passes() or name in all_pipelines():
            bare = name == "via-mlir" and not value.startswith("pipeline=")  # --via-mlir='a(b,c)' is enough
            options.passes.append(PassText(name, {"pipeline": value} if bare else parse_options(value)))
        else:
            hint = did_you_mean(name, [*flags, *all_passes(), *all_pipelines()])
            raise CompileError(f"unknown command line argument '{argument}'", location="mlopt", hint=hint or "mlopt --help lists them")
    if len(inputs) > 1:
        raise CompileError(f"one input file is enough, but there are {len(inputs)}: {' '.join(inputs)}", location="mlopt")
    for flag in fields(Options):
        if flag.name.startswith("remarks_filter") and (filter := getattr(options, flag.name)):
            try:
                re.compile(filter)
            except re.error as error:
                raise CompileError(f"{_spelling(flag).partition('=')[0]} is no regular expression: {error}", location="mlopt") from error
    if options.passes and options.pass_pipeline is not None:
        raise CompileError("passes are given both as flags and as --pass-pipeline", location="mlopt", hint="use one of the two")
    for watched in (options.mlir_print_ir_before, options.mlir_print_ir_after):
        for name in sorted(watched):
            if not is_own_pass(name) and name not in all_passes():
                hint = did_you_mean(name, all_passes())
                raise CompileError(
                    f"'{name}' does not refer to a registered pass", location="mlopt", hint=hint or "mlopt --list-passes lists them"
                )
    if options.pass_pipeline is not None and not options.pass_pipeline.strip():
        message = "expected pass pipeline to be wrapped with the anchor operation type, e.g. 'builtin.module(...)'"
        raise CompileError(message, location="mlopt")
    options.input = inputs[0] if inputs else "-"
    return options


def _load_modules(arguments: Sequence[str]) -> None:
    """Make what the files of `--load-module` and `--irdl-file` define known, and nothing else of the kind, before any name is looked up."""
    for table in (LOADED_DIALECTS, LOADED_PASSES, LOADED_PIPELINES):
        table.clear()
    for number, argument in enumerate(arguments):
        name, has_value, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-") or name not in ("load-module", "irdl-file"):
            continue
        file = value if has_value else "".join(arguments[number + 1 : number + 2])
        if name == "load-module":
            from stepwell.ir.user_modules import load_user_module

            load_user_module(file)
        else:
            from stepwell.ir.irdl.loading import load_irdl_file

            load_irdl_file(file)


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
    if kind == "choice" and value not in flag.metadata["choices"]:
        raise CompileError(f"{spelling} is one of {', '.join(flag.metadata['choices'])}, not '{value}'", location="mlopt")
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
