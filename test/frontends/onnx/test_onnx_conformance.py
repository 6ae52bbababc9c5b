"""The node tests of the onnx package through import and reference evaluation: one model per operator, opset and corner case."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx.backend.test
import pytest
from onnx import TensorProto, numpy_helper
from onnx_evaluate import evaluate

from stepwell.frontends.onnx import import_model
from stepwell.frontends.onnx.registry import operators
from stepwell.ir.diagnostics import CompileError
from stepwell.onnx import InferenceSession

# Of operators with dozens of cases that differ in little, these patterns leave a few.
THINNED = re.compile(
    r"_expanded|^test_(attention|flexattention|linear_attention|castlike|cast)_|^test_(nllloss|sce)_|layer_normalization_\dd|rms_normalization_\dd"
    r"|_fp16|float16|_uint|_int(8|16)|_uint64|causal_conv_with_state|^test_reduce_.*_(random|negative)"
)
KEPT = re.compile(
    r"^test_(linear_attention_gated|attention_4d|attention_4d_gqa|attention_3d|attention_4d_causal|flexattention|sce_mean_3d|nllloss_NCd1d2|cast_FLOAT_to_FLOAT16"
    r"|cast_FLOAT_to_BFLOAT16|cast_DOUBLE_to_FLOAT|layer_normalization_3d_axis1_epsilon|rms_normalization_4d_axis_negative_2|castlike_FLOAT_to_DOUBLE)$"
)


@cache
def cases() -> dict[str, Any]:
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite computes its expectations while it is loaded, infinities among them
        return {case.name: case for case in load_model_tests(kind="node")}


def chosen() -> list[str]:
    """The cases whose operators all have converters here, thinned."""
    known = {name for domain, name in operators() if not domain}
    result: list[str] = []
    for name, case in cases().items():
        nodes = case.model.graph.node
        if KEPT.match(name) or (not THINNED.search(name) and all(n.op_type in known and n.domain in ("", "ai.onnx") for n in nodes)):
            result.append(name)
    return result


# Sound models that the importer refuses, each for the reason that it states.
REFUSED: dict[str, str] = {
    r"STRING|string": "element type STRING",
    r"sequence_insert|split_to_sequence": "is a sequence",
    r"optional_get_element_(optional|sequence)|optional_has_element_(tensor|optional|empty_optional)_input": "is a (sequence|optional)",
    r"identity_(sequence|opt)|if_(opt|seq)|loop1\d_seq": "is a (sequence|optional)",
}


# Results whose sizes only a run can tell: a module of fixed shapes cannot hold them, the program of stages can.
STAGED = re.compile("^test_nonmaxsuppression_")

# Results drawn at random; the stored ones come from a generator that the standard does not prescribe.
DRAWN = re.compile("^test_bernoulli")
DROPPED = re.compile("^test_training_dropout(_default)?(_mask)?$")


def refusal(name: str) -> str | None:
    return next((reason for pattern, reason in REFUSED.items() if re.search(pattern, name)), None)


def array(data: Any) -> Any:
    return numpy_helper.to_array(data) if isinstance(data, TensorProto) else np.asarray(data)


def import_fixing_what_it_asks_for(model: Any, arrays: list[Any]) -> Any:
    """Inputs are free; only where the importer says that it needs values do the small ones become fixed."""
    named = dict(zip((v.name for v in model.graph.input), arrays, strict=True))
    free = {name: a.shape for name, a in named.items()}
    try:
        return import_model(model, free)
    except CompileError as error:
        if "must be known when the model is compiled" not in error.message:
            raise
        small = {name: a for name, a in named.items() if a.size <= (16 if a.dtype.kind == "f" else 4096) and a.dtype.kind in "iubf"}
        return import_model(model, free | small)


@pytest.mark.parametrize("name", chosen())
def test_node(name: str) -> None:
    case = cases()[name]
    if reason := refusal(name):
        # Sequences and absent optionals have no shape to pass.
        arrays = [array(a) for a in case.data_sets[0][0] if a is not None and not isinstance(a, list)]
        run = import_fixing_what_it_asks_for if len(arrays) == len(case.model.graph.input) else lambda model, _: import_model(model)
        with pytest.raises(CompileError, match=reason):
            run(case.model, arrays)
        return
    if STAGED.search(name):
        for given, wanted in case.data_sets:
            arrays = [array(a) for a in given]
            with pytest.raises(CompileError, match="its number of elements that are not zero must be known"):
                import_fixing_what_it_asks_for(case.model, arrays)
            feeds = dict(zip((v.name for v in case.model.graph.input), arrays, strict=True))
            compare(case, InferenceSession(case.model, threads=1).run(None, feeds), wanted)
        return
    for given, wanted in case.data_sets:
        arrays = [array(a) for a in given]
        module = import_fixing_what_it_asks_for(case.model, arrays)
        module.verify()
        compare(case, evaluate(module, arrays), wanted)


def compare(case: Any, results: Sequence[Any], wanted: Sequence[Any]) -> None:
    """Types, shapes and values are the stored ones, as closely as the case asks; of numbers drawn at random, only that they can occur."""
    for got, want in zip(results, map(array, wanted), strict=True):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        if DRAWN.search(case.name):
            assert set(got.ravel().tolist()) == {0, 1}  # ten probabilities around a half: not all alike
            continue
        if DROPPED.search(case.name):
            kept = (got != 0) & (want != 0)  # by both generators: such elements are scaled alike
            assert kept.any()
            np.testing.assert_allclose(got[kept], want[kept], rtol=case.rtol)
            continue
        if case.name.startswith("test_dft_inverse"):
            want, case.atol = np.where(np.abs(want) < 1e-6, 0, want), 1e-6  # the expected zeros are rounding errors of an f32 FFT
        rtol = max(case.rtol, 2**-6) if got.dtype.name == "bfloat16" else case.rtol
        if got.dtype.kind in "fV":
            got, want = got.astype(np.float64), want.astype(np.float64)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=case.atol)


DATA = Path(onnx.backend.test.__file__).parent / "data"
FOLDERS = sorted(path.parent for kind in ("pytorch-operator", "pytorch-converted") for path in DATA.glob(f"{kind}/*/model.onnx"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_operators_of_opset_6(folder: Path) -> None:
    """What PyTorch once exported: initializers listed as inputs, axes of broadcasting as attributes."""
    path = folder / "model.onnx"
    (data,) = folder.glob("test_data_set_*")
    module = import_model(path)
    module.verify()
    numbered = lambda kind: [array(onnx.load_tensor(data / f"{kind}_{i}.pb")) for i in range(len(list(data.glob(f"{kind}_*.pb"))))]  # noqa: E731
    for got, want in zip(evaluate(module, numbered("input")), numbered("output"), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)


def test_enough_cases_are_chosen() -> None:
    """A renamed operator or a wrong pattern must not silently empty the list."""
    names = chosen()
    assert 500 < len(names) < 900
    assert len(FOLDERS) == 117
    assert sum(refusal(name) is not None for name in names) < 60
