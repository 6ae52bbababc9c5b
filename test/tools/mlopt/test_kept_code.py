"""The code of the methods that `dataclass` writes is kept between starts, and is that code."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from stepwell.tools.mlopt import kept_code
from stepwell.tools.mlopt.kept_code import KeptCode


@pytest.fixture(autouse=True)
def _python_again(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(dataclasses, "exec", exec, raising=False)
    monkeypatch.setattr("sys.dont_write_bytecode", False)


def _define() -> type:
    @dataclasses.dataclass(frozen=True, order=True)
    class Point:
        x: int
        y: int = 2

    return Point


def _no_compiler(*_: object, **__: object) -> None:
    pytest.fail("compiled again")


def _check(point: type) -> None:
    assert point(1) == point(1, 2)
    assert repr(point(1)).endswith("Point(x=1, y=2)")
    assert point(1) < point(2)
    assert hash(point(1)) == hash(point(1, 2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        point(1).x = 3


def test_the_second_start_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = KeptCode(str(tmp_path / "folder" / "kept.bin"))
    first.begin()
    _check(_define())
    first.save()
    second = KeptCode(str(tmp_path / "folder" / "kept.bin"))
    second.begin()
    monkeypatch.setattr(kept_code, "compile", _no_compiler, raising=False)
    _check(_define())


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", kept_code.MAGIC_NUMBER, kept_code.MAGIC_NUMBER + b"{", kept_code.MAGIC_NUMBER + b"N"]
)
def test_a_file_that_is_none_of_ours_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept.bin"
    path.write_bytes(content)
    kept = KeptCode(str(path))
    kept.begin()
    _check(_define())
    kept.save()
    assert path.read_bytes().startswith(kept_code.MAGIC_NUMBER)
    assert len(path.read_bytes()) > 100


def test_nothing_is_written_where_python_writes_no_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    kept = KeptCode(str(tmp_path / "kept.bin"))
    kept.begin()
    _check(_define())
    kept.save()
    assert not list(tmp_path.iterdir())
