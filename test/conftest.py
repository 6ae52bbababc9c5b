"""Lets pytest collect the `.mlir` files: each is one test, its RUN lines are run in this process."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from run_lines import run_file

INPUT_FOLDER = "Inputs"
"""Files in folders of this name are read by tests and are none."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".mlir" and INPUT_FOLDER not in file_path.parts:
        return LitFile.from_parent(parent, path=file_path)
    return None


class LitFile(pytest.File):
    def collect(self) -> Iterable[pytest.Item]:
        yield LitItem.from_parent(self, name=self.path.name)


class LitFailure(Exception):
    """The RUN lines failed; the message says which and why."""


class LitItem(pytest.Item):
    def runtest(self) -> None:
        failure = run_file(self.path)
        if failure is not None:
            raise LitFailure(failure)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, LitFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, str(self.path)
