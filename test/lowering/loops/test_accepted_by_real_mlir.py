"""What is printed after each pass is accepted by a real MLIR that knows none of our dialects."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from down_the_stairs import PASSES, parse
from random_programs import Program
from test_programs_run import MATMUL_SOFTMAX

from stepwell.ir.registry import find_pass, make_context

WORKER = r"""
import pickle, sys
import torch_mlir.ir as ir

for name, text in pickle.load(sys.stdin.buffer):
    with ir.Context() as context, ir.Location.unknown():
        context.allow_unregistered_dialects = False
        try:
            ir.Module.parse(text).operation.verify()
        except ir.MLIRError as error:
            print(name, error)
"""


def test_accepted() -> None:
    pytest.importorskip("torch_mlir")
    texts: list[tuple[str, str]] = []
    for name, source in [("matmul and softmax", MATMUL_SOFTMAX), *((f"program {seed}", Program(seed).text()) for seed in range(25))]:
        module, context = parse(source), make_context()
        for step in PASSES:
            find_pass(step)().run(module, context)
            texts.append((f"{name} after {step}", str(module)))
    done = subprocess.run([sys.executable, "-c", WORKER], input=pickle.dumps(texts), capture_output=True, timeout=300, check=True)
    assert done.stdout.decode() == ""
