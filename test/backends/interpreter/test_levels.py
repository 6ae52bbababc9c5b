"""One kernel, gelu(A B + bias), means the same at every level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernels import parse

from stepwell.backends.interpreter import run

INPUTS = Path(__file__).parent / "Inputs"


def gelu(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    return (x / (np.exp(-1.5957691 * x * (1 + 0.044715 * x * x)) + 1)).astype(np.float32)


@pytest.mark.parametrize("level", ["linalg", "affine", "scheduled", "vector"])
@pytest.mark.parametrize(("m", "n", "k"), [(1, 1, 1), (16, 40, 9)])
def test_matmul(level: str, m: int, n: int, k: int) -> None:
    random = np.random.default_rng(m)
    a = random.integers(-2, 3, (m, k)).astype(np.float32)
    b = random.integers(-2, 3, (k, n)).astype(np.float32)
    bias = random.integers(-2, 3, n).astype(np.float32)
    panels = -(-n // 32)
    packed = np.zeros((k, panels * 32), np.float32)
    packed[:, :n] = b
    packed = packed.reshape(k, panels, 32).transpose(1, 0, 2).copy()
    out = np.full((m, n), np.nan, np.float32)
    extents = () if level == "linalg" else (m, n, k)
    results = run(parse((INPUTS / f"matmul_{level}.mlir").read_text()), "matmul_bias_gelu", a, packed, bias, out, *extents)
    np.testing.assert_allclose(results[0] if level == "linalg" else out, gelu(a @ b + bias), rtol=1e-5, atol=1e-6)
