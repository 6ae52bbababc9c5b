"""What a host operator is given and what it gives: a node of the model as plain Python, and values as numpy arrays.

    def string_concat(node: HostNode, inputs: Sequence[Value]) -> list[Value]: ...

A host operator does on the host what is no numeric work: strings, decoding of images, sets. It checks its inputs, raises CompileError, and
gives as many values as the node has outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import numpy as np

from stepwell.ir.diagnostics import CompileError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Value: TypeAlias = Array | list["Value"] | Mapping[Any, Any] | None
"""A tensor (of strings: an array of dtype object that holds `str`), a sequence, a map (of ai.onnx.ml), or an optional without a value (as
well as an input that the node leaves out)."""


@dataclass(frozen=True)
class HostNode:
    """A node that runs on the host."""

    op_type: str
    domain: str
    """Empty for the operators of ONNX itself."""
    version: int
    """The version of the opset of its domain."""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """As Python: int, float, str, lists of these, numpy arrays for tensors. What the node leaves out is not there."""
    outputs: int = 1
    """How many results there are, those that nobody asked for included."""
    name: str = ""

    @property
    def operator(self) -> str:
        """The operator with its domain, as the table of host operators and the report have it."""
        return f"{self.domain}.{self.op_type}" if self.domain else self.op_type

    def fail(self, message: str, hint: str | None = None) -> NoReturn:
        """The node contradicts the standard."""
        raise CompileError(f"{self.operator}: {message}", location=f"node {self.name!r}" if self.name else None, hint=hint)

    def input(self, inputs: Sequence[Value], index: int) -> Value:
        """An input, None where the node leaves it out."""
        return inputs[index] if index < len(inputs) else None
