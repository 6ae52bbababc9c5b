"""`--verify-with-mlir`: after each pass, a real MLIR must accept the IR too."""

from __future__ import annotations

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import Instrumentation
from stepwell.ir.passes import Pass
from stepwell.ir.via_mlir import real_mlir
from stepwell.tools.mlopt.subcommands import Watched


class SecondOpinion(Instrumentation):
    """Asks it about the whole module."""

    def __init__(self, run: Watched) -> None:
        self._run = run
        self._mlir = real_mlir()

    def after_pass(self, step: Pass, op: Operation) -> None:
        try:
            self._mlir.verify(self._run.root, self._run.context)
        except CompileError as error:
            message = f"after pass '{step.name}', {error.message}"
            raise CompileError(message, location=error.location, hint=f"asked was {self._mlir.name}") from error
