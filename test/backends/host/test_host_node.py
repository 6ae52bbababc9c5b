"""The contract of host operators: the table, and what a node says of itself."""

from __future__ import annotations

import pytest

from stepwell.backends.host import HOST_OPERATORS, host_operator
from stepwell.backends.host.node import HostNode
from stepwell.ir.diagnostics import CompileError


def test_every_entry_of_the_table_is_a_function() -> None:
    assert all(callable(host_operator(operator)) for operator in HOST_OPERATORS)
    assert host_operator("NoSuchOperator") is None


def test_a_node_names_its_operator_and_fails_on_one_line() -> None:
    node = HostNode("LabelEncoder", "ai.onnx.ml", 4, name="labels")
    assert node.operator == "ai.onnx.ml.LabelEncoder"
    assert HostNode("StringConcat", "", 20).operator == "StringConcat"
    with pytest.raises(CompileError, match=r"^node 'labels': error: ai.onnx.ml.LabelEncoder: no keys$"):
        node.fail("no keys")


def test_inputs_that_a_node_leaves_out_are_none() -> None:
    node = HostNode("StringSplit", "", 20)
    assert node.input([None], 0) is None
    assert node.input([None], 1) is None
