"""A path, bytes or a ModelProto in; a parsed and structurally checked model out.

Nothing of the model is executed, and nothing outside its folder is read. Whatever is wrong with a file becomes one `CompileError`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import ModelProto

from stepwell.frontends.onnx.check import check_model
from stepwell.ir.diagnostics import CompileError

MAX_FILE_BYTES = 2**31 - 1
"""protobuf's limit for one message; larger models keep their weights in external files."""

# What people pass by mistake, by its first bytes.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the model", "run `git lfs pull`"),
    (b"PK\x03\x04", "a zip archive", "unpack it and pass the .onnx file; a PyTorch checkpoint has to be exported first"),
    (b"GGUF", "a GGUF file", "export the model to ONNX"),
    (b"\x1f\x8b", "gzip-compressed", "unpack it first"),
    (b"\x80\x02", "a Python pickle", "export the model to ONNX"),
    (b"\x89HDF", "an HDF5 file", "export the model to ONNX"),
    (b"<!DOCTYPE", "an HTML page", "check the download"),
    (b"<html", "an HTML page", "check the download"),
    (b"ORTM", "an ORT-format model", "pass the .onnx file that it was made from"),
)


@dataclass(frozen=True)
class OnnxModel:
    """A checked model. `folder` is where its external data lies (None: the model came from memory), `name` stands in messages."""

    proto: ModelProto
    folder: Path | None
    name: str


def load_model(source: str | os.PathLike[str] | bytes | ModelProto | OnnxModel) -> OnnxModel:
    """Parse and check a model. Raises CompileError, and only that, whatever the bytes are."""
    if isinstance(source, OnnxModel):
        return source
    if isinstance(source, ModelProto):
        return _checked(source, None, source.graph.name or "model")
    if isinstance(source, bytes):
        return _checked(_parse(source, "model"), None, "model")
    path = Path(source)
    return _checked(_parse(_read(path), path.name), path.parent, path.name)


def _checked(proto: ModelProto, folder: Path | None, name: str) -> OnnxModel:
    try:
        check_model(proto)
    except CompileError as error:
        raise CompileError(error.message, location=error.location or name, hint=error.hint) from None
    return OnnxModel(proto, folder, name)


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CompileError("not a regular file", location=str(path), hint="pass the path of an .onnx file")
        if size > MAX_FILE_BYTES:
            raise CompileError(
                f"the file has {size} bytes, protobuf's limit is {MAX_FILE_BYTES}",
                location=str(path),
                hint="store the weights as external data",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CompileError(f"cannot read the model: {reason}", location=str(path)) from None


def _parse(data: bytes, name: str) -> ModelProto:
    if not data:
        raise CompileError("the file is empty", location=name)
    if len(data) > MAX_FILE_BYTES:
        raise CompileError(f"the model has {len(data)} bytes, protobuf's limit is {MAX_FILE_BYTES}", location=name)
    for signature, what, hint in _SIGNATURES:
        if data.startswith(signature):
            raise CompileError(f"this is {what}", location=name, hint=hint)
    proto = ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError:
        raise CompileError("not an ONNX model, or a truncated one: it does not parse", location=name) from None
    if not proto.HasField("graph"):
        raise CompileError("not an ONNX model: it has no graph", location=name)
    return proto
