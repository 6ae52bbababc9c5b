"""Every primitive does what its docstring shows: the IR under `before:` becomes, by the step beside it, the IR under `after:`."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from xdsl.dialects.func import FuncOp
from xdsl.parser import Parser

from stepwell.ir.registry import make_context
from stepwell.lowering.schedule.primitives import PRIMITIVES, apply_step, steps_of

EXAMPLE = re.compile(r"before: (\[.*?\])\n```mlir\n(.*?)```\nafter:\n```mlir\n(.*?)```", re.S)


def kernel(text: str) -> FuncOp:
    module = Parser(make_context(), text).parse_module()
    module.verify()
    return next(op for op in module.ops if isinstance(op, FuncOp))


def without_names(func: FuncOp) -> str:
    """The kernel's text with values numbered in order of appearance, so that names do not matter."""
    for op in func.walk():
        for result in op.results:
            result.name_hint = None
        for region in op.regions:
            for block in region.blocks:
                for arg in block.args:
                    arg.name_hint = None
    return str(func)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_docstring_example(name: str) -> None:
    docstring = dedent("    " + (PRIMITIVES[name].__doc__ or ""))
    examples = EXAMPLE.findall(docstring)
    assert examples, f"{name} shows no example"
    for step, before, after in examples:
        func = kernel(before)
        schedule = Parser(make_context(), f"[{step}]").parse_attribute()
        (parsed,) = steps_of(schedule)
        assert parsed.name == name
        apply_step(func, parsed)
        func.parent_op().verify()
        assert without_names(func) == without_names(kernel(after))
