"""Configuration of `lit test`: each file is run in lit's worker processes, which is fast; with `--param shell=1`, every RUN line starts
real processes, as a user would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import lit.formats

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from in_process_format import InProcessTest  # noqa: E402
from run_lines import shell_environment  # noqa: E402

config: Any = globals()["config"]
lit_config: Any = globals()["lit_config"]

config.name = "stepwell"
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = str(HERE)
config.test_exec_root = str(HERE.parent / ".lit")
Path(config.test_exec_root).mkdir(exist_ok=True)
config.environment["PATH"] = shell_environment()["PATH"]
config.test_format = lit.formats.ShTest(execute_external=False) if lit_config.params.get("shell") else InProcessTest()
