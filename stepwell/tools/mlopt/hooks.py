"""What watches the passes of one run: clock, verifier, validator, printers, counters, reproducers, and what they report at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError, Diagnostic
from stepwell.ir.manager.dumping import EVERY_PASS, DumpOptions, IRDumping
from stepwell.ir.manager.pass_manager import Instrumentation
from stepwell.ir.manager.timing import PassTiming, Timer
from stepwell.ir.passes import Pass
from stepwell.ir.registry import resolve
from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.verify import verify
from stepwell.tools.mlopt.options import Options
from stepwell.tools.mlopt.split import Piece
from stepwell.tools.mlopt.subcommands import Watched, instrumentations

if TYPE_CHECKING:
    from stepwell.ir.manager.reproducer import CrashReproducer
    from stepwell.ir.manager.statistics import PassStatistics

VALIDATOR = "stepwell.backends.interpreter.validate:Validator"
SUMMARY = "stepwell.backends.interpreter.validate:summary_of_unjudged"


class Validator(Protocol):
    """Runs the functions of a module on the inputs of one seed and remembers what came out."""

    def __init__(self, module: ModuleOp, ctx: Context, seed: int = 0) -> None: ...

    def check(self, module: ModuleOp, pass_name: str) -> None:
        """Run them again. Raises CompileError, naming the pass, where something else comes out."""


class Hooks:
    """Makes the instrumentations that the flags ask for."""

    def __init__(self, options: Options, print_options: PrintOptions) -> None:
        self._options = options
        self.print_options = print_options
        self.timer = Timer()
        self._statistics: PassStatistics | None = None
        self._reproducer: CrashReproducer | None = None
        self._validations: list[_Validation] = []

    def around_passes(self, root: Operation, context: Context, piece: Piece) -> Sequence[Instrumentation]:
        """Closed in reverse: the clock stops, then the IR is verified, then validated, then printed."""
        options = self._options
        hooks: list[Instrumentation] = instrumentations(Watched(options, root, context, piece.text, piece.first_line))
        if options.mlir_pass_pipeline_crash_reproducer:
            from stepwell.ir.manager.reproducer import CrashReproducer

            file, local = options.mlir_pass_pipeline_crash_reproducer, options.mlir_pass_pipeline_local_reproducer
            self._reproducer = CrashReproducer(file, local=local, verify_each=options.verify_each, print_options=self.print_options)
            hooks.append(self._reproducer)
        dumps = self._dump_options()
        if dumps.wanted:
            hooks.append(IRDumping(dumps, self.print_options, sys.stderr))
        if options.validate_each is not None:
            self._validations.append(_Validation(root, context, options.validate_each))
            hooks.append(self._validations[-1])
        if options.verify_each:
            hooks.append(_Verification(self.timer if options.mlir_timing else None))
        if options.mlir_timing:
            hooks.append(PassTiming(self.timer))
        if options.mlir_pass_statistics:
            from stepwell.ir.manager.statistics import PassStatistics

            self._statistics = self._statistics or PassStatistics()
            hooks.append(self._statistics)
        return hooks

    def _dump_options(self) -> DumpOptions:
        options = self._options
        return DumpOptions(
            before=EVERY_PASS if options.mlir_print_ir_before_all else options.mlir_print_ir_before,
            after=EVERY_PASS if options.mlir_print_ir_after_all else options.mlir_print_ir_after,
            only_changes=options.mlir_print_ir_after_change,
            as_diff=options.mlir_print_ir_diff,
            on_failure=options.mlir_print_ir_after_failure,
            module_scope=options.mlir_print_ir_module_scope,
            tree=Path(options.mlir_print_ir_tree_dir) if options.mlir_print_ir_tree_dir else None,
        )

    def last_words(self) -> list[Diagnostic]:
        """What is to be said after the errors of a piece of the input."""
        said = self._reproducer.said if self._reproducer else []
        self._reproducer = None
        return said

    def report(self, seconds: float) -> None:
        """Print what was measured and counted, for a run of so many seconds."""
        options = self._options
        if options.mlir_timing:
            report = self.timer.report(seconds, display=options.mlir_timing_display, format=options.mlir_output_format)
            sys.stderr.write(report)
        for validation in self._validations:
            if (summary := validation.summary()) is not None:
                sys.stderr.write(f"note: --validate-each: {summary}\n")
        if self._statistics is not None:
            sys.stderr.write(self._statistics.report(options.mlir_pass_statistics_display))


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

    def summary(self) -> str | None:
        """Which functions could not be judged, and why; None where all were."""
        return resolve(SUMMARY)(self._validators)

    def after_pass(self, step: Pass, op: Operation) -> None:
        for validator in self._validators:
            validator.check(self._root, step.name)
