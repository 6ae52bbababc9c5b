"""Stepwell: a machine-learning compiler in pure Python.

    import stepwell
    program = stepwell.compile("model.onnx", inputs={"x": (1, 3, 48, 192)})
    outputs = program(x=array)          # {"y": array}
    print(program.report())             # kernels, work, memory, compile time
    print(program.ir("affine"))         # the model at any level of the stairs
    stepwell.show(program.ir("nn"))     # the same in a notebook, with colours

Importing the package is cheap: everything heavy loads when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is not imported
if TYPE_CHECKING:
    from stepwell.api import compile
    from stepwell.backends.cpu.program import Program
    from stepwell.ir.diagnostics import CompileError
    from stepwell.ir.text.display import show

__all__ = ["CompileError", "Program", "compile", "show"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "compile":
        from stepwell.api import compile

        return compile
    if name == "Program":
        from stepwell.backends.cpu.program import Program

        return Program
    if name == "show":
        from stepwell.ir.text.display import show

        return show
    if name == "CompileError":
        from stepwell.ir.diagnostics import CompileError

        return CompileError
    raise AttributeError(f"module 'stepwell' has no attribute {name!r}")
