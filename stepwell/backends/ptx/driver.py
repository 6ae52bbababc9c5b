"""The GPU behind one small interface: the simulated one, or NVIDIA's driver through cuda-python.

Addresses are integers, arrays are numpy's; nothing here knows what is computed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from stepwell.backends.ptx.simulate.machine import Machine, Options
from stepwell.backends.ptx.simulate.traffic import Traffic
from stepwell.backends.ptx.simulate.values import Array
from stepwell.ir.diagnostics import CompileError

Sizes = tuple[int, int, int]


class Driver(Protocol):
    """What a program needs of a GPU. Every method raises CompileError where the GPU refuses."""

    def load(self, ptx: str) -> Any:
        """A module of PTX text, ready to be launched from."""
        ...

    def allocate(self, size: int) -> int:
        """The address of so many bytes."""
        ...

    def free(self, address: int) -> None:
        """Gives them back."""
        ...

    def upload(self, address: int, array: Array) -> None:
        """Copies an array to the GPU."""
        ...

    def download(self, address: int, array: Array) -> None:
        """Copies from the GPU into an array, when all launches before have ended."""
        ...

    def launch(self, module: Any, kernel: str, grid: Sizes, block: Sizes, arguments: Sequence[int]) -> None:
        """Starts a kernel. Arguments are 64 bits each."""
        ...


class SimulatedDriver:
    """The machine of `simulate`. `traffic` gathers the counters of all launches by kernel."""

    def __init__(self, options: Options | None = None) -> None:
        self.machine = Machine()
        self.options = options or Options()
        self.traffic: dict[str, list[Traffic]] = {}

    def load(self, ptx: str) -> Any:
        return self.machine.load(ptx)

    def allocate(self, size: int) -> int:
        return self.machine.allocate(size)

    def free(self, address: int) -> None:
        self.machine.free(address)

    def upload(self, address: int, array: Array) -> None:
        self.machine.write(address, array)

    def download(self, address: int, array: Array) -> None:
        array[...] = self.machine.read(address, array.shape, array.dtype)

    def launch(self, module: Any, kernel: str, grid: Sizes, block: Sizes, arguments: Sequence[int]) -> None:
        found = self.machine.launch(module, kernel, grid, block, arguments, options=self.options)
        self.traffic.setdefault(kernel, []).append(found)


def missing_gpu() -> str | None:
    """Why there is no GPU here, in a sentence; None where there is one."""
    try:
        api: Any = import_module("cuda.bindings.driver")
    except ImportError as error:
        return f"cuda-python is not installed ({error}): pip install cuda-python"
    try:
        (status,) = api.cuInit(0)
    except RuntimeError as error:
        return f"there is no NVIDIA driver: {str(error).splitlines()[0]}"
    if int(status):
        return f"the NVIDIA driver does not start: {status.name}"
    status, count = api.cuDeviceGetCount()
    return None if not int(status) and count else "the NVIDIA driver knows no GPU"


class CudaDriver:
    """NVIDIA's driver. `api` is the module `cuda.bindings.driver`, or something with its functions. Raises CompileError without a GPU."""

    def __init__(self, api: Any = None) -> None:
        if api is None:
            if (reason := missing_gpu()) is not None:
                raise CompileError(reason, hint='target="cuda-simulator" runs the same code without a GPU')
            api = import_module("cuda.bindings.driver")
        self.api: Any = api
        self._ask("cuInit", 0)
        device = self._ask("cuDeviceGet", 0)
        self.context = self._ask("cuDevicePrimaryCtxRetain", device)
        self._ask("cuCtxSetCurrent", self.context)

    def _ask(self, name: str, *arguments: Any) -> Any:
        status, *results = getattr(self.api, name)(*arguments)
        if int(status):
            raise CompileError(f"the GPU refuses {name}: {getattr(status, 'name', status)}")
        return results[0] if results else None

    def load(self, ptx: str) -> Any:
        return self._ask("cuModuleLoadData", ptx.encode() + b"\0")

    def allocate(self, size: int) -> int:
        return int(self._ask("cuMemAlloc", max(size, 1)))

    def free(self, address: int) -> None:
        self._ask("cuMemFree", address)

    def upload(self, address: int, array: Array) -> None:
        held = np.ascontiguousarray(array)
        if held.nbytes:
            self._ask("cuMemcpyHtoD", address, held.ctypes.data, held.nbytes)

    def download(self, address: int, array: Array) -> None:
        if array.nbytes:
            self._ask("cuMemcpyDtoH", array.ctypes.data, address, array.nbytes)

    def launch(self, module: Any, kernel: str, grid: Sizes, block: Sizes, arguments: Sequence[int]) -> None:
        function = self._ask("cuModuleGetFunction", module, kernel.encode())
        packed = (tuple(arguments), (ctypes.c_uint64,) * len(arguments))
        self._ask("cuLaunchKernel", function, *grid, *block, 0, 0, packed, 0)
