"""A model and another runtime in; out comes how far apart the two are after every layer.

Every tensor between two nodes of the graph is made an output (`exposed`), in groups: group g of n takes every n-th of them, so that
neighbours, which one kernel computes together, are exposed by different programs and most of the fusion stays. What lies inside the bodies
of `If`, `Loop`, `Scan` and functions is not exposed.
"""

# The interfaces of onnx.reference and onnxruntime that are used here carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import ModelProto, ValueInfoProto

from stepwell.frontends.onnx.check import topological_order
from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.ir.constants import Array

    Runner = Callable[[Sequence[str]], dict[str, Any]]
    """Names of values in, the values out."""


@dataclass(frozen=True)
class Layer:
    """One output of one node of the graph."""

    node: str
    operator: str
    output: str


@dataclass(frozen=True)
class Distance:
    """How far an array is from the one that another runtime computed."""

    largest: float
    """The largest absolute difference; infinite where only one of two is a number, or where shapes or types differ."""
    relative: float
    """That, in units of the largest finite magnitude of the other runtime's array."""
    ulps: float
    """The largest difference in units in the last place; of integers, the difference."""
    position: tuple[int, ...]
    ours: str
    theirs: str
    wrong: int
    """How many elements differ by more than the tolerance."""
    what: str = ""
    """Said where the arrays cannot be compared element by element."""

    @property
    def diverges(self) -> bool:
        """Whether the difference is more than rounding."""
        return self.wrong > 0


@dataclass(frozen=True)
class Compared:
    """A layer with what was found."""

    layer: Layer
    distance: Distance | None
    note: str = ""
    """Why there is no distance."""


def layers_of(model: ModelProto) -> list[Layer]:
    """The named outputs of the nodes that the model's outputs depend on, in the order in which they are computed; constants left out."""
    order = topological_order(model.graph.node)
    needed = {value.name for value in model.graph.output}
    live: set[int] = set()
    for index in range(len(order) - 1, -1, -1):
        node = order[index]
        if any(name in needed for name in node.output if name):
            live.add(index)
            needed.update(_read_by(node))
    found: list[Layer] = []
    for index in sorted(live):
        node = order[index]
        if node.op_type == "Constant":
            continue
        name = node.name or next((n for n in node.output if n), node.op_type)
        found += [Layer(name, node.op_type, output) for output in node.output if output in needed]
    return found


def _read_by(node: onnx.NodeProto) -> list[str]:
    from stepwell.frontends.onnx.check import used_names

    return list(used_names(node))


def exposed(model: ModelProto, names: Sequence[str]) -> ModelProto:
    """The model with these values as further outputs."""
    copy = ModelProto()
    copy.CopyFrom(model)
    known = {value.name for value in model.graph.output}
    copy.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in known)
    return copy


def split_in_groups(layers: Sequence[Layer], groups: int) -> list[list[str]]:
    """The names of the layers' values, dealt out so that neighbours are in different groups."""
    return [group for g in range(groups) if (group := [layer.output for layer in layers[g::groups]])]


# ---- running ------------------------------------------------------------------------------------------------------------------------


def peer_runner(against: str, model: ModelProto, feeds: Mapping[str, Any], names: Sequence[str]) -> Runner:
    """The other runtime, with every value of these names exposed. ONNX Runtime runs without optimisation: one kernel for each node."""
    return PEERS[against](exposed(model, names), feeds)


def _onnxruntime(model: ModelProto, feeds: Mapping[str, Any]) -> Runner:
    try:
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        raise CompileError("onnxruntime is not installed", hint="pip install 'stepwell[bench]', or --against reference") from None
    ort: Any = onnxruntime
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CompileError(f"onnxruntime cannot load this model: {_line(error)}", hint="--against reference") from error

    def run(names: Sequence[str]) -> dict[str, Any]:
        try:
            return dict(zip(names, session.run(list(names), dict(feeds)), strict=True))
        except Exception as error:
            raise CompileError(f"onnxruntime cannot run this model: {_line(error)}", hint="--against reference") from error

    return run


def _reference(model: ModelProto, feeds: Mapping[str, Any]) -> Runner:
    from onnx.reference import ReferenceEvaluator

    try:
        evaluator: Any = ReferenceEvaluator(model)
    except Exception as error:
        raise CompileError(f"the reference evaluator cannot load this model: {_line(error)}") from error

    def run(names: Sequence[str]) -> dict[str, Any]:
        try:
            with np.errstate(all="ignore"):
                return dict(zip(names, evaluator.run(list(names), dict(feeds)), strict=True))
        except Exception as error:
            raise CompileError(f"the reference evaluator cannot run this model: {_line(error)}") from error

    return run


PEERS: dict[str, Callable[[ModelProto, Mapping[str, Any]], Runner]] = {"onnxruntime": _onnxruntime, "reference": _reference}


def compare_layers(
    layers: Sequence[Layer],
    ours: Callable[[Sequence[str]], dict[str, Any]],
    theirs: Runner,
    groups: int,
    rtol: float,
    atol: float,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Compared]:
    """All layers, in order. `ours` compiles and runs the model with these values exposed; a value that it refuses is noted."""
    found: dict[str, Compared] = {}
    by_name = {layer.output: layer for layer in layers}

    def look(names: Sequence[str]) -> None:
        wanted = theirs(names)
        numeric = [name for name in names if _is_numeric(wanted[name])]
        for name in names:
            if name not in numeric:
                found[name] = Compared(by_name[name], None, "no tensor of numbers")
        if not numeric:
            return
        try:
            have = ours(numeric)
        except CompileError as error:
            if len(numeric) == 1:
                found[numeric[0]] = Compared(by_name[numeric[0]], None, f"cannot be exposed: {error.message}")
                return
            half = len(numeric) // 2
            look(numeric[:half])
            look(numeric[half:])
            return
        for name in numeric:
            found[name] = Compared(by_name[name], distance(have[name], wanted[name], rtol, atol))

    dealt = split_in_groups(layers, groups)
    for done, names in enumerate(dealt):
        progress(done, len(dealt))
        look(names)
    return [found[layer.output] for layer in layers]


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and np.asarray(value).dtype.kind not in "OUS"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


# ---- distances ----------------------------------------------------------------------------------------------------------------------


def distance(ours: Any, theirs: Any, rtol: float, atol: float) -> Distance:
    """Compare two arrays. Two that are not a number, and two equal infinities, are equal."""
    a, b = np.asarray(ours), np.asarray(theirs)
    for what, x, y in (("shape", a.shape, b.shape), ("type", a.dtype, b.dtype)):
        if x != y:
            return Distance(math.inf, math.inf, math.inf, (), str(x), str(y), max(a.size, b.size, 1), f"the {what} differs")
    if a.size == 0:
        return Distance(0.0, 0.0, 0.0, (), "", "", 0)
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    x, y = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        equal = (a == b) | (np.isnan(x) & np.isnan(y))
        comparable = np.isfinite(x) & np.isfinite(y)
        gaps = np.where(equal, 0.0, np.where(comparable, np.abs(x - y), math.inf))
        wrong = ~equal & ~(comparable & (gaps <= atol + rtol * np.abs(y)))
    where = int(np.argmax(gaps))
    position = tuple(int(i) for i in np.unravel_index(where, a.shape))
    finite = np.abs(y[np.isfinite(y)])
    scale = float(finite.max()) if finite.size else 0.0
    largest = float(gaps.reshape(-1)[where])
    relative = 0.0 if largest == 0 else largest / scale if scale > 0 else math.inf
    return Distance(largest, relative, _ulps(a, b, equal), position, _number(a[position]), _number(b[position]), int(wrong.sum()))


def _ulps(a: Array, b: Array, equal: Array) -> float:
    """The largest number of representable numbers between two elements."""
    if a.dtype.kind == "c":
        return math.nan
    if a.dtype.kind in "iub":
        return float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64))))
    if a.dtype.itemsize not in (2, 4, 8):
        return math.nan
    bits = np.dtype(f"i{a.dtype.itemsize}")
    low = int(np.iinfo(bits).min)

    def line(array: Array) -> Array:
        """Numbers of floating point in the order of their values, without gaps; both zeros are 0."""
        raw = np.ascontiguousarray(array).reshape(array.shape).view(bits).astype(np.int64)
        return np.where(raw < 0, low - raw, raw).astype(np.float64)

    odd = np.isnan(a.astype(np.float64)) != np.isnan(b.astype(np.float64))
    return math.inf if odd.any() else float(np.max(np.where(equal, 0.0, np.abs(line(a) - line(b)))))


def _number(value: Any) -> str:
    return (
        str(value.item()) if value.dtype.kind in "iub" else f"{value.astype(np.complex128 if value.dtype.kind == 'c' else np.float64):.9g}"
    )


def first_divergence(compared: Sequence[Compared]) -> Compared | None:
    """The first layer whose difference is more than rounding."""
    return next((c for c in compared if c.distance is not None and c.distance.diverges), None)


def with_outputs(compared: Sequence[Compared], outputs: Mapping[str, Distance]) -> list[Compared]:
    """The layers, where the model's outputs are those of the program that exposes nothing else."""
    return [replace(c, distance=outputs[c.layer.output]) if c.layer.output in outputs else c for c in compared]
