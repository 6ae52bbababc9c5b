"""`--html=report.html`: one file that shows in any browser, without a network, what the passes did.

A time line of the passes, the IR before and after each with what was created, erased and changed, the patterns that applied, and for any
operation what it came from and what became of it.
"""

from __future__ import annotations

import json
from pathlib import Path

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.tools.mlopt.report import Report
from stepwell.tools.mlopt.subcommands import Watched
from stepwell.tools.mlopt.watch import Watching

PAGE = Path(__file__).with_name("report.html")


class HtmlReport(Watching):
    """Collects a report and writes it when the outermost pipeline is over, well or not."""

    def __init__(self, run: Watched) -> None:
        self._file = Path(run.options.html or "report.html")
        if run.first_line > 1:  # the pieces of a file are reports of their own
            self._file = self._file.with_stem(f"{self._file.stem}-{run.first_line}")
        self._report = Report(run.root, run.options.input)
        super().__init__(self._report.lineage)

    def before_pass(self, step: Pass, op: Operation) -> None:
        self._report.begin()

    def after_pass(self, step: Pass, op: Operation) -> None:
        self._report.end(step, op)

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        self._report.end(step, op, failed=str(error))

    def finish(self) -> None:
        try:
            self._file.write_text(page(self._report.data()), encoding="utf-8")
        except OSError as error:
            raise CompileError(f"cannot write '{self._file}': {error.strerror}", location="mlopt") from error


def page(data: dict[str, object]) -> str:
    """The page for the data of a report."""
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    return PAGE.read_text(encoding="utf-8").replace('"@DATA@"', text)
