"""Random models compute what the reference evaluator, or where it errs ONNX Runtime, says; so do the nodes that once went wrong.

Thousands more: `python test/end_to_end/random_judge.py 0 5000 [folder for what fails]`; seeds from a million on draw from more templates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator
from random_judge import difference, judge, run
from random_models import FIRST_OF_EDITION, Drawn, Seeded, generate, one_node_model

CORPUS = Path(__file__).with_name("random_corpus.txt")
"""Seeds of graphs that once found something, one a line, with what it was."""

few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@few
@given(st.data())
def test_drawn_graphs(data: st.DataObject) -> None:
    assert judge(generate(Drawn(data.draw), largest=5)) == ""


@pytest.mark.parametrize("seed", [*range(8), *range(FIRST_OF_EDITION[1], FIRST_OF_EDITION[1] + 8)])
def test_graphs_of_seeds(seed: int) -> None:
    assert judge(generate(Seeded(seed))) == ""


@pytest.mark.parametrize("line", [line for line in CORPUS.read_text().splitlines() if line and not line.startswith("#")])
def test_graphs_that_found_something(line: str) -> None:
    assert judge(generate(Seeded(int(line.split()[0])))) == ""


def _numbers(*shape: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) * 7 % 11 - 5).astype(dtype)


FOUND: dict[str, tuple[str, int, Mapping[str, Any], str, Mapping[str, Any]]] = {
    # name -> operator, opset, operands, those that are constants, attributes
    "a slice backwards that keeps the front of another axis": (
        "Slice",
        19,
        {"x": _numbers(6, 5), "s": np.array([0, -1]), "e": np.array([2, -9]), "a": np.array([0, 1]), "t": np.array([1, -2])},
        "seat",
        {},
    ),
    "a softmax of one row whose rest is chosen": (
        "Attention",
        24,
        {"q": _numbers(1, 1, 1, 4), "k": _numbers(1, 1, 2, 4), "v": _numbers(1, 1, 2, 4), "m": _numbers(1, 2)},
        "",
        {"softcap": 2.0},
    ),
    "a pool whose loops run over extents of one": (
        "AveragePool",
        21,
        {"x": _numbers(1, 3, 2, 2)},
        "",
        {"kernel_shape": [3, 3], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1, "count_include_pad": 1},
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_nodes_that_went_wrong(name: str) -> None:
    operator, opset, operands, constants, attributes = FOUND[name]
    node = helper.make_node(operator, list(operands), ["y"], **attributes)
    feeds = {key: array for key, array in operands.items() if key not in constants}
    model = one_node_model(node, operands, opset, constants)
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for mine, want in zip(run(model, feeds), ReferenceEvaluator(model).run(None, feeds), strict=True):
        assert difference(mine, np.asarray(want)) == ""
