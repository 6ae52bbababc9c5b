"""Every op of the dialect: documented with an example that parses, prints as it was written, verifies, and has a meaning."""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.parser import Parser

from stepwell.dialects.nn import OPS, Nn, NnOp


def examples(op_class: type[NnOp]) -> list[str]:
    return re.findall(r"```mlir\n(.*?)```", op_class.__doc__ or "", re.S)


def parse_example(text: str) -> NnOp:
    """The last op of a snippet; operands that the snippet does not define become block arguments of the types it names."""
    context = Context()
    context.load_dialect(Builtin)
    context.load_dialect(Nn)
    line = text.strip().replace("\n", " ")
    operands = re.findall(r"%\w+", line.split("=", 1)[1])
    types = re.findall(r"tensor<[^>]*>", line.split(" : ", 1)[1])[: len(operands)] if operands else []
    results = re.findall(r"%\w+", line.split("=", 1)[0])
    arguments = ", ".join(f"{o}: {t}" for o, t in zip(operands, types, strict=True))
    module = Parser(context, f'"builtin.module"() ({{\n^bb0({arguments}):\n{line}\n}}) : () -> ()').parse_module()
    module.verify()
    op = module.body.block.first_op
    assert isinstance(op, NnOp)
    assert len(op.results) == len(results)
    return op


@pytest.mark.parametrize("op_class", OPS, ids=lambda c: c.name)
def test_example(op_class: type[NnOp]) -> None:
    (text,) = examples(op_class)
    op = parse_example(text)
    assert type(op) is op_class
    assert str(op) == " ".join(text.split())


@pytest.mark.parametrize("op_class", OPS, ids=lambda c: c.name)
def test_make_is_parse(op_class: type[NnOp]) -> None:
    op: Any = parse_example(examples(op_class)[0])
    extra = {"result_type": op.result_type} if op_class.TYPED_RESULT else {}
    made: Any = op_class.make(*op.operands, **op.properties, **extra)
    made.verify()
    assert made.is_structurally_equivalent(op, {o: o for o in op.operands})


@pytest.mark.parametrize("op_class", OPS, ids=lambda c: c.name)
def test_is_defined(op_class: type[NnOp]) -> None:
    for method in ("infer", "compute"):
        if method == "compute" and op_class.evaluate is not NnOp.evaluate:
            continue
        assert getattr(op_class, method) is not getattr(NnOp, method)
    assert op_class.__doc__
