"""A model file in, a session out that runs it on arrays of any shape: each set of shapes is compiled once, when it is first met.

It is the dynamic program of `stepwell.stages` behind the interface of ONNX Runtime. Where a shape inside the model depends on the *values*
of a small input (a shape, scales, a switch), the program is compiled for those values; where it depends on what the model computes, the
model runs in stages.
"""

# The interfaces of onnx.backend, onnx.reference, onnxruntime and multiprocessing that are used here carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onnx import ModelProto, ValueInfoProto

from stepwell.api import dynamic
from stepwell.ir.diagnostics import CompileError
from stepwell.stages.program import spec_of

if TYPE_CHECKING:
    from stepwell.backends.cpu.program import Program


@dataclass(frozen=True)
class NodeArg:
    """An input or output as the model declares it; `shape` holds numbers, names, and None where nothing is said."""

    name: str
    type: str
    shape: list[int | str | None]


class InferenceSession:
    """A model that compiles for the shapes it is run on. Raises CompileError, and only that, for what cannot be compiled or run."""

    def __init__(
        self, model: str | os.PathLike[str] | bytes | ModelProto, *, threads: int | None = None, providers: Sequence[Any] = ()
    ) -> None:
        """`providers` is there for programs written for ONNX Runtime and says nothing here."""
        del providers
        self.compiled = dynamic(model, threads=threads)
        """The program that does the work; its report says what was compiled, and what ran on the host."""
        graph = self.compiled.model.proto.graph
        weights = {tensor.name for tensor in graph.initializer}  # models of old list them as inputs too
        self._declared = [value for value in graph.input if value.name not in weights]
        self._outputs = list(graph.output)

    def get_inputs(self) -> list[NodeArg]:
        """What must be fed."""
        return [_node_arg(value) for value in self._declared]

    @property
    def fixed_inputs(self) -> frozenset[str]:
        """The inputs whose values were compiled in so far."""
        return self.compiled.fixed_inputs

    @property
    def host_calls(self) -> dict[str, int]:
        """How often the last run called each operator of the host."""
        return self.compiled.report().host_calls

    def get_outputs(self) -> list[NodeArg]:
        """What comes out."""
        return [_node_arg(value) for value in self._outputs]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any], run_options: Any = None) -> list[Any]:
        """The outputs of these names, all for None, in order. Sequences are lists, an optional without a value is None."""
        del run_options
        known = [value.name for value in self._outputs]
        for name in names or ():
            if name not in known:
                raise CompileError(f"no output is named {name!r}", hint=f"outputs: {', '.join(known)}")
        results = self.compiled(feeds)
        return [results[name] for name in (names or known)]

    def program(self, feeds: Mapping[str, Any]) -> Program | None:
        """The native program that a run on these inputs begins with; None where there is nothing to compute."""
        return self.compiled.plan_for(feeds)


_ONNX_NAMES = {
    **{"float32": "float", "float64": "double", "float8_e8m0fnu": "float8e8m0", "float4_e2m1fn": "float4e2m1"},
    **{"float6_e2m3fn": "float6e2m3", "float6_e3m2fn": "float6e3m2"},
}
"""dtype -> the name of the element type, where it is not the same without the underscore."""


def _node_arg(value: ValueInfoProto) -> NodeArg:
    spec = spec_of(value)
    spelled = _ONNX_NAMES.get(spec.dtype) or spec.dtype.replace("_", "")
    type = f"tensor({spelled})"
    for kind in reversed(spec.kind.split()):
        type = type if kind == "tensor" else f"{'seq' if kind == 'sequence' else kind}({type})"
    return NodeArg(value.name, type, list(spec.shape or ()))
