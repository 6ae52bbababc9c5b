"""Stepwell: a machine-learning compiler in pure Python.

    import stepwell
    program = stepwell.compile("model.onnx", inputs={"x": (1, 3, 48, 192)})
    outputs = program(x=array)          # {"y": array}
    print(program.report())             # kernels, work, memory, compile time
    print(program.ir("affine"))         # the model at any level of the stairs
    stepwell.show(program.ir("nn"))     # the same in a notebook, with colours

    import stepwell.numpy as np

    @stepwell.jit
    def loss(params, x, y):             # Python, traced once and compiled
        return np.mean((np.tanh(x @ params["w"]) - y) ** 2)

    value, gradient = stepwell.value_and_grad(loss)(params, x, y)

Importing the package is cheap: everything heavy loads when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is not imported
if TYPE_CHECKING:
    from stepwell.api import compile
    from stepwell.backends.cpu.program import Program
    from stepwell.ir.diagnostics import CompileError
    from stepwell.ir.text.display import show
    from stepwell.traced import (
        checkpoint,
        cond,
        custom_vjp,
        fori_loop,
        grad,
        jit,
        jvp,
        scan,
        stop_gradient,
        tree_map,
        value_and_grad,
        vjp,
        while_loop,
    )

__all__ = [
    "CompileError",
    "Program",
    "checkpoint",
    "compile",
    "cond",
    "custom_vjp",
    "fori_loop",
    "grad",
    "jit",
    "jvp",
    "scan",
    "show",
    "stop_gradient",
    "tree_map",
    "value_and_grad",
    "vjp",
    "while_loop",
]
_MODULES = frozenset({"checkpoints", "nn", "numpy", "onnx", "optim", "random"})
_TRACED = frozenset(__all__) - {"CompileError", "Program", "compile", "show"}
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
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"stepwell.{name}")
    if name in _TRACED:
        import stepwell.traced

        return getattr(stepwell.traced, name)
    raise AttributeError(f"module 'stepwell' has no attribute {name!r}")
