"""The cases of the conformance suite as pairs of arrays, and one case through the compiler: right, wrong, or refused, and why.

A case holds a model with stored inputs and outputs. What is compiled is run twice: on the stored inputs, and on other values of the same
shapes whose outputs the reference evaluator of the `onnx` package computes, so that nothing passes because its answer was folded at
compile time or left over in a buffer.
"""

# The interfaces of onnx.backend, onnx.reference, onnxruntime and multiprocessing that are used here carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import os
import re
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from stepwell.ir.diagnostics import CompileError, InternalError
from stepwell.onnx.session import InferenceSession

KINDS = ("node", "pytorch-converted", "pytorch-operator", "simple")

REFERENCE_ERRS = {
    "test_logsoftmax_large_number": "computes log(softmax(x)), which is -inf where the probability is below the smallest number",
}
"""Cases whose other values the reference evaluator does not compute right, and why."""


@dataclass
class Verdict:
    """What became of a case. `outcome` is passed, failed or unsupported; `reason` is one line; `second` says how the second run went."""

    outcome: str
    reason: str = ""
    second: str = ""
    seconds: float = 0.0
    peer: str = ""
    """What ONNX Runtime made of it, if it was asked."""
    host_calls: tuple[str, ...] = ()
    """Operators that ran on the host."""
    steps: tuple[str, ...] = ()
    """Control flow that ran step by step, its bodies compiled."""

    @property
    def compiled(self) -> bool:
        """Whether it passed with every numeric operator compiled."""
        return self.outcome == "passed" and not any(is_numeric(operator) for operator in self.host_calls)


TEXT_AND_SETS = re.compile(r"String|Regex|Tfidf|TfIdf|LabelEncoder|CategoryMapper|DictVectorizer|ImageDecoder|Unique|^Sequence|^Optional")
"""Operators that are no numeric work: strings, decoding of images, sets, lists."""


def is_numeric(operator: str) -> bool:
    """Whether a host call does what ought to be machine code. Operators that move any elements count only where these are numbers, and
    those are compiled."""
    return not TEXT_AND_SETS.search(operator) and not operator.endswith(" of strings")


def load_cases() -> dict[str, Any]:
    """Name -> test case of the `onnx` package."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite computes its expectations while it is loaded, infinities among them
        with np.errstate(all="ignore"):
            return {case.name: case for kind in KINDS for case in load_model_tests(kind=kind)}


def contents(case: Any) -> tuple[ModelProto, list[tuple[list[Any], list[Any]]]]:
    """The model of a case and its data sets (inputs, outputs)."""
    if case.model is not None:
        return case.model, [([_value(a) for a in given], [_value(a) for a in wanted]) for given, wanted in case.data_sets]
    folder = Path(case.model_dir)
    model = onnx.load(folder / "model.onnx")
    sets: list[tuple[list[Any], list[Any]]] = []
    for data in sorted(folder.glob("test_data_set_*")):
        given = [_load(data / f"input_{i}.pb", v) for i, v in enumerate(model.graph.input[: len(list(data.glob("input_*.pb")))])]
        wanted = [_load(data / f"output_{i}.pb", v) for i, v in enumerate(model.graph.output)]
        sets.append((given, wanted))
    return model, sets


def _value(data: Any) -> Any:
    return numpy_helper.to_array(data) if isinstance(data, TensorProto) else data


def _load(path: Path, value: Any) -> Any:
    raw = path.read_bytes()
    if value.type.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(raw))
    if value.type.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(raw))
    return numpy_helper.to_array(TensorProto.FromString(raw))


# ---- one case -------------------------------------------------------------------------------------------------------------------


def run_case(case: Any, *, peer: bool = False) -> Verdict:
    """Compile, run, compare, and once more with other values."""
    try:
        model, sets = contents(case)
    except Exception as error:
        return Verdict("failed", f"the case cannot be read: {_line(error)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdict = _run(case, model, sets)
    if peer:
        verdict.peer = _peer(model, sets, case)
    return verdict


def _run(case: Any, model: ModelProto, sets: Sequence[tuple[list[Any], list[Any]]]) -> Verdict:
    try:
        session = InferenceSession(model, threads=1)
        feeds: dict[str, Any] = {}
        for given, wanted in sets:
            feeds = dict(zip((i.name for i in _declared(model, given)), given, strict=True))
            wrong = difference(session.run(None, feeds), wanted, case.rtol, case.atol)
            if wrong:
                return Verdict("failed", f"wrong result: {wrong}")
    except InternalError as error:
        return Verdict("failed", _where(error))
    except CompileError as error:
        return Verdict("unsupported", _line(error))
    except Exception as error:
        return Verdict("failed", f"{type(error).__name__}: {_line(error)}")
    statistics = session.compiled.statistics
    ran = Verdict("passed", host_calls=tuple(sorted(statistics.host_calls)), steps=tuple(sorted(statistics.steps)))
    if case.name in REFERENCE_ERRS:
        return replace(ran, second="no reference")
    try:
        second = _other_values(session, model, feeds, case)
    except Exception as error:
        return Verdict("failed", f"on other values: {type(error).__name__}: {_line(error)}")
    if second in ("", "same", "no inputs", "no reference"):
        return replace(ran, second=second or "compared")
    return Verdict("failed", f"on other values: {second}")


def _declared(model: ModelProto, given: Sequence[Any]) -> list[Any]:
    weights = {tensor.name for tensor in model.graph.initializer}
    free = [value for value in model.graph.input if value.name not in weights]
    return free if len(free) == len(given) else list(model.graph.input)[: len(given)]


def _other_values(session: InferenceSession, model: ModelProto, feeds: dict[str, Any], case: Any) -> str:
    """Run on a permutation of each free input, numbers of floating point scaled a little besides; the difference in words, or why not."""
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(len(case.name))
    fixed = session.fixed_inputs
    whole = {name for node in model.graph.node if node.op_type == "OneHot" for name in node.input[:2]}  # numbers that count
    others = {name: value if name in fixed else _shuffled(value, rng, scaled=name not in whole) for name, value in feeds.items()}
    if not feeds:
        return "no inputs"
    if all(_equal(others[name], feeds[name]) for name in feeds):
        return "same"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            reference = ReferenceEvaluator(model)
            wanted = cast("list[Any]", reference.run(None, others))
        except Exception:
            return "no reference"
        # Other values may be ones that the standard leaves open (equal subscripts of a scatter): what is well above rounding counts.
        wrong = difference(session.run(None, others), wanted, max(case.rtol, 1e-3), max(case.atol, 1e-5), scaled=True)
        if wrong and difference(cast("list[Any]", reference.run(None, feeds)), contents(case)[1][-1][1], case.rtol, case.atol):
            return "no reference"  # it errs on the stored values too
    return wrong


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        return all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return a is b or np.array_equal(a, b)


def _shuffled(value: Any, rng: np.random.Generator, *, scaled: bool = True) -> Any:
    if value is None or isinstance(value, list):
        return value if value is None else [_shuffled(part, rng) for part in cast("list[Any]", value)]
    array = np.asarray(value)
    flat = np.array(array.reshape(-1))
    rng.shuffle(flat)
    if scaled and (array.dtype.kind == "f" or array.dtype.name == "bfloat16"):
        flat = (flat.astype(np.float64) * rng.uniform(0.9, 1.1, flat.shape)).astype(array.dtype)
    return flat.reshape(array.shape)


def difference(got: Sequence[Any], wanted: Sequence[Any], rtol: float, atol: float, *, scaled: bool = False) -> str:
    """What is wrong, in one line; empty if nothing is. The comparison is the suite's. `scaled` measures `atol` in units of the largest."""
    if len(got) != len(wanted):
        return f"{len(got)} outputs instead of {len(wanted)}"
    for index, (a, b) in enumerate(zip(got, wanted, strict=True)):
        if isinstance(a, list) and isinstance(b, list):
            if wrong := difference(cast("list[Any]", a), cast("list[Any]", b), rtol, atol, scaled=scaled):
                return f"output {index}: {wrong}"
            continue
        if a is None and b is None:
            continue
        if not isinstance(a, np.ndarray) or isinstance(b, list) or b is None:
            return f"output {index} is not a tensor"
        b = np.asarray(b)
        if a.dtype == object and a.shape == b.shape and a.tolist() == b.tolist():
            continue  # strings
        if a.shape != b.shape:
            return f"output {index} has shape {list(a.shape)}, not {list(b.shape)}"
        if a.dtype != b.dtype:
            return f"output {index} has dtype {a.dtype}, not {b.dtype}"
        relative = rtol
        if a.dtype.name == "bfloat16":
            relative, a, b = max(rtol, 2**-6), a.astype(np.float32), b.astype(np.float32)
        if scaled and a.dtype == np.float16:
            relative = max(rtol, 2**-8)
        finite = np.abs(b[np.isfinite(b)]).max(initial=0) if scaled and b.dtype.kind == "f" else 1
        if not np.allclose(a, b, relative, atol * max(1.0, float(finite)), equal_nan=True):
            off = ~np.isclose(a, b, relative, atol, equal_nan=True)
            first = tuple(int(i[0]) for i in np.nonzero(off)) if off.any() else ()
            return f"output {index}, {int(off.sum())} of {a.size} elements, first at {list(first)}: {a[first]!r} instead of {b[first]!r}"
    return ""


def _peer(model: ModelProto, sets: Sequence[tuple[list[Any], list[Any]]], case: Any) -> str:
    """What ONNX Runtime makes of a case, given the best chance: newer IR versions and opsets declared to be ones it takes."""
    try:
        os.environ["ALLOW_RELEASED_ONNX_OPSET_ONLY"] = "0"
        import onnxruntime

        onnxruntime.set_default_logger_severity(4)
        copy = ModelProto()
        copy.CopyFrom(model)
        copy.ir_version = min(copy.ir_version, 13)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(copy.SerializeToString(), options, providers=["CPUExecutionProvider"])
        for given, wanted in sets:
            arrays = [a if isinstance(a, (list, type(None))) else np.asarray(a) for a in given]
            feeds = dict(zip((v.name for v in _declared(model, given)), arrays, strict=True))
            if difference(cast("list[Any]", session.run(None, feeds)), wanted, case.rtol, case.atol):
                return "failed"
    except ImportError:
        return ""
    except Exception:
        return "failed"
    return "passed"


# ---- words ------------------------------------------------------------------------------------------------------------------------


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _where(error: BaseException) -> str:
    """An internal error with the place it came from, which tells faults apart."""
    cause = error.__cause__
    frames = traceback.extract_tb(cause.__traceback__) if cause is not None else []
    ours = [f for f in frames if "stepwell" in f.filename]
    place = f" [{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}]" if ours else ""
    return f"{_line(error).removesuffix(' (this is a fault of stepwell; please report it)')}{place}"


def general_reason(reason: str) -> str:
    """A reason without the names and numbers that differ from case to case."""
    reason = re.sub(r"^[^ ]*: error: |^node '[^']*': error: ", "", reason)
    reason = re.sub(r"\(\d+ nodes?, first '[^']*'(: )?", r"(", reason)
    reason = re.sub(r"'[^']*'", "'..'", reason)
    reason = re.sub(r"^(on other values: |wrong result: ).*", lambda m: m[1].rstrip(": "), reason)
    return re.sub(r"\d+(, \d+)*", "N", reason)[:160]
