"""Trees of arrays in files: parameters, the state of an optimizer, the key of a random stream. `pip install stepwell[safetensors]`.

    stepwell.checkpoints.save("run.safetensors", {"model": model, "state": state})
    tree = stepwell.checkpoints.load("run.safetensors", {"model": model, "state": state})

The format is safetensors, every tensor named as it is reached in the tree. A file is there whole or not at all: it is written beside its
place and moved there. Loading checks everything before it gives anything.
"""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from stepwell.frontends.trace.pytree import flatten, paths, unflatten
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError

_DTYPES = frozenset("float64 float32 float16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split())
"""What the package reads as well as writes."""


def _library() -> tuple[Any, Any]:
    """The functions that write and read, and the error of a file that is damaged."""
    try:
        return import_module("safetensors.numpy"), import_module("safetensors").SafetensorError
    except ImportError:
        raise CompileError("checkpoints need the package safetensors", hint="pip install stepwell[safetensors]") from None


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Write the leaves of a tree. Raises CompileError for leaves that are no arrays of numbers, and where the file cannot be written; what
    stood there before is then still there."""
    (library, _), target = _library(), Path(path)
    tensors: dict[str, Array] = {}
    for name, leaf in zip(paths(tree), flatten(tree)[0], strict=True):
        array = np.asarray(leaf)
        if array.dtype.name not in _DTYPES:
            hint = f"arrays of {', '.join(sorted(_DTYPES))} can"
            raise CompileError(f"{name or 'the tree'} cannot be saved: it is {array.dtype}", location=str(target), hint=hint)
        tensors[name] = np.array(array, order="C")
    try:
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(library.save(tensors, {"format": "stepwell"}))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise CompileError(f"cannot write the checkpoint: {error.strerror or error}", location=str(target)) from None


def load(path: str | os.PathLike[str], like: Any) -> Any:
    """The tree in a file, of the structure, shapes and dtypes of `like`. Raises CompileError where the file is damaged or has others."""
    (library, damaged), source = _library(), Path(path)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise CompileError(f"cannot read the checkpoint: {error.strerror or error}", location=str(source)) from None
    try:
        found = cast("dict[str, Array]", library.load(data))
    except (damaged, KeyError) as error:
        raise CompileError(f"this is no safetensors file, or it is damaged: {error}", location=str(source)) from None
    leaves, structure = flatten(like)
    names = list(paths(like))
    missing = [name for name in names if name not in found]
    if missing or len(found) != len(names):
        other = sorted(set(found) - set(names))
        what = f"it has no {missing[0]!r}" if missing else f"it has {other[0]!r}, which the tree has not"
        raise CompileError(f"the checkpoint is of another tree: {what}", location=str(source))
    arrays: list[Array] = []
    for name, leaf in zip(names, leaves, strict=True):
        wanted, array = np.asarray(leaf), found[name]
        if (array.dtype, array.shape) != (wanted.dtype, wanted.shape):
            have, want = (f"{list(a.shape)} of {a.dtype}" for a in (array, wanted))
            raise CompileError(f"the checkpoint is of another tree: {name!r} is {have}, expected {want}", location=str(source))
        arrays.append(array)
    return unflatten(structure, arrays)
