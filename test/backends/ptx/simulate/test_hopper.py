"""Kernels of compute capability 9.0 that nvcc compiled run right, in every order of warps and copies."""

from __future__ import annotations

import pytest
from hopper_kernels import KERNELS, TEXT

from stepwell.backends.ptx.simulate.machine import Options

ORDERS = {
    "in order": Options(),
    "seed 1": Options(seed=1),
    "seed 2": Options(seed=2),
    "one by one": Options(seed=3, lanes=32),
    "plain": Options(races=False),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", KERNELS)
def test_the_answer_is_right(name: str, order: str) -> None:
    assert KERNELS[name](TEXT, ORDERS[order]) == 0
