"""Reproducers: IR and the pipeline that fails on it in one file, as upstream writes and reads them.

The file is IR with a trailer; `mlopt FILE --run-reproducer` (and `mlir-opt`) runs the pipeline that stands there.

    {-#
      external_resources: {
        mlir_reproducer: {
          pipeline: "builtin.module(cse)",
          disable_threading: true,
          verify_each: true
        }
      }
    #-}
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError, Diagnostic
from stepwell.ir.locations import place
from stepwell.ir.manager.dumping import describe, title
from stepwell.ir.manager.pass_manager import Instrumentation, PassManager
from stepwell.ir.manager.pass_options import options_of
from stepwell.ir.manager.pipeline_text import NestText, PassText
from stepwell.ir.passes import Pass
from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.text.printing import print_ir

TRAILER = re.compile(r"mlir_reproducer:\s*\{(?P<entries>[^#]*?)\}\s*(?:,|\})", re.DOTALL)
ENTRY = re.compile(r"(?P<key>\w+):\s*(?:\"(?P<text>(?:[^\"\\]|\\.)*)\"|(?P<word>\w+))")


class Reproducer(NamedTuple):
    """What the trailer says."""

    pipeline: str
    verify_each: bool = True


def reproducer_text(ir: str, pipeline: str, *, verify_each: bool, single_threaded: bool = True) -> str:
    """The contents of a reproducer for printed IR."""
    escaped = pipeline.replace("\\", "\\\\").replace('"', '\\"')
    entries = [
        f'      pipeline: "{escaped}"',
        f"      disable_threading: {str(single_threaded).lower()}",
        f"      verify_each: {str(verify_each).lower()}",
    ]
    return f"{ir}\n{{-#\n  external_resources: {{\n    mlir_reproducer: {{\n" + ",\n".join(entries) + "\n    }\n  }\n#-}\n"


def read_reproducer(text: str) -> Reproducer:
    """The trailer of a reproducer. Raises CompileError where the text has none."""
    match = TRAILER.search(text, text.rfind("{-#") if "{-#" in text else len(text))
    entries = (
        {entry["key"]: entry for entry in ENTRY.finditer(re.sub(r"^\s*//.*$", "", match["entries"], flags=re.MULTILINE))} if match else {}
    )
    if "pipeline" not in entries or entries["pipeline"]["text"] is None:
        hint = "a reproducer ends in {-# external_resources: { mlir_reproducer: { pipeline: ... } } #-}"
        raise CompileError("this file has no reproducer to run", hint=hint)
    pipeline = re.sub(r"\\(.)", r"\1", entries["pipeline"]["text"])
    return Reproducer(pipeline, "verify_each" not in entries or entries["verify_each"]["word"] != "false")


class CrashReproducer(Instrumentation):
    """Keeps the IR as it was before the pipeline, or with `local` before each pass, and writes it to `file` where a pass fails."""

    def __init__(self, file: str, *, local: bool, verify_each: bool, print_options: PrintOptions) -> None:
        self._file = file
        self._local = local
        self._verify_each = verify_each
        self._print_options = print_options
        self._depth = 0
        self._ir = ""
        self._pipeline = ""
        self._where: str | None = None
        self.said: list[Diagnostic] = []
        """What is to be said after the error itself."""

    def before_pipeline(self, manager: PassManager, op: Operation) -> None:
        if self._depth == 0:
            self._where = place(op)
            if not self._local:
                self._ir, self._pipeline = print_ir(op, self._print_options), str(manager)
        self._depth += 1

    def after_pipeline(self, manager: PassManager, op: Operation) -> None:
        self._depth -= 1

    def before_pass(self, step: Pass, op: Operation) -> None:
        if self._local:
            scopes = [op]
            while (around := scopes[-1].parent_op()) is not None:
                scopes.append(around)
            pipeline: NestText | PassText = PassText(step.name, options_of(step, defaults=False))
            for scope in scopes:
                pipeline = NestText(scope.name, (pipeline,))
            self._ir, self._pipeline = print_ir(scopes[-1], self._print_options), str(pipeline)

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        if self.said:
            return  # the pass that ran this one fails, too
        running = f"`{title(step)}` on {describe(op)}"
        try:
            text = reproducer_text(self._ir, self._pipeline, verify_each=self._verify_each)
            Path(self._file).write_text(text, encoding="utf-8")
            outcome = f"reproducer generated at `{self._file}`"
        except OSError as problem:
            outcome = f"no reproducer could be written to `{self._file}`: {problem.strerror}"
        note = f"Pipeline failed while executing {running if self._local else f'[{running}]'}: {outcome}"
        message = "Failures have been detected while processing an MLIR pass pipeline"
        self.said.append(Diagnostic("error", message, self._where, (Diagnostic("note", note, self._where),)))
