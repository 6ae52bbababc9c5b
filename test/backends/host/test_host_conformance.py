"""Host operators on the cases of the onnx package, each called by itself with the stored inputs, against the stored outputs."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from onnx import helper

from stepwell.backends.host import HOST_OPERATORS, STRING_OPERATORS, host_operator
from stepwell.backends.host.node import HostNode
from stepwell.onnx.cases import contents, difference


def _cases() -> dict[str, Any]:
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cases = {case.name: case for kind in ("node", "simple") for case in load_model_tests(kind=kind)}
    found: dict[str, Any] = {}
    for name, case in cases.items():
        model, _ = contents(case)
        if len(model.graph.node) != 1 or model.graph.initializer:
            continue
        node = model.graph.node[0]
        operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        if operator in HOST_OPERATORS:
            found[name] = case
    return found


CASES = _cases()


def host_node(node: Any, version: int) -> HostNode:
    """A node of a model as host operators see it."""
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode()
        elif isinstance(value, list) and value and isinstance(value[0], bytes):
            value = [v.decode() for v in value]
        elif attribute.type == attribute.TENSOR:
            from onnx import numpy_helper

            value = numpy_helper.to_array(attribute.t)
        attributes[attribute.name] = value
    return HostNode(node.op_type, node.domain, version, attributes, len(node.output), node.name)


def test_there_are_cases_of_most_operators() -> None:
    met = {contents(case)[0].graph.node[0].op_type for case in CASES.values()}
    assert met >= {"StringConcat", "StringSplit", "StringNormalizer", "RegexFullMatch", "TfIdfVectorizer", "LabelEncoder", "ImageDecoder"}
    assert met >= {"Unique", "SequenceInsert", "SplitToSequence", "OptionalHasElement", "OptionalGetElement"}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    model, sets = contents(case)
    proto = model.graph.node[0]
    node = host_node(proto, next(o.version for o in model.opset_import if o.domain == proto.domain))
    function = host_operator(node.operator)
    assert function is not None
    for given, wanted in sets:
        by_name = dict(zip((i.name for i in model.graph.input), given, strict=True))
        inputs = [by_name[i] if i else None for i in proto.input]
        got = function(node, inputs)
        kept = [value for value, output in zip(got, proto.output, strict=True) if output]
        assert difference(kept, wanted, case.rtol, case.atol) == ""


def test_every_entry_can_be_imported() -> None:
    for operator in HOST_OPERATORS:
        assert callable(host_operator(operator))
    for operator in STRING_OPERATORS:
        assert callable(host_operator(operator, strings=True))
        assert operator in HOST_OPERATORS or host_operator(operator) is None
