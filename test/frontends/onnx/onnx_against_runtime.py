"""One node of ONNX Runtime's own operators, compiled and by ONNX Runtime, on random numbers."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx_one_node import compiled, feeds, one_node

RNG = np.random.default_rng(7)


def f(*shape: int) -> Any:
    """Normally distributed numbers."""
    return RNG.standard_normal(shape).astype(np.float32)


def q(*shape: int, dtype: Any = np.uint8) -> Any:
    """All numbers of a type of integers."""
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max + 1, shape).astype(dtype)


def by_runtime(operator: str, *inputs: Any, known: tuple[int, ...] = (), **options: Any) -> list[Any]:
    """What ONNX Runtime gives; inputs of the positions `known` are constants of the model."""
    runtime = pytest.importorskip("onnxruntime", reason="the peer of these tests, extra 'bench', is not installed")
    model = one_node(operator, inputs, known=known, **options)
    for output in model.graph.output:
        output.ClearField("type")
    settings: Any = runtime.SessionOptions()
    settings.log_severity_level = 3
    session = runtime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    given = {name: array for name, array in feeds(inputs).items() if int(name[1:]) not in known}
    return list(session.run(None, given))


def against_ort(
    operator: str,
    *inputs: Any,
    tolerance: float = 1e-5,
    domain: str = "com.microsoft.",
    steps: int = 0,
    reference: Callable[..., list[Any]] | None = None,
    **options: Any,
) -> None:
    """The same as ONNX Runtime gives; `steps`: how far numbers of integers may be apart, `reference`: what it is fed instead."""
    wanted = by_runtime(domain + operator, *(inputs if reference is None else reference(*inputs)), **options)
    for a, b in zip(compiled(domain + operator, *inputs, **options), wanted, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a.astype(np.float64), b.astype(np.float64), tolerance, tolerance + steps)
