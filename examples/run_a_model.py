"""Compile a model from Python, run it, look at what it became.

python examples/run_a_model.py
"""

from __future__ import annotations

import numpy as np
from tiny_model import tiny_model

import stepwell

program = stepwell.compile(tiny_model(), inputs={"x": (196, 256)}, threads=2)
print(program.inputs)
print(program.outputs)

x = np.random.default_rng(1).standard_normal((196, 256), np.float32)
y = program(x=x)["y"]  # by name, by position, or all inputs in one mapping; the arrays are yours
print(f"y[0, :4] = {y[0, :4]}")

buffer = np.empty_like(y)
program(x=x, out={"y": buffer})  # results straight into memory of yours
assert np.array_equal(buffer, y)

print(program.report())  # kernels, work, memory, compile time
print(program.ir("nn", elide=8))  # any level: import, nn, linalg, affine, vector, llvm, asm

try:
    program(x=x.astype(np.float64))
except stepwell.CompileError as error:
    print(error)
