"""One run of `mlopt`: text in, passes, text out, and everything that is said on the way."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Protocol

from xdsl.context import Context
from xdsl.dialects.builtin import UNKNOWN_LOC, ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.dumping import EVERY_PASS, DumpOptions, IRDumping
from stepwell.ir.parsing import parse_module
from stepwell.ir.pass_manager import Instrumentation, PassManager, build_pipeline, parse_pipeline
from stepwell.ir.passes import Pass
from stepwell.ir.pipeline_text import SOURCE
from stepwell.ir.printing import PrintOptions, print_ir
from stepwell.ir.registry import make_context, resolve
from stepwell.ir.timing import PassTiming, Timer
from stepwell.ir.verify import verify
from stepwell.tools.mlopt.diagnostics import Diagnostic, diagnostics_of, show
from stepwell.tools.mlopt.expected import compare, expectations
from stepwell.tools.mlopt.options import Options
from stepwell.tools.mlopt.split import Piece, near_misses, split

VALIDATOR = "stepwell.backends.interpreter.validate:Validator"


class Validator(Protocol):
    """Runs the functions of a module on the inputs of one seed and remembers what came out."""

    def __init__(self, module: ModuleOp, ctx: Context, seed: int = 0) -> None: ...

    def check(self, module: ModuleOp, pass_name: str) -> None:
        """Run them again. Raises CompileError, naming the pass, where something else comes out."""


class Run:
    """Everything that one command line needs, and the exit status that it earns."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._name = "<stdin>" if options.input == "-" else options.input
        self._sources: dict[str, str] = {}
        self._timer = Timer()
        self._print_options = PrintOptions(
            generic=options.mlir_print_op_generic,
            debuginfo=options.mlir_print_debuginfo,
            elide_larger=options.mlir_elide_elementsattrs_if_larger,
            hex_larger=options.mlir_print_elementsattrs_with_hex_if_larger,
        )

    def run(self) -> int:
        """Do it all. 0 if every piece of the input went through and every diagnostic was expected."""
        began = perf_counter()
        try:
            manager = self._pipeline()
            text = _read(self._options.input)
        except CompileError as error:
            self._say(diagnostics_of(error))
            return 1
        self._sources[self._name] = text
        if self._options.dump_pass_pipeline:
            sys.stderr.write(manager.dump())
        outputs, succeeded = self._all_pieces(manager, text)
        with self._timer.scope("Output"):
            _write(self._options.output, f"{self._options.output_split_marker}\n".join(outputs))
        if self._options.mlir_timing:
            sys.stderr.write(self._timer.report(perf_counter() - began))
        return 0 if succeeded else 1

    def _pipeline(self) -> PassManager:
        if self._options.pass_pipeline is None:
            return build_pipeline(self._options.passes)
        self._sources[SOURCE] = self._options.pass_pipeline
        return parse_pipeline(self._options.pass_pipeline)

    # ---- the pieces of the input

    def _all_pieces(self, manager: PassManager, text: str) -> tuple[list[str], bool]:
        marker = self._options.split_input_file
        for line, column in near_misses(text, marker) if marker else ():
            self._say([Diagnostic("warning", "near miss with file split marker", f"{self._name}:{line}:{column}")])
        outputs: list[str] = []
        succeeded = True
        for piece in split(text, marker):
            said: list[Diagnostic] = []
            try:
                outputs.append(self._one_piece(manager, piece))
            except CompileError as error:
                said = list(diagnostics_of(error))
            succeeded &= self._judge(piece, said)
        return outputs, succeeded

    def _judge(self, piece: Piece, said: list[Diagnostic]) -> bool:
        """Say what is to be said about a piece. Whether the piece counts as a success."""
        if self._options.verify_diagnostics is None:
            self._say(said)
            return not said
        placed = [d for d in said if d.kind != "note" or d.location != said[0].location]  # notes without a place of their own do not count
        try:
            expected = expectations(piece.text, self._name, piece.first_line)
        except CompileError as error:
            self._say(diagnostics_of(error))
            return False
        complaints = compare(expected, placed, only_expected=self._options.verify_diagnostics == "only-expected")
        self._say(complaints)
        return not complaints

    def _one_piece(self, manager: PassManager, piece: Piece) -> str:
        """The output for one piece. Raises CompileError, whatever goes wrong, unless it is a bug of ours."""
        context = make_context(allow_unregistered=self._options.allow_unregistered_dialect)
        with self._timer.scope("Parser"):
            module = parse_module(piece.text, context, name=self._name, first_line=piece.first_line)
        root = self._root(module)
        with self._timer.scope("Verifier"):
            verify(root)
        if self._options.pass_pipeline is None and root.name != manager.anchor:
            manager = build_pipeline(self._options.passes, root.name)  # passes given as flags are for whatever stands at the top
        try:
            manager.run(root, context, self._hooks(root, context))
        except DiagnosticException as error:
            raise _as_compile_error(error) from error
        with self._timer.scope("Printer"):
            return print_ir(root, self._print_options, context.loaded_dialects)

    def _root(self, module: ModuleOp) -> Operation:
        """The operation to work on: the module, or with `--no-implicit-module` the only operation in it."""
        is_implicit = module.location is UNKNOWN_LOC  # the parser gives every operation that is written down a place
        if not self._options.no_implicit_module or not is_implicit:
            return module
        ops = list(module.body.block.ops)
        if len(ops) != 1:
            message = f"--no-implicit-module needs exactly one operation at the top, not {len(ops)}"
            raise CompileError(message, location=f"{self._name}:1:1")
        ops[0].detach()
        return ops[0]

    # ---- around each pass

    def _hooks(self, root: Operation, context: Context) -> Sequence[Instrumentation]:
        """Closed in reverse: the clock stops, then the IR is verified, then validated, then printed."""
        hooks: list[Instrumentation] = []
        options = self._options
        dumps = DumpOptions(
            before=EVERY_PASS if options.mlir_print_ir_before_all else options.mlir_print_ir_before,
            after=EVERY_PASS if options.mlir_print_ir_after_all else options.mlir_print_ir_after,
            only_changes=options.mlir_print_ir_after_change,
            on_failure=options.mlir_print_ir_after_failure,
            module_scope=options.mlir_print_ir_module_scope,
        )
        if dumps.wanted:
            hooks.append(IRDumping(dumps, self._print_options, sys.stderr))
        if options.validate_each is not None:
            hooks.append(_Validation(root, context, options.validate_each))
        if options.verify_each:
            hooks.append(_Verification(self._timer if options.mlir_timing else None))
        if options.mlir_timing:
            hooks.append(PassTiming(self._timer))
        return hooks

    def _say(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            show(diagnostic, self._sources, sys.stderr)


class _Verification(Instrumentation):
    """`--verify-each`: the IR must be valid after every pass."""

    def __init__(self, timer: Timer | None) -> None:
        self._timer = timer

    def after_pass(self, step: Pass, op: Operation) -> None:
        scope: AbstractContextManager[None] = self._timer.scope("(V) Verifier") if self._timer else nullcontext()
        with scope:
            verify(op)


class _Validation(Instrumentation):
    """`--validate-each`: the functions must compute after every pass what they computed before the first."""

    def __init__(self, root: Operation, context: Context, seeds: int) -> None:
        if not isinstance(root, ModuleOp):
            raise CompileError("--validate-each needs a module", hint="leave --no-implicit-module out")
        kind: type[Validator] = resolve(VALIDATOR)
        self._root = root
        self._validators = [kind(root, context, seed=seed) for seed in range(seeds)]

    def after_pass(self, step: Pass, op: Operation) -> None:
        for validator in self._validators:
            validator.check(self._root, step.name)


def _as_compile_error(error: DiagnosticException) -> CompileError:
    """An error that a pass of xDSL raised. Its notes are dumps of the whole module, except for the one that names the pass."""
    found = CompileError(" ".join(str(error).split()))
    for note in getattr(error, "__notes__", ()):
        if "\n" not in note:
            found.add_note(note)
    return found


def _read(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot read '{path}': {error.strerror}", location="mlopt") from error
    except UnicodeDecodeError as error:
        raise CompileError(f"'{path}' is not text", location="mlopt", hint="mlopt reads MLIR text; `stepwell` reads models") from error


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot write '{path}': {error.strerror}", location="mlopt") from error
