"""Parsing and running, for the tests of this folder."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import ModuleOp

from stepwell.backends.interpreter import run
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify


def parse(text: str) -> ModuleOp:
    module = parse_module(text, make_context())
    verify(module)
    return module


def execute(text: str, *arguments: Any, name: str = "f") -> list[Any]:
    """Run `@f` of the text on these arguments."""
    return run(parse(text), name, *arguments)
