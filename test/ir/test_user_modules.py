"""Files of the user, loaded by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stepwell.ir.user_modules import load_user_module

MODULE = "PIPELINES = {{'mine': '{}'}}\n"


def test_an_edit_of_the_same_length_in_the_same_second_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "mine.py"
    for name in ("cse", "dce"):
        file.write_text(MODULE.format(name))
        assert load_user_module(str(file)).PIPELINES == {"mine": name}
    assert not (tmp_path / "__pycache__").exists()
