"""Random ONNX models that are valid by construction: each node is added only if the standard accepts it and the reference computes it.

In: choices, from a seed (`Seeded`) or from hypothesis (`Drawn`), which shrinks them. Out: a `Case`: a model of any opset from 7 on, arrays
for its inputs, and what each value of it is. Nodes come from the templates of `random_operators`; afterwards runs of nodes move into
functions, branches and loops, which change no value.

A value is *exact* if every sound implementation computes the same bits: only such values are rounded, compared, or sorted.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import ml_dtypes
import numpy as np
import onnx
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

T = TypeVar("T")
Array = np.ndarray[Any, np.dtype[Any]]

FLOATS = ("float32", "float64", "float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
NUMBERS = FLOATS + INTEGERS
ALL = (*NUMBERS, "bool")
COMMON = ("float32", "float32", "float32", "int64", "int32", "float64")
OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24)
RECENT_OPSETS = (23, 24, 25, 26)
"""The second edition draws these as well, and those twice that have most of its operators."""
IR_VERSION = 10
LARGEST = 4096
"""Elements of a value; more teaches nothing and costs time."""

REFERENCE_ERRS = {
    "Softmax": (13, "before opset 13 all axes from `axis` on are one; the reference takes one axis"),
    "LogSoftmax": (13, "before opset 13 all axes from `axis` on are one; the reference takes one axis"),
    "Hardmax": (13, "before opset 13 all axes from `axis` on are one; the reference takes one axis"),
    "BatchNormalization": (14, "before opset 14 the reference computes the mean and variance of its input as in training"),
    "QLinearMatMul": (99, "the reference adds the zero point before it rounds, so that halves go to the wrong side where it is odd"),
    "LRN": (99, "the reference loops over the batch where the channels are meant, and leaves the others out"),
}
"""Operators on which the reference evaluator is wrong below an opset, and how. ONNX Runtime says what is right there."""


class Refused(Exception):
    """A template finds nothing that it can be used on, or the standard says no."""


class Choices(Protocol):
    """Where decisions come from."""

    edition: int
    """Which templates are drawn from."""

    def integer(self, low: int, high: int) -> int:
        """One of low, ..., high."""
        ...


class Seeded:
    """Decisions of a pseudo-random generator; `edition` says which templates a seed draws from."""

    def __init__(self, seed: int) -> None:
        self.edition = sum(seed >= first for first in FIRST_OF_EDITION) - 1
        self._rng = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        """One of low, ..., high."""
        return self._rng.randint(low, high)


class Drawn:
    """Decisions of hypothesis, which makes them small when something is found."""

    edition = 1

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """One of low, ..., high."""
        from hypothesis import strategies as st

        return self._draw(st.integers(low, high))


@dataclass
class Known:
    """A value of the graph: what it is called, what it holds, and whether that is exact."""

    name: str
    array: Array
    exact: bool
    constant: bool = False

    @property
    def dtype(self) -> str:
        """The name of its element type."""
        return self.array.dtype.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Its extents."""
        return self.array.shape

    @property
    def rank(self) -> int:
        """How many extents it has."""
        return self.array.ndim


@dataclass
class Case:
    """A model, its inputs, and the meaning of all its values as the reference has it."""

    model: ModelProto
    feeds: dict[str, Array]
    values: dict[str, Array]
    nodes: list[NodeProto] = field(default_factory=list)
    """All nodes, before any moved into functions and branches."""
    weights: frozenset[str] = frozenset()
    """The values that are constants."""

    @property
    def wanted(self) -> list[Array]:
        """What the outputs should be."""
        return [self.values[value.name] for value in self.model.graph.output]


@dataclass
class Graph:
    """A graph that grows node by node, together with what it computes."""

    choices: Choices
    opset: int
    values: list[Known] = field(default_factory=list)
    nodes: list[NodeProto] = field(default_factory=list)
    feeds: dict[str, Array] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    domains: set[str] = field(default_factory=lambda: {""})
    count: int = 0

    # -- decisions

    def integer(self, low: int, high: int) -> int:
        """One of low, ..., high."""
        return self.choices.integer(low, high)

    def chance(self, percent: int) -> bool:
        """Whether something happens; no is the simpler answer."""
        return self.integer(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """One of some; the first is the simplest."""
        if not options:
            raise Refused
        return options[self.integer(0, len(options) - 1)]

    def since(self, opset: int) -> None:
        """Go on from this opset only."""
        if self.opset < opset:
            raise Refused

    def axis(self, rank: int) -> int:
        """An axis, counted from either end."""
        if rank == 0:
            raise Refused
        return self.integer(0, rank - 1) - (rank if self.opset >= 13 and self.chance(40) else 0)

    def shape(self, rank: int | None = None, empty: int = 4) -> tuple[int, ...]:
        """Small extents, seldom zero ones."""
        rank = self.integer(0, 4) if rank is None else rank
        extents = [0 if self.chance(empty) else self.pick((2, 1, 3, 4, 5, 7, 9)) for _ in range(rank)]
        if self.chance(8) and extents:
            extents[self.integer(0, rank - 1)] = self.pick((16, 17, 33, 64, 70))
        return tuple(extents)

    # -- values

    def new(self, dtype: str, shape: Sequence[int], low: float = -4, high: float = 4, *, constant: bool | None = None) -> Known:
        """A new input, or a new constant, of numbers that are exact in every type."""
        rng = np.random.default_rng(self.integer(0, 2**16))
        if dtype == "bool":
            array = rng.integers(0, 2, tuple(shape)).astype(np.bool_)
        elif dtype in FLOATS:
            array = (rng.integers(round(low * 8), round(high * 8), tuple(shape), endpoint=True) / 8).astype(np.dtype(dtype))
        else:
            floor = 0 if dtype in UNSIGNED else low
            array = rng.integers(int(max(low, floor)), int(max(high, floor)), tuple(shape), endpoint=True).astype(np.dtype(dtype))
        return self.put(np.asarray(array), self.chance(40) if constant is None else constant)

    def put(self, array: Any, constant: bool = True) -> Known:
        """Some array as an input or a constant."""
        array = np.asarray(array)
        name = self.fresh("w" if constant else "x")
        (self.weights if constant else self.feeds)[name] = array
        known = Known(name, array, True, constant)
        if not constant:
            self.values.append(known)
        return known

    def ints(self, numbers: Iterable[int], dtype: str = "int64") -> Known:
        """A constant list of integers."""
        return self.put(np.array(list(numbers), dtype))

    def fresh(self, prefix: str) -> str:
        """A name."""
        self.count += 1
        return f"{prefix}{self.count}"

    def some(
        self,
        dtypes: Sequence[str] = NUMBERS,
        rank: int | Sequence[int] | None = None,
        *,
        exact: bool = False,
        where: Callable[[Known], bool] = lambda _: True,
        filled: bool = False,
    ) -> Known:
        """A value that is there, or a new one."""
        ranks = [rank] if isinstance(rank, int) else rank
        fits = [
            v
            for v in self.values
            if v.dtype in dtypes
            and (ranks is None or v.rank in ranks)
            and (v.exact or not exact)
            and (v.array.size or not filled)
            and where(v)
        ]
        if fits and not self.chance(15):
            return fits[-1 - self.integer(0, len(fits) - 1)]
        common = [d for d in COMMON if d in dtypes]
        known = self.new(
            self.pick(common if common and not self.chance(30) else list(dict.fromkeys(dtypes))),
            self.shape(None if ranks is None else self.pick(ranks), 0 if filled else 4),
            constant=False,
        )
        if not where(known):
            raise Refused
        return known

    def partner(self, other: Known, low: float = -4, high: float = 4) -> Known:
        """A value of the same type whose shape broadcasts against another's."""
        fits = [v for v in self.values if v.dtype == other.dtype and v is not other and _broadcasts(v.shape, other.shape)]
        if fits and self.chance(50) and (low, high) == (-4, 4):
            return self.pick(fits)
        extents = [1 if self.chance(25) else e for e in other.shape]
        if self.chance(30):
            extents = extents[self.integer(0, len(extents)) :]
        return self.new(other.dtype, extents, low, high)

    # -- nodes

    def add(
        self,
        operator: str,
        inputs: Sequence[Known | None],
        outputs: int = 1,
        *,
        domain: str = "",
        exact: bool | None = None,
        **attributes: Any,
    ) -> list[Known]:
        """A node, and its outputs' values. `exact` says what is known of them; without it, small multiples of 1/64 of exact values are."""
        self.domains.add(domain)
        names = [self.fresh("v") for _ in range(outputs)]
        given = [v.name if v is not None else "" for v in inputs]
        node = helper.make_node(operator, given, names, domain=domain, **{k: v for k, v in attributes.items() if v is not None})
        operands = {v.name: v.array for v in inputs if v is not None}
        arrays = self.evaluate(node, operands)
        sure = all(v.exact for v in inputs if v is not None)
        self.nodes.append(node)
        found = [
            Known(name, array, sure and (_is_short(array) if exact is None else exact) if array.dtype.name in FLOATS else sure)
            for name, array in zip(names, arrays, strict=True)
        ]
        self.values.extend(found)
        return found

    def evaluate(self, node: NodeProto, operands: dict[str, Array]) -> list[Array]:
        """What the reference makes of a node; Refused where it or the standard says no, or the numbers get out of hand."""
        model = one_node_model(node, operands, self.opset)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
                wrong = REFERENCE_ERRS.get(node.op_type)
                answer = by_onnxruntime(inferred, operands) if wrong and self.opset < wrong[0] else None
                arrays = [np.asarray(array) for array in answer or ReferenceEvaluator(model).run(None, operands)]
        except Exception as error:
            raise Refused(str(error)) from error
        for array, info in zip(arrays, inferred.graph.output, strict=True):
            declared = info.type.tensor_type
            if array.dtype.hasobject or array.size > LARGEST or helper.np_dtype_to_tensor_dtype(array.dtype) != declared.elem_type:
                raise Refused("not a tensor of numbers of the declared type")
            if declared.HasField("shape") and len(declared.shape.dim) != array.ndim:
                raise Refused("the reference gives another rank")
            if array.dtype.name in FLOATS and array.size:
                wide = np.abs(array.astype(np.float64))
                if not np.isfinite(wide).all() or wide.max() > 2000:
                    raise Refused("numbers out of hand")
        return arrays


def by_onnxruntime(model: ModelProto, operands: dict[str, Array]) -> list[Array]:
    """ONNX Runtime's answer; Refused where it has none."""
    try:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level, options.intra_op_num_threads = 4, 1
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return [np.asarray(array) for array in session.run(None, operands)]
    except Exception as error:
        raise Refused(str(error)) from error


def one_node_model(node: NodeProto, operands: Mapping[str, Array], opset: int, weights: Iterable[str] = ()) -> ModelProto:
    """A node between inputs and outputs; some inputs are constants."""
    weights = set(weights)
    imports = [helper.make_opsetid("", opset)]
    if node.domain:
        imports.append(helper.make_opsetid(node.domain, 1))
    graph = helper.make_graph(
        [node],
        "g",
        [value_info(name, operands[name]) for name in dict.fromkeys(node.input) if name and name not in weights],
        [ValueInfoProto(name=name) for name in node.output],
        [numpy_helper.from_array(operands[name], name) for name in dict.fromkeys(node.input) if name in weights],
    )
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def value_info(name: str, array: Array) -> ValueInfoProto:
    """What a graph says of an input or output."""
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(i == j or 1 in (i, j) for i, j in zip(reversed(a), reversed(b), strict=False))


def _is_short(array: Array) -> bool:
    """Whether all numbers are small multiples of 1/64, of so few bits that every type of floats holds them and their sums."""
    if array.dtype.name not in FLOATS:
        return True
    wide = array.astype(np.float64) * 64
    limit = 2**7 if array.dtype == ml_dtypes.bfloat16 else 2**10 if array.dtype == np.float16 else 2**20
    return bool(np.isfinite(wide).all() and (np.abs(wide) < limit).all() and (wide == np.round(wide)).all())


FIRST_OF_EDITION = (0, 1_000_000)
"""The first seed of each edition of templates."""


def generate(choices: Choices, largest: int = 12) -> Case:
    """A whole model."""
    from random_operators import EDITIONS

    opsets = OPSETS if choices.edition == 0 else (*OPSETS, *RECENT_OPSETS)
    graph = Graph(choices, opsets[-1 - choices.integer(0, len(opsets) - 1)])
    templates = EDITIONS[choices.edition]
    wanted = choices.integer(1, largest)
    for _ in range(3 * wanted):
        if len(graph.nodes) >= wanted:
            break
        template = templates[choices.integer(0, len(templates) - 1)]
        before = (len(graph.nodes), len(graph.values), dict(graph.feeds), dict(graph.weights))
        try:
            template(graph)
        except Refused:
            del graph.nodes[before[0] :], graph.values[before[1] :]
            graph.feeds, graph.weights = before[2], before[3]
    if not graph.nodes:
        known = graph.new("float32", (2,), constant=False)
        graph.add("Neg", [known])
    return finish(graph)


def finish(graph: Graph) -> Case:
    """The model of a graph: what nobody reads is an output, some of what somebody reads as well."""
    from random_structure import restructure

    read = {name for node in graph.nodes for name in node.input}
    made = [v for v in graph.values if v.name not in graph.feeds]
    outputs = [v for v in made if v.name not in read or graph.chance(15)]
    graph.feeds = {name: array for name, array in graph.feeds.items() if name in read}
    values = {v.name: v.array for v in graph.values} | graph.weights
    nodes, functions = restructure(graph, values, [v.name for v in outputs])
    feeds = graph.feeds  # restructuring may add a condition
    imports = [helper.make_opsetid("", graph.opset), *(helper.make_opsetid(d, 1) for d in sorted(graph.domains) if d)]
    if functions:
        imports.append(helper.make_opsetid("local", 1))
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "random",
            [value_info(name, array) for name, array in feeds.items()],
            [value_info(v.name, v.array) for v in outputs],
            [numpy_helper.from_array(array, name) for name, array in graph.weights.items()],
        ),
        opset_imports=imports,
        ir_version=IR_VERSION,
        functions=functions,
    )
    return Case(model, feeds, values, list(graph.nodes), frozenset(graph.weights))
