"""The interface that the `onnx` package asks of a backend: `prepare(model).run(inputs)`, on the CPU."""

# The interfaces of onnx.backend, onnx.reference, onnxruntime and multiprocessing that are used here carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from onnx import ModelProto
from onnx.backend.base import Backend, BackendRep, Device, DeviceType

from stepwell.ir.diagnostics import CompileError
from stepwell.onnx.session import InferenceSession


class StepwellRep(BackendRep):
    """A model that was prepared. It compiles when it first sees inputs, whose shapes fix the program."""

    def __init__(self, session: InferenceSession) -> None:
        self.session = session

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs. Inputs by position in a list, by name in a mapping, or a single array."""
        del kwargs
        names = [value.name for value in self.session.get_inputs()]
        if isinstance(inputs, Mapping):
            feeds = dict(cast("Mapping[str, Any]", inputs))
        else:
            given = cast("list[Any]", list(inputs)) if isinstance(inputs, (list, tuple)) else [inputs]
            if len(given) > len(names):
                raise CompileError(f"{len(given)} inputs given, the model takes {len(names)}")
            feeds = dict(zip(names, given, strict=False))
        return tuple(self.session.run(None, feeds))


class StepwellBackend(Backend):
    """Stepwell as `onnx.backend.test` and other users of the interface see it."""

    @classmethod
    def is_compatible(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether a model compiles is known when its inputs' shapes are: every model may try."""
        del model, kwargs
        return cls.supports_device(device)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """CPUs only."""
        return Device(device).type == DeviceType.CPU

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> StepwellRep:
        """Check a model and make it ready to run. `threads` is passed on."""
        if not cls.supports_device(device):
            raise CompileError(f"device {device!r} is not supported", hint="CPU")
        return StepwellRep(InferenceSession(model, threads=kwargs.get("threads")))

    @classmethod
    def run_model(cls, model: ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        """Prepare and run in one."""
        return cls.prepare(model, device, **kwargs).run(inputs)


is_compatible = StepwellBackend.is_compatible
prepare = StepwellBackend.prepare
run_model = StepwellBackend.run_model
supports_device = StepwellBackend.supports_device
