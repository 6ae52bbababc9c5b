"""The public way in: a model file becomes a `Program`.

Warm path: the request (file, inputs, target) has been compiled before; its image, code and weights come from the cache and nothing of the compiler
is imported. Cold path: the frontend imports the model, the CPU backend compiles it, the cache keeps the result.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepwell.backends.cpu.cache import ObjectCache, compiler_fingerprint, digest
from stepwell.backends.cpu.host import host_fingerprint
from stepwell.backends.cpu.image import ProgramImage
from stepwell.backends.cpu.program import Program
from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    import onnx
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    Model = str | os.PathLike[str] | bytes | onnx.ModelProto
    Progress = Callable[[str, int, int], None]


def compile(
    model: Model,
    inputs: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Program:
    """Compile an ONNX model for this machine's CPU.

    `model` is a path, the bytes of a model, or an `onnx.ModelProto`. `inputs` fixes free dimensions: name -> shape, (shape, dtype), or an
    array of integers that determines shapes. `threads` defaults to what the process may use. Raises CompileError for anything that cannot be compiled.
    """
    from stepwell.backends.cpu.pool import check_threads, default_threads

    threads = default_threads() if threads is None else check_threads(threads)
    store = ObjectCache.default() if cache else ObjectCache(None)
    key = _request_key(model, inputs or {})
    program = _load(store, key, threads) if key else None
    if program is None:
        program = _build(store, key, model, inputs, threads, progress)
    program.rebuild = lambda level: print_level(model, level, inputs=inputs)
    return program


def print_level(model: Model, level: str, *, inputs: Mapping[str, Any] | None = None, elide: int | None = None) -> str:
    """The whole model as text at a level of the stairs: `nn`, `linalg`, `affine`, `vector`, `llvm`, or `asm`."""
    from stepwell.backends.cpu.compile import print_module_at
    from stepwell.ir.registry import make_context

    context = make_context()
    return print_module_at(_import(model, inputs, context), context, level, elide=elide)


def _import(model: Model, inputs: Mapping[str, Any] | None, context: Context) -> ModuleOp:
    from stepwell.frontends.onnx.importer import import_model

    return import_model(model, inputs, context)


def _build(
    store: ObjectCache, key: str | None, model: Model, inputs: Mapping[str, Any] | None, threads: int, progress: Progress | None
) -> Program:
    import time

    from stepwell.backends.cpu.compile import compile_module
    from stepwell.ir.registry import make_context

    start = time.perf_counter()
    context = make_context()
    module = _import(model, inputs, context)
    imported = time.perf_counter() - start
    image, code, weights = compile_module(module, context, store=store, progress=progress)
    image.facts["seconds"] = {"import model": imported, **image.facts["seconds"]}
    mapped = _map_weights(store, image, verify=False)
    if key and mapped is not None:
        store.store(key, image.to_bytes(), "program")
    return Program(image, code, mapped if mapped is not None else weights, threads, from_cache=False)


def _load(store: ObjectCache, key: str, threads: int) -> Program | None:
    raw = store.load(key, "program")
    if raw is None:
        return None
    try:
        image = ProgramImage.from_bytes(raw)
    except (KeyError, TypeError, ValueError):
        return None
    code = image.load_code(store)
    weights = _map_weights(store, image, verify=True) if code is not None else None
    if code is None or weights is None:
        return None
    return Program(image, code, weights, threads, from_cache=True)


def _map_weights(store: ObjectCache, image: ProgramImage, *, verify: bool) -> Any | None:
    """The packed weights as read-only memory of the file; None where the cache does not hold them, or not those that were written."""
    if image.weights.size == 0:
        return b""
    path = store.blob_path(image.weights.key)
    if path is None or path.stat().st_size != image.weights.size:
        return None
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if verify and zlib.crc32(mapped) != image.weights.checksum:
        path.unlink(missing_ok=True)
        return None
    return mapped


def _request_key(model: Model, inputs: Mapping[str, Any]) -> str | None:
    """A key for a compile request. Files are told apart by place, size and time of change, not by content, which would have to be read."""
    if isinstance(model, bytes):
        identity = "bytes", digest(model)
    elif isinstance(model, (str, os.PathLike)):
        try:
            path = Path(model).resolve(strict=True)
            status = path.stat()
        except OSError as error:
            raise CompileError(f"cannot read {os.fspath(model)}: {error.strerror or error}") from None
        identity = "file", str(path), status.st_size, status.st_mtime_ns, status.st_ino
    else:
        return None  # a ModelProto in memory: hashing it costs as much as importing it
    return digest(json.dumps([identity, _describe(inputs)]), host_fingerprint(), compiler_fingerprint())


def _describe(inputs: Mapping[str, Any]) -> list[Any]:
    import numpy as np

    described: list[Any] = []
    for name, value in sorted(inputs.items()):
        if isinstance(value, np.ndarray):
            described.append([name, str(value.dtype), value.shape, digest(np.ascontiguousarray(value).tobytes())])
        else:
            described.append([name, repr(value)])
    return described
