"""ONNX in, level 1 out. `import_model` does all of it; `load_model` only reads and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepwell.frontends.onnx.importer import import_model
    from stepwell.frontends.onnx.load import load_model

__all__ = ["import_model", "load_model"]


def __getattr__(name: str) -> Any:
    """Imports protobuf and the operators when they are first asked for."""
    if name == "import_model":
        from stepwell.frontends.onnx.importer import import_model

        return import_model
    if name == "load_model":
        from stepwell.frontends.onnx.load import load_model

        return load_model
    raise AttributeError(name)
