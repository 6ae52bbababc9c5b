"""A program on a GPU: weights and arena lie there, a call copies inputs, starts the launches of the plan, and copies outputs back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stepwell.backends.cpu.image import TensorSpec
from stepwell.backends.main_values import Pointer
from stepwell.backends.ptx.driver import Driver
from stepwell.backends.ptx.plan import Launch
from stepwell.backends.ptx.simulate.values import Array
from stepwell.ir.diagnostics import CompileError

ARENA, WEIGHTS = 0, 1
"""Buffers before the inputs and outputs, in the order of the arguments of `@main`."""


class GpuProgram:
    """A compiled model. Call it with arrays, by position or by name."""

    def __init__(
        self,
        driver: Driver,
        ptx: str,
        plan: Sequence[Launch],
        inputs: list[TensorSpec],
        outputs: list[TensorSpec],
        arena: int,
        weights: Array,
    ) -> None:
        self.driver = driver
        self.ptx = ptx
        self.plan = list(plan)
        self.inputs, self.outputs = inputs, outputs
        self.weights = weights
        self._module = driver.load(ptx)
        sizes = [arena, weights.nbytes, *(spec.nbytes for spec in (*inputs, *outputs))]
        self._buffers = [driver.allocate(max(size, 1)) for size in sizes]
        driver.upload(self._buffers[WEIGHTS], weights)
        self._launches = [
            (launch, [self._buffers[a.buffer] + a.offset if isinstance(a, Pointer) else a for a in launch.arguments]) for launch in plan
        ]

    def __call__(self, /, *arrays: Any, **named: Any) -> dict[str, Array]:
        """Run. Raises CompileError for a wrong name, number, shape or dtype."""
        given = self._bind(arrays, named)
        for number, spec in enumerate(self.inputs):
            if spec.name not in given:
                raise CompileError(f"input {spec.name!r} is missing", hint=f"inputs: {', '.join(s.name for s in self.inputs)}")
            array = np.asarray(given[spec.name])
            if array.shape != spec.shape or array.dtype != spec.numpy_dtype:
                raise CompileError(
                    f"input {spec.name!r} is {array.dtype}{list(array.shape)}, the program takes {spec.dtype}{list(spec.shape)}"
                )
            self.driver.upload(self._buffers[2 + number], array)
        for launch, arguments in self._launches:
            self.driver.launch(self._module, launch.kernel, launch.grid, launch.block, arguments)
        results: dict[str, Array] = {}
        for number, spec in enumerate(self.outputs, 2 + len(self.inputs)):
            results[spec.name] = np.empty(spec.shape, spec.numpy_dtype)
            self.driver.download(self._buffers[number], results[spec.name])
        return results

    def _bind(self, arrays: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
        if len(arrays) == 1 and isinstance(arrays[0], Mapping):
            named = {**arrays[0], **named}
            arrays = ()
        if len(arrays) > len(self.inputs):
            raise CompileError(f"{len(arrays)} inputs given, the program takes {len(self.inputs)}")
        unknown = [name for name in named if all(name != spec.name for spec in self.inputs)]
        if unknown:
            raise CompileError(f"no input is named {unknown[0]!r}", hint=f"inputs: {', '.join(s.name for s in self.inputs)}")
        return {spec.name: array for spec, array in zip(self.inputs, arrays, strict=False)} | named

    def close(self) -> None:
        """Gives the GPU's memory back."""
        for address in self._buffers:
            self.driver.free(address)
        self._buffers.clear()
