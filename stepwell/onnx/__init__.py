"""The thin doors for programs that speak ONNX already: a backend of the `onnx` package, and a session as ONNX Runtime has.

from stepwell.onnx import InferenceSession
session = InferenceSession("model.onnx")
outputs = session.run(None, {"x": array})          # compiles for the shapes that it meets

model = stepwell.onnx.Module("model.onnx")         # its weights are parameters: differentiated, fine-tuned
import stepwell.onnx.backend                       # the interface of onnx.backend.base
stepwell.onnx.backend.prepare(model).run([array])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepwell.onnx.backend import StepwellBackend, StepwellRep
    from stepwell.onnx.module import Module
    from stepwell.onnx.session import InferenceSession

__all__ = ["InferenceSession", "Module", "StepwellBackend", "StepwellRep"]


def __getattr__(name: str) -> Any:
    """Imports a door when it is first asked for."""
    if name == "InferenceSession":
        from stepwell.onnx.session import InferenceSession

        return InferenceSession
    if name == "Module":
        from stepwell.onnx.module import Module

        return Module
    if name in ("StepwellBackend", "StepwellRep"):
        from stepwell.onnx import backend

        return getattr(backend, name)
    raise AttributeError(f"module 'stepwell.onnx' has no attribute {name!r}")
