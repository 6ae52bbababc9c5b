"""Stepwell: a machine-learning compiler in pure Python.

    import stepwell
    program = stepwell.compile("model.onnx", inputs={"x": (1, 3, 48, 192)})
    outputs = program(x=array)          # {"y": array}
    print(program.report())             # kernels, work, memory, compile time
    print(program.ir("affine"))         # the model at any level of the stairs

Importing the package is cheap: everything heavy loads when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.api import compile
    from stepwell.backends.cpu.program import Program

__all__ = ["CompileError", "Program", "compile"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "compile":
        from stepwell.api import compile

        return compile
    if name == "Program":
        from stepwell.backends.cpu.program import Program

        return Program
    raise AttributeError(f"module 'stepwell' has no attribute {name!r}")
