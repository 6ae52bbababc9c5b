"""Lit tests that rely on `--validate-each` are validated: no function of theirs is skipped because the interpreter cannot tell."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stepwell.tools.mlopt.__main__ import main

TESTS = Path(__file__).parents[2]
RUN = re.compile(r"^// RUN: mlopt (.*--validate-each.*)$", re.MULTILINE)
COMMANDS = [
    (file, line.split("|")[0])
    for file in sorted(TESTS.rglob("*.mlir"))
    for line in RUN.findall(file.read_text(encoding="utf-8"))
    if ">" not in line
]


@pytest.mark.parametrize(("file", "line"), COMMANDS, ids=[f"{file.relative_to(TESTS)}-{i}" for i, (file, _) in enumerate(COMMANDS)])
def test_nothing_is_skipped(file: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(file) if word == "%s" else word for word in shlex.split(line)])
    assert "cannot be validated" not in capsys.readouterr().err
