"""The flags that watch actions: --log-actions-to, --profile-actions-to, --mlir-debug-counter, --expensive-checks.

Each is an instrumentation that installs its watcher when the outermost pipeline begins and removes it when that is over. Passes are actions
too: they are announced to the watchers, and a debug counter may leave them out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import Instrumentation, PassManager
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.actions import PASS, DebugCounter, Watcher, watching
from stepwell.ir.rewrite.mutations import MutationListener, listening
from stepwell.tools.mlopt.subcommands import Watched


class Watching(Instrumentation):
    """Keeps a watcher installed while pipelines run."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self._depth = 0
        self._installed = ExitStack()

    def before_pipeline(self, manager: PassManager, op: Operation) -> None:
        if self._depth == 0:
            self._installed.enter_context(watching(self.watcher))
            if isinstance(self.watcher, MutationListener):
                self._installed.enter_context(listening(self.watcher))
        self._depth += 1

    def after_pipeline(self, manager: PassManager, op: Operation) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._installed.close()
            self.finish()

    def before_pass(self, step: Pass, op: Operation) -> None:
        self.watcher.begins(PASS, step.name, op)

    def after_pass(self, step: Pass, op: Operation) -> None:
        self.watcher.ends(PASS, step.name, op, True, None)

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        self.watcher.ends(PASS, step.name, op, False, str(error))

    def finish(self) -> None:
        """The outermost pipeline is over, well or not."""


class _Logging(Watching):
    def __init__(self, root: Operation, stream: TextIO, filter: Sequence[str]) -> None:
        from stepwell.ir.rewrite.action_log import ActionLog

        super().__init__(ActionLog(root, stream, filter))
        self._stream = stream

    def finish(self) -> None:
        if self._stream is not sys.stdout:
            self._stream.close()


class _Tracing(Watching):
    def __init__(self, stream: TextIO) -> None:
        from stepwell.ir.rewrite.action_log import ActionTrace

        self._trace = ActionTrace()
        super().__init__(self._trace)
        self._stream = stream

    def finish(self) -> None:
        self._stream.write(self._trace.text())
        if self._stream is not sys.stdout:
            self._stream.close()


class _Counting(Watching):
    def __init__(self, counter: DebugCounter, print_at_end: bool) -> None:
        super().__init__(counter)
        self._counter = counter
        self._print = print_at_end

    def may_run(self, step: Pass, op: Operation) -> bool:
        return self._counter.may(PASS, step.name, op)

    def finish(self) -> None:
        if self._print:
            sys.stderr.write(self._counter.report())


class _Checking(Watcher):
    checks_failures = True


def log(run: Watched) -> Instrumentation:
    """`--log-actions-to=FILE`, `-` for standard output; `--log-mlir-actions-filter=PLACE,...`"""
    places = (run.options.log_mlir_actions_filter or "").split(",")
    return _Logging(run.root, _stream(run.options.log_actions_to, run), [place for place in places if place])


def profile(run: Watched) -> Instrumentation:
    """`--profile-actions-to=FILE`"""
    return _Tracing(_stream(run.options.profile_actions_to, run))


def counter(run: Watched) -> Instrumentation:
    """`--mlir-debug-counter=...`"""
    return _Counting(DebugCounter(run.options.mlir_debug_counter or ""), run.options.mlir_print_debug_counter)


def only_report(run: Watched) -> Instrumentation:
    """`--mlir-print-debug-counter` alone."""
    return counter(run) if run.options.mlir_debug_counter is None else Instrumentation()


def checks(run: Watched) -> Instrumentation:
    """`--expensive-checks`, and `--debug`"""
    return Watching(_Checking())


def _stream(path: str | None, run: Watched) -> TextIO:
    """A stream for one piece of the input; the pieces follow one another in the file."""
    if path is None or path == "-":
        return sys.stdout
    try:
        return Path(path).open("w" if run.first_line == 1 else "a", encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot write '{path}': {error.strerror}", location="mlopt") from error
