"""The lit test format that runs RUN lines in lit's worker processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lit.formats
import lit.Test
from run_lines import run_file


class InProcessTest(lit.formats.FileBasedTest):
    """Passes where every RUN line does."""

    def execute(self, test: Any, lit_config: Any) -> Any:
        failure = run_file(Path(test.getSourcePath()))
        return (lit.Test.PASS, "") if failure is None else (lit.Test.FAIL, failure)
