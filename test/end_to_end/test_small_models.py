"""Small models from file to native code and back: right answers, any number of threads, the cache, concurrent calls, caller's buffers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from small_models import SMALL_MODELS

import stepwell
from stepwell.backends.cpu.cache import ObjectCache
from stepwell.ir.diagnostics import CompileError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def _check(outputs: dict[str, Any], expected: list[Any]) -> None:
    assert len(outputs) == len(expected)
    for got, want in zip(outputs.values(), expected, strict=True):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", SMALL_MODELS)
def test_matches_the_reference(name: str, threads: int) -> None:
    model, arrays = SMALL_MODELS[name]()
    program = stepwell.compile(model.SerializeToString(), threads=threads)
    expected = ReferenceEvaluator(model).run(None, arrays)
    for _ in range(2):  # the second call finds an arena full of the first one's numbers
        _check(program(**arrays), list(expected))


def test_second_compilation_comes_from_the_cache(tmp_path: Path) -> None:
    model, arrays = SMALL_MODELS["conv_net"]()
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    first, second = stepwell.compile(path), stepwell.compile(path)
    assert (first.from_cache, second.from_cache) == (False, True)
    for a, b in zip(first(**arrays).values(), second(**arrays).values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_damaged_weights_are_compiled_anew(tmp_path: Path) -> None:
    model, arrays = SMALL_MODELS["mlp"]()
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    expected = stepwell.compile(path)(**arrays)
    (weights,) = (tmp_path / "cache").glob("??/*.weights")
    raw = bytearray(weights.read_bytes())
    raw[7] ^= 255
    weights.write_bytes(raw)
    again = stepwell.compile(path)
    assert not again.from_cache
    for a, b in zip(again(**arrays).values(), expected.values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cached_objects_that_do_not_link_are_compiled_anew(tmp_path: Path) -> None:
    model, arrays = SMALL_MODELS["mlp"]()
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    first = stepwell.compile(path)
    expected = first(**arrays)
    store = ObjectCache.default()
    for key in first.image.objects:
        store.store(key, b"not machine code, though the checksum says that this was written")
    again, third = stepwell.compile(path), stepwell.compile(path)
    assert (again.from_cache, third.from_cache) == (False, True)
    for program in (again, third):
        for a, b in zip(program(**arrays).values(), expected.values(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_concurrent_calls_do_not_disturb_each_other() -> None:
    model, arrays = SMALL_MODELS["conv_net"]()
    program = stepwell.compile(model.SerializeToString(), threads=2)
    variants = [{name: array * (1 + k) for name, array in arrays.items()} for k in range(4)]
    expected = [next(iter(program(**variant).values())) for variant in variants]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(50):
            if not np.array_equal(next(iter(program(**variants[k]).values())), expected[k]):
                wrong.append(k)

    callers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_concurrent_compilations_do_not_disturb_each_other() -> None:
    wrong: list[str] = []

    def work(name: str) -> None:
        model, arrays = SMALL_MODELS[name]()
        try:
            for cache in (False, True):
                _check(stepwell.compile(model.SerializeToString(), cache=cache)(arrays), list(ReferenceEvaluator(model).run(None, arrays)))
        except Exception as error:
            wrong.append(f"{name}: {error!r}")

    callers = [threading.Thread(target=work, args=(name,)) for name in ("mlp", "mlp", "conv_1d", "attention", "shapes_and_indices")]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_results_go_into_the_callers_buffers() -> None:
    model, arrays = SMALL_MODELS["mlp"]()
    program = stepwell.compile(model.SerializeToString())
    (name,), (want,) = zip(*program(**arrays).items(), strict=True)
    buffer = np.full_like(want, np.nan)
    got = program(**arrays, out={name: buffer})
    assert got[name] is buffer
    np.testing.assert_array_equal(buffer, want)
    strided = np.zeros((*want.shape, 2), want.dtype)[..., 0]
    program(**arrays, out={name: strided})
    np.testing.assert_array_equal(strided, want)


def test_results_share_no_memory() -> None:
    model, arrays = SMALL_MODELS["lstm"]()
    program = stepwell.compile(model.SerializeToString())
    first, second = program(**arrays), program(**arrays)
    everything = [*first.values(), *second.values(), *arrays.values()]
    for i, a in enumerate(everything):
        assert not any(np.shares_memory(a, b) for b in everything[i + 1 :])


def test_non_contiguous_inputs_are_read_right() -> None:
    model, arrays = SMALL_MODELS["mlp"]()
    program = stepwell.compile(model.SerializeToString())
    want = program(**arrays)
    transposed = {name: np.asfortranarray(array) for name, array in arrays.items()}
    for a, b in zip(program(**transposed).values(), want.values(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "input 'x' is missing"),
        ({"y": np.zeros((5, 33), np.float32)}, "input 'x' is missing"),
        ({"x": np.zeros((5, 33), np.float32), "z": 1}, "no input is named 'z'"),
        ({"x": np.zeros((5, 33))}, "dtype float64"),
        ({"x": np.zeros((5, 34), np.float32)}, r"shape \(5, 34\)"),
    ],
)
def test_wrong_inputs_are_refused(arguments: dict[str, Any], message: str) -> None:
    program = stepwell.compile(SMALL_MODELS["mlp"]()[0].SerializeToString())
    with pytest.raises(CompileError, match=message):
        program(**arguments)


LEVELS = {
    "import": "nn.softmax",
    "nn": "nn.matmul",
    "linalg": "linalg.generic",
    "affine": "affine.for",
    "vector": "vector.fma",
    "llvm": "llvm.func",
    "asm": "vfmadd",
}


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_prints(level: str) -> None:
    program = stepwell.compile(SMALL_MODELS["mlp"]()[0].SerializeToString())
    text = program.ir(level)
    assert LEVELS[level] in text


def test_report_names_kernels_and_times() -> None:
    report = str(stepwell.compile(SMALL_MODELS["conv_net"]()[0].SerializeToString()).report())
    assert "conv" in report
    assert "vectorize" in report
