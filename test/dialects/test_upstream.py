"""What we print, a real MLIR accepts; what we refuse, it refuses. Needs torch-mlir, which carries MLIR's Python bindings.

The questions go to one process of their own: an assertion of MLIR ends the process that asks.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import PrintOptions, print_ir

HERE = Path(__file__).parent
KERNELS = HERE.parent / "backends" / "interpreter" / "Inputs"
DIALECTS = ("affine", "arith", "linalg", "llvm", "memref", "scf", "tensor", "vector")
SPLIT = re.compile(r"^// -----$", re.MULTILINE)
STRICTER = "Upstream lets this pass"
"""Stands in a chunk of `invalid.mlir` that we refuse and MLIR does not."""

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch_mlir") is None, reason="torch-mlir is not installed")

ASK = """
import json, sys
import torch_mlir.ir as ir
answers = []
with ir.Context() as context, ir.Location.unknown():
    context.enable_multithreading(False)
    for text in json.load(sys.stdin):
        try:
            ir.Module.parse(text).operation.verify()
            answers.append("")
        except ir.MLIRError as error:
            answers.append(str(error))
print(json.dumps(answers))
"""


def ask(texts: list[str]) -> list[str]:
    """For each text what MLIR says against it, empty where it has nothing to say."""
    done = subprocess.run([sys.executable, "-c", ASK], input=json.dumps(texts), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("generic", [False, True])
def test_what_we_print_is_accepted(generic: bool) -> None:
    files = [HERE / dialect / "ops.mlir" for dialect in DIALECTS] + sorted(KERNELS.glob("*.mlir"))
    texts = [print_ir(parse_module(file.read_text(), make_context()), PrintOptions(generic=generic)) for file in files]
    for file, answer in zip(files, ask(texts), strict=True):
        assert answer == "", file


def test_what_we_refuse_is_refused() -> None:
    chunks = [
        (dialect, i, text) for dialect in DIALECTS for i, text in enumerate(SPLIT.split((HERE / dialect / "invalid.mlir").read_text()))
    ]
    answers = ask([text for _, _, text in chunks])
    for (dialect, i, text), answer in zip(chunks, answers, strict=True):
        assert (answer == "") == (STRICTER in text), f"{dialect}, chunk {i}: {answer or 'accepted'}"
