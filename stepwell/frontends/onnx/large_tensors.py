"""A serialized model in; the same without the contents of its large tensors out, and a way to get at each of them.

A model is mostly weights, and protobuf would copy every one of them twice before the compiler sees it. Here the file is only leafed
through: the contents of large tensors are skipped and replaced by a *ticket* of a few bytes. When a tensor is imported its ticket is
exchanged for the bytes, which are read then, once.

Only the framing of protobuf is understood here (tags and lengths, https://protobuf.dev/programming-guides/encoding). What is not framed as
expected is left to protobuf, which says what is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from stepwell.ir.diagnostics import CompileError

LARGE = 4096
"""Bytes from which on the contents of a tensor stay where they are."""

_WINDOW = 1 << 16
"""Bytes that are read at a time while leafing."""

_INSIDE: dict[tuple[type, int], type] = {
    (ModelProto, ModelProto.GRAPH_FIELD_NUMBER): GraphProto,
    (GraphProto, GraphProto.INITIALIZER_FIELD_NUMBER): TensorProto,
    (GraphProto, GraphProto.NODE_FIELD_NUMBER): NodeProto,
    (NodeProto, NodeProto.ATTRIBUTE_FIELD_NUMBER): AttributeProto,
    (AttributeProto, AttributeProto.T_FIELD_NUMBER): TensorProto,
    (AttributeProto, AttributeProto.G_FIELD_NUMBER): GraphProto,
}
"""(message, number of a field) -> the message in that field, where large tensors may lie in it."""

_DEPTH = 32
"""Of messages in messages. Each level copies what lies in it."""

_VARINT_BYTES = 10
_VARINT, _FIXED64, _MESSAGE, _FIXED32 = 0, 1, 2, 5


class Source(Protocol):
    """Bytes that can be read piece by piece."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """The bytes, or fewer where the end is reached."""
        ...


class FileSource:
    """A file that stays open, so that its pieces belong together whatever happens to its name meanwhile."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        self.size = os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        with open(self._descriptor, "rb", buffering=0, closefd=False) as file:
            file.seek(offset)
            data = file.read(length)
            while len(data) < length and (more := file.read(length - len(data))):
                data += more  # one call of the system reads 2 GiB at most
            return data

    def __del__(self) -> None:
        if (descriptor := getattr(self, "_descriptor", None)) is not None:
            os.close(descriptor)


class BytesSource:
    """A model in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


class LargeTensors:
    """The contents that were left out, by ticket. Tickets hold a random number, so that no file can contain one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._mark = b"stepwell" + os.urandom(16)

    def ticket(self, offset: int, length: int) -> bytes:
        """What stands for so many bytes of the source."""
        return self._mark + offset.to_bytes(8, "little") + length.to_bytes(8, "little")

    def contents(self, raw: bytes) -> bytes:
        """The bytes that a ticket stands for; what is no ticket is returned as it is. Raises CompileError."""
        mark = len(self._mark)
        if len(raw) != mark + 16 or not raw.startswith(self._mark):
            return raw
        offset, length = (int.from_bytes(raw[i : i + 8], "little") for i in (mark, mark + 8))
        try:
            data = self._source.read(offset, length)
        except OSError as error:
            raise CompileError(f"cannot read the model: {error.strerror or error}") from None
        if len(data) != length:
            raise CompileError("the model's file became shorter while it was read")
        return data


class _NotUnderstood(Exception):
    """The framing is not what this module knows."""


def without_large_tensors(source: Source) -> tuple[bytes, LargeTensors] | None:
    """A serialized ModelProto with tickets in place of the contents of large tensors; None where protobuf should look at all of it."""
    left_out = LargeTensors(source)
    try:
        return _Leafing(source, left_out.ticket).message(ModelProto, 0, source.size), left_out
    except (_NotUnderstood, OSError):
        return None


class _Leafing:
    def __init__(self, source: Source, ticket: Callable[[int, int], bytes]) -> None:
        self._source = source
        self._ticket = ticket
        self._window = b""
        self._begin = 0

    def _bytes(self, offset: int, length: int) -> bytes:
        """Bytes of the source, by way of the window where they fit in."""
        if length > _WINDOW:
            return self._source.read(offset, length)
        if not self._begin <= offset <= offset + length <= self._begin + len(self._window):
            self._begin, self._window = offset, self._source.read(offset, _WINDOW)
        return self._window[offset - self._begin : offset - self._begin + length]

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """A number, and where what follows it begins."""
        value = 0
        for i, byte in enumerate(self._bytes(at, min(_VARINT_BYTES, end - at))):
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                return value, at + i + 1
        raise _NotUnderstood

    def message(self, kind: type, begin: int, end: int, depth: int = 0) -> bytes:
        """A message between two offsets, anew."""
        if depth > _DEPTH:
            raise _NotUnderstood
        pieces: list[bytes] = []
        copied = at = begin  # what lies before `copied` is in the pieces
        has_contents = False
        while at < end:
            field = at
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if wire == _VARINT:
                _, at = self._varint(at, end)
                continue
            if wire != _MESSAGE:
                at += {_FIXED64: 8, _FIXED32: 4}.get(wire, end)
            else:
                length, content = self._varint(at, end)
                at = content + length
                new: bytes | None = None
                if kind is TensorProto and number == TensorProto.RAW_DATA_FIELD_NUMBER:
                    if has_contents:
                        raise _NotUnderstood  # the last one would count
                    has_contents = True
                    new = self._ticket(content, length) if length >= LARGE and at <= end else None
                elif length >= LARGE and at <= end and (inner := _INSIDE.get((kind, number))) is not None:
                    new = self.message(inner, content, at, depth + 1)
                if new is not None:
                    if copied < field:
                        pieces.append(self._bytes(copied, field - copied))
                    pieces += [_as_varint(tag), _as_varint(len(new)), new]
                    copied = at
            if at > end:
                raise _NotUnderstood
        if copied < end:
            pieces.append(self._bytes(copied, end - copied))
        return b"".join(pieces)


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
