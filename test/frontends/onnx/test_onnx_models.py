"""The catalogue, and the real models in it: what is imported means what onnxruntime computes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx_evaluate import evaluate, main_of, names
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr

from stepwell.frontends.onnx import import_model
from stepwell.ir.constants import dense
from stepwell.ir.diagnostics import CompileError

sys.path.insert(0, str(Path(__file__).parents[3]))
from bench import models

SMALL = ("magika", "ppocr_cls", "ppocr_rec", "silero_vad_seq16k")


def located(name: str) -> Path:
    try:
        return models.locate(name)
    except models.ModelMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The light CNNs are written to a folder of the test, not to the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def expected(path: Path, inputs: dict[str, Any]) -> list[Any]:
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, inputs)


@pytest.mark.parametrize("name", SMALL)
def test_real_models_mean_what_onnxruntime_computes(name: str) -> None:
    path = located(name)
    module = import_model(path, models.shapes(name))
    module.verify()
    inputs = models.inputs(name)
    for got, want in zip(evaluate(module, inputs), expected(path, inputs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["squeezenet", "shufflenet", "resnet50"])
def test_light_models_mean_what_onnxruntime_computes(name: str) -> None:
    path = located(name)
    inputs = models.inputs(name)
    (want,) = expected(path, inputs)
    assert np.isfinite(want).all()
    assert len(np.unique(want)) > 500
    (got,) = evaluate(import_model(path), inputs)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)


# Where the sampling rate is an input, a part of the model depends on it.
STATIC = [name for name, entry in models.MODELS.items() if not entry.weightless and "sr" not in entry.shapes]


@pytest.mark.parametrize("name", [*STATIC, "squeezenet", "densenet121"])
def test_every_shape_is_known_and_shape_arithmetic_is_gone(name: str) -> None:
    main = main_of(import_model(located(name), models.shapes(name)))
    assert names(main, "input_names") == list(models.shapes(name))
    for op in main.body.block.ops:
        for result in op.results:
            assert -1 not in result.type.get_shape()
            # What is computed on 64-bit integers in these models is shapes, and those are known.
            assert str(result.type.element_type) != "i64" or op.name in ("nn.constant", "nn.argmax", "nn.gather")


def test_weights_are_bytes_and_splats_stay_splats() -> None:
    """The original light VGG-19 is 550 MB of equal numbers: its import must not write them out."""
    path = models.locate.__globals__["_source"](models.MODELS["vgg19"])
    payload = sum(
        len(op.properties["value"].data.data)
        for op in main_of(import_model(path)).body.block.ops
        if op.name == "nn.constant" and isinstance(op.properties["value"], DenseIntOrFPElementsAttr)
    )
    assert payload < 10_000


def test_weights_are_not_copied() -> None:
    raw = np.arange(10_000, dtype=np.float32).tobytes()
    weights = np.frombuffer(raw, np.float32).reshape(100, 100)
    assert dense(weights).data.data is raw
    assert dense(weights.T).data.data == weights.T.tobytes()
    assert dense(weights[1:]).data.data == weights[1:].tobytes()


def test_inputs_are_the_same_for_the_same_seed() -> None:
    first, again, other = (models.inputs("silero_vad_seq16k", seed) for seed in (3, 3, 4))
    assert {k: v.shape for k, v in first.items()} == models.shapes("silero_vad_seq16k")
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
        assert (first[key] != other[key]).any()


def test_unknown_names_and_missing_packages_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError, match="no model 'lenet' in the catalogue; it has: magika"):
        models.locate("lenet")
    missing = models.Entry("no-such-distribution", "no_such_package/model.onnx", "", {})
    monkeypatch.setitem(models.MODELS, "missing", missing)
    with pytest.raises(models.ModelMissing, match="install no-such-distribution"):
        models.locate("missing")


@pytest.mark.parametrize("name", ["magika", "ppocr_cls", "silero_vad_seq16k"])
def test_mutated_real_files_raise_nothing_else(name: str) -> None:
    data, shapes = located(name).read_bytes(), models.shapes(name)

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.integers(0, min(len(data), 40_000) - 1), st.integers(0, 255)), min_size=1, max_size=6))
    def mutate(changes: list[tuple[int, int]]) -> None:
        mutant = bytearray(data)
        for position, byte in changes:
            mutant[position] = byte
        try:
            import_model(bytes(mutant), shapes).verify()
        except CompileError as error:
            lines = str(error).count("\n") + 1
        else:
            lines = 1
        assert lines == 1

    mutate()
