"""Real models from file to native code: compiled anew and from the cache, the answers are those of the reference and of ONNX Runtime."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepwell
from stepwell.api import dynamic
from stepwell.frontends.onnx import import_model
from stepwell.onnx.session import InferenceSession

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "frontends" / "onnx"))
from onnx_evaluate import evaluate

from bench import models, new_shapes

SMALL = ("magika", "ppocr_cls", "ppocr_rec", "silero_vad_seq16k")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def located(name: str) -> Path:
    try:
        return models.locate(name)
    except models.ModelMissing as missing:
        pytest.skip(str(missing))


@cache
def meaning(name: str) -> list[Any]:
    """What the imported module means, op by op in numpy; made once for all numbers of threads."""
    return evaluate(import_model(models.locate(name), models.shapes(name)), models.inputs(name))


def check(outputs: dict[str, Any], expected: list[Any]) -> None:
    for got, want in zip(outputs.values(), expected, strict=True):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", SMALL)
def test_real_models_compute_what_they_mean(name: str, threads: int) -> None:
    path, arrays = located(name), models.inputs(name)
    expected = meaning(name)
    assert all(np.isfinite(want).all() for want in expected)
    for warm in (False, True):
        program = stepwell.compile(path, inputs=models.shapes(name), threads=threads)
        assert program.from_cache == warm
        for _ in range(2):  # the second call finds an arena full of the first one's numbers
            check(program(**arrays), expected)


@pytest.mark.parametrize("name", SMALL)
def test_real_models_compute_what_onnxruntime_computes(name: str) -> None:
    path, arrays = located(name), models.inputs(name)
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    expected = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, arrays)
    check(stepwell.compile(path, inputs=models.shapes(name), threads=2)(**arrays), expected)


FURTHER = [(name, index) for name, entry in models.MODELS.items() for index in (None, *range(len(entry.further)))]
"""Every model that packages or `bench/export_models.py` provide, at every shape; the light CNNs have tests of their own."""


@pytest.mark.parametrize(("name", "index"), [(n, i) for n, i in FURTHER if not models.MODELS[n].weightless and n not in SMALL])
def test_models_of_any_shape_compute_what_onnxruntime_computes(name: str, index: int | None) -> None:
    path, arrays = located(name), models.inputs(name, further=index)
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    expected = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, arrays)
    check(dict(enumerate(InferenceSession(path, threads=2).run(None, arrays))), expected)


@pytest.mark.parametrize("name", [*SMALL, "open_nsfw", "minilm_int8"])
def test_further_batches_and_lengths_compile_no_kernel(name: str) -> None:
    path = located(name)
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    program = dynamic(path, threads=2)
    for shapes in new_shapes.SHAPES[name]:
        arrays = models.inputs_of(name, shapes)
        check(program(arrays), session.run(None, arrays))
    facts = program.report().facts
    assert facts["shapes"] == len(new_shapes.SHAPES[name]) >= 4
    first, *others = facts["kernels_compiled_by_stage"]
    assert first > 0
    assert others == [0] * len(others)
    assert facts["kernels_prepared"] > 0
