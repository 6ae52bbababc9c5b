"""What `mlopt` does not import for a small job: imports are most of its start-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULE = """func.func @f(%a: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %sum = arith.addi %a, %zero : i32
  return %sum : i32
}
"""
PROGRAM = """
import sys
from stepwell.tools.mlopt.__main__ import main
status = main([sys.argv[1], "--canonicalize"])
print(" ".join(sorted({"numpy", "ml_dtypes", "onnx", "llvmlite", "rich"} & set(sys.modules))), file=sys.stderr)
sys.exit(status)
"""


def test_canonicalizing_integers_needs_no_numpy(tmp_path: Path) -> None:
    file = tmp_path / "f.mlir"
    file.write_text(MODULE)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "return %a : i32" in done.stdout
    assert done.stderr.strip() == ""
