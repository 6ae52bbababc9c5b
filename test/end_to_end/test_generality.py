"""A small model for each mechanism that models in the wild need and big tests do not meet: compiled, run, compared with the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from small_models import Builder, Model

from stepwell.onnx import InferenceSession


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def constant_gives_the_shape() -> Model:
    """A small operand and a splat constant that it is broadcast against, in the prologue of a matmul's epilogue."""
    b = Builder(20)
    state = b.constant(np.full((2, 4, 8), 0.5, np.float32))
    return b.finish(b("Add", b("Mul", state, b("Exp", b.input("g", 2, 4, 1))), b.input("x", 2, 4, 8)))


def softmax_in_another_type() -> Model:
    """The row of exponentials cannot wait in a result of another element type."""
    b = Builder(21)
    scores = b("Softmax", b.input("x", 6, 40), axis=-1)
    return b.finish(
        b("Where", b.input("keep", 6, 40, dtype="bool", high=2), b("Cast", scores, to=onnx.TensorProto.DOUBLE), b.constant(np.float64(0)))
    )


MODELS: dict[str, Callable[[], Model]] = {f.__name__: f for f in (constant_gives_the_shape, softmax_in_another_type)}


@pytest.mark.parametrize("name", MODELS)
def test_matches_the_reference(name: str) -> None:
    model, arrays = MODELS[name]()
    got = InferenceSession(model, threads=2).run(None, arrays)
    for a, b in zip(got, ReferenceEvaluator(model).run(None, arrays), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
