"""Object code in, callable addresses out: LLVM's ORC JIT linker, reached through llvmlite's shared library without importing llvmlite.

Importing `llvmlite.binding` costs more than linking a whole model, and a warm start needs only two of its entry points. The C interface
used here is that of llvmlite 0.50 (`LLVMPY_CreateLLJITCompiler`, `LLVMPY_LLJIT_Link`), which pyproject pins. JITLink, not RuntimeDyld: the
latter aborts the process on a relocation out of range.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from stepwell.ir.diagnostics import CompileError


class _Element(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint8), ("value", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class _Symbol(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("address", ctypes.c_uint64)]


_OBJECT, _LIBRARY = 2, 3
_names = itertools.count()
_lock = threading.Lock()


@cache
def _library() -> Any:
    spec = importlib.util.find_spec("llvmlite")
    if spec is None or not spec.submodule_search_locations:
        raise CompileError("llvmlite is not installed", hint="pip install 'llvmlite==0.50.*'")
    folder = Path(spec.submodule_search_locations[0]) / "binding"
    found = sorted(folder.glob("*llvmlite.*"))
    shared = [path for path in found if path.suffix in (".so", ".dylib", ".dll")]
    if not shared:
        raise CompileError(f"no shared library of llvmlite in {folder}", hint="reinstall llvmlite")
    lib = ctypes.CDLL(str(shared[0]))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    lib.LLVMPY_CreateLLJITCompiler.restype = pointer
    lib.LLVMPY_CreateLLJITCompiler.argtypes = [pointer, ctypes.c_bool, ctypes.c_bool, ctypes.POINTER(pointer)]
    lib.LLVMPY_LLJIT_Link.restype = pointer
    lib.LLVMPY_LLJIT_Link.argtypes = [
        pointer,
        text,
        *([pointer, ctypes.c_size_t] * 3),
        ctypes.POINTER(pointer),
    ]
    lib.LLVMPY_LLJIT_Dylib_Tracker_Dispose.restype = ctypes.c_bool
    lib.LLVMPY_LLJIT_Dylib_Tracker_Dispose.argtypes = [pointer, ctypes.POINTER(pointer)]
    lib.LLVMPY_DisposeString.argtypes = [pointer]
    lib.LLVMPY_InitializeNativeTarget()
    lib.LLVMPY_InitializeNativeAsmPrinter()
    return lib


def _message(error: ctypes.c_void_p) -> str:
    if not error.value:
        return "unknown error"
    text = ctypes.string_at(error.value).decode(errors="replace")
    _library().LLVMPY_DisposeString(error)
    return text


@cache
def _engine() -> int:
    """One JIT engine for the process; it is never closed, because code of the thread pool lives in it until exit."""
    error = ctypes.c_void_p()
    # Arguments: host target machine, suppress error printing, JITLink.
    engine = _library().LLVMPY_CreateLLJITCompiler(None, True, True, ctypes.byref(error))
    if not engine:
        raise CompileError(f"cannot create the JIT engine: {_message(error)}")
    return int(engine)


class LinkedLibrary:
    """Code in memory. Symbols stay valid while this object lives; dropping it frees the memory."""

    def __init__(self, tracker: int, addresses: dict[str, int]) -> None:
        self._tracker = tracker
        self._addresses = addresses

    def __getitem__(self, symbol: str) -> int:
        return self._addresses[symbol]

    def __del__(self) -> None:
        tracker, self._tracker = getattr(self, "_tracker", 0), 0
        if tracker and globals().get("_library") is not None:  # module globals are gone at interpreter exit
            error = ctypes.c_void_p()
            _library().LLVMPY_LLJIT_Dylib_Tracker_Dispose(tracker, ctypes.byref(error))


def link(objects: Sequence[bytes], exports: Sequence[str], imports: Mapping[str, int]) -> LinkedLibrary:
    """Link relocatable objects into the process.

    `imports` gives addresses of symbols defined elsewhere; libc and libm are searched too. Raises CompileError if a symbol is missing or an
    object is malformed.
    """
    elements = (_Element * (len(objects) + 1))()
    for element, code in zip(elements, objects, strict=False):
        element.kind, element.value, element.length = _OBJECT, code, len(code)
    last = elements[len(objects)]
    last.kind, last.value, last.length = _LIBRARY, b"", 0  # symbols of the running process
    defined = (_Symbol * max(len(imports), 1))()
    for symbol, (name, address) in zip(defined, imports.items(), strict=False):
        symbol.name, symbol.address = name.encode(), address
    wanted = (_Symbol * max(len(exports), 1))()
    for symbol, name in zip(wanted, exports, strict=False):
        symbol.name = name.encode()
    error = ctypes.c_void_p()
    with _lock:
        tracker = _library().LLVMPY_LLJIT_Link(
            _engine(),
            f"stepwell{next(_names)}".encode(),
            ctypes.byref(elements),
            len(elements),
            ctypes.byref(defined),
            len(imports),
            ctypes.byref(wanted),
            len(exports),
            ctypes.byref(error),
        )
    if not tracker:
        raise CompileError(f"linking failed: {_message(error).strip()}")
    return LinkedLibrary(int(tracker), {name: int(wanted[i].address) for i, name in enumerate(exports)})
