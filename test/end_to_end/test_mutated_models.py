"""Damaged models compile, and then run, or are refused by a CompileError; nothing else happens to the process."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated_bytes, mutated_fields
from small_models import SMALL_MODELS

import stepwell
from stepwell.ir.diagnostics import CompileError, InternalError
from stepwell.tools.stepwell.inputs import random_array

SOUND = {name: make()[0].SerializeToString() for name, make in SMALL_MODELS.items()}
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
    survives(mutated_bytes(SOUND[name], random.Random(seed)))


@few
@given(st.sampled_from(sorted(SOUND)), st.integers(0, 2**32))
def test_changed_fields(name: str, seed: int) -> None:
    survives(mutated_fields(SOUND[name], random.Random(seed)))


def attempt(data: bytes) -> tuple[stepwell.Program | None, CompileError | None]:
    try:
        return stepwell.compile(data, threads=2), None
    except CompileError as error:
        return None, error


def survives(data: bytes) -> None:
    start = time.perf_counter()
    program, error = attempt(data)
    if program is None:
        assert error is not None
        assert not isinstance(error, InternalError)
        assert "\n" not in str(error)
        assert time.perf_counter() - start < 2
        return
    image = program.image
    if image.arena_size + sum(spec.nbytes for spec in (*image.inputs, *image.outputs)) > 2**26:
        return
    if sum(call.flops * call.count for call in image.calls) > 10**9:
        return
    rng = np.random.default_rng(0)
    outputs = program({spec.name: random_array(spec, rng) for spec in image.inputs})
    assert [array.shape for array in outputs.values()] == [spec.shape for spec in image.outputs]
