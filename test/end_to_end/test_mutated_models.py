"""Damaged models compile, and then run, or are refused by a CompileError of one line; nothing else happens to the process.

Thousands more: `python test/end_to_end/mutate.py 0 50000`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutate import judge
from mutations import mutated_bytes, mutated_fields
from onnx import helper
from random_models import Seeded, generate
from small_models import SMALL_MODELS

from stepwell.frontends.onnx import import_model
from stepwell.ir.diagnostics import CompileError

SOUND = {name: make()[0].SerializeToString() for name, make in SMALL_MODELS.items()}
SOUND |= {f"random graph {seed}": generate(Seeded(seed), largest=6).model.SerializeToString() for seed in range(20)}
few = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kernels of the sound models are reused by their mutants."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@few
@given(st.sampled_from(sorted(SOUND)), st.integers(0, 2**32))
def test_changed_bytes(name: str, seed: int) -> None:
    assert judge(mutated_bytes(SOUND[name], random.Random(seed)), compiled=True) == ""


@few
@given(st.sampled_from(sorted(SOUND)), st.integers(0, 2**32))
def test_changed_fields(name: str, seed: int) -> None:
    assert judge(mutated_fields(SOUND[name], random.Random(seed)), compiled=True) == ""


def test_a_function_called_for_more_outputs_than_it_has() -> None:
    body = helper.make_function("local", "F", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)])
    value = lambda name: helper.make_tensor_value_info(name, 1, [2])  # noqa: E731
    call = helper.make_node("F", ["x"], ["y", "z"], domain="local")
    graph = helper.make_graph([call], "g", [value("x")], [value("y"), value("z")])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    model = helper.make_model(graph, functions=[body], opset_imports=imports, ir_version=10)
    with pytest.raises(CompileError, match="function 'F' has 1 outputs, is called for 2"):
        import_model(model)
