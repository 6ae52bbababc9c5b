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
from stepwell.frontends.onnx.large_tensors import BytesSource, FileSource, LargeTensors, Source, without_large_tensors
from stepwell.frontends.onnx.tensors import Origin
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
    """A checked model. `folder` is where its external data lies (None: the model came from memory), `name` stands in messages.

    In a model that was read from a file or from bytes, `large` has the contents of large tensors; the proto holds tickets for them.
    """

    proto: ModelProto
    folder: Path | None
    name: str
    large: LargeTensors | None = None

    @property
    def origin(self) -> Origin:
        """Where the contents of tensors are that are not in the proto."""
        return Origin(self.folder, self.large)


def load_model(source: str | os.PathLike[str] | bytes | ModelProto | OnnxModel) -> OnnxModel:
    """Parse and check a model. Raises CompileError, and only that, whatever the bytes are."""
    if isinstance(source, OnnxModel):
        return source
    if isinstance(source, ModelProto):
        return _checked(OnnxModel(source, None, source.graph.name or "model"))
    if isinstance(source, bytes):
        return _checked(_parse(BytesSource(source), None, "model"))
    path = Path(source)
    try:
        return _checked(_parse(_open(path), path.parent, path.name))
    except OSError as error:
        raise CompileError(f"cannot read the model: {error.strerror or error}", location=str(path)) from None


def _checked(model: OnnxModel) -> OnnxModel:
    try:
        check_model(model.proto)
    except CompileError as error:
        raise CompileError(error.message, location=error.location or model.name, hint=error.hint) from None
    return model


def _open(path: Path) -> FileSource:
    try:
        if not path.is_file():
            path.stat()  # raises where there is nothing at all
            raise CompileError("not a regular file", location=str(path), hint="pass the path of an .onnx file")
        source = FileSource(path)
    except ValueError as error:  # a zero byte in the name
        raise CompileError(f"cannot read the model: {error}", location=str(path)) from None
    if source.size > MAX_FILE_BYTES:
        raise CompileError(
            f"the file has {source.size} bytes, protobuf's limit is {MAX_FILE_BYTES}",
            location=str(path),
            hint="store the weights as external data",
        )
    return source


def _parse(source: Source, folder: Path | None, name: str) -> OnnxModel:
    if source.size == 0:
        raise CompileError("the file is empty", location=name)
    if source.size > MAX_FILE_BYTES:
        raise CompileError(f"the model has {source.size} bytes, protobuf's limit is {MAX_FILE_BYTES}", location=name)
    begin = source.read(0, max(len(signature) for signature, _, _ in _SIGNATURES))
    for signature, what, hint in _SIGNATURES:
        if begin.startswith(signature):
            raise CompileError(f"this is {what}", location=name, hint=hint)
    proto, large = ModelProto(), None
    try:
        if (leafed := without_large_tensors(source)) is not None:
            data, large = leafed
            proto.ParseFromString(data)
        else:
            proto.ParseFromString(source.read(0, source.size))
    except DecodeError:
        raise CompileError("not an ONNX model, or a truncated one: it does not parse", location=name) from None
    if not proto.HasField("graph"):
        raise CompileError("not an ONNX model: it has no graph", location=name)
    return OnnxModel(proto, folder, name, large)
