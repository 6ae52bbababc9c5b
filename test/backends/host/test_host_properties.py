"""Host operators against the reference evaluator of the onnx package, numpy and `re`, on random values; and what they refuse."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from stepwell.backends.host import host_operator
from stepwell.backends.host.node import HostNode, Value
from stepwell.backends.host.regular_expressions import Expression
from stepwell.ir.diagnostics import CompileError

FEW = settings(max_examples=40, deadline=None)
TEXT = st.text(st.sampled_from("aAbß é,0"), max_size=6)
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)


def run(operator: str, *inputs: Value, outputs: int = 1, version: int = 22, **attributes: Any) -> list[Any]:
    """A host operator on these inputs."""
    domain, _, name = operator.rpartition(".")
    function = host_operator(operator, strings=True)
    assert function is not None
    return function(HostNode(name, domain, version, attributes, outputs), list(inputs))


def reference(operator: str, *inputs: Any, outputs: int = 1, version: int = 22, **attributes: Any) -> list[Any]:
    """What the reference evaluator says."""
    domain, _, name = operator.rpartition(".")
    names = [f"x{i}" for i in range(len(inputs))]
    node = helper.make_node(name, names, [f"y{i}" for i in range(outputs)], domain=domain, **attributes)
    infos = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in names]
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in node.output])
    opsets = [helper.make_opsetid("", version)] + ([helper.make_opsetid(domain, 4)] if domain else [])
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
    return list(evaluator.run(None, dict(zip(names, inputs, strict=True))))


def texts(data: st.DataObject, shape: tuple[int, ...]) -> Any:
    """An array of random strings."""
    count = int(np.prod(shape))
    array = np.empty(count, object)
    array[:] = data.draw(st.lists(TEXT, min_size=count, max_size=count))
    return array.reshape(shape)


def same(got: list[Any], wanted: list[Any]) -> None:
    """Equal in shape and in every element."""
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        assert isinstance(a, np.ndarray)
        assert a.shape == np.shape(b)
        assert a.tolist() == np.asarray(b).tolist()


@FEW
@given(st.data(), SHAPES)
def test_concat(data: st.DataObject, shape: tuple[int, ...]) -> None:
    a, b = texts(data, shape), texts(data, shape[1:])
    same(run("StringConcat", a, b), [np.broadcast_to(a, np.broadcast_shapes(shape, shape[1:])) + b] if a.size else [a])


@FEW
@given(st.data(), st.sampled_from(["", "a", ",", "ab"]), st.integers(0, 3))
def test_split(data: st.DataObject, delimiter: str, limit: int) -> None:
    x = texts(data, data.draw(SHAPES.filter(lambda s: bool(s) and 0 not in s)))
    same(run("StringSplit", x, outputs=2, delimiter=delimiter, maxsplit=limit), reference(
        "StringSplit", x, outputs=2, delimiter=delimiter, maxsplit=limit
    ))  # fmt: skip


@FEW
@given(st.data(), st.booleans(), st.sampled_from([None, 0, 1]))
def test_unique_reference(data: st.DataObject, in_order: bool, axis: int | None) -> None:
    x = np.array(data.draw(st.lists(st.integers(-2, 2), min_size=12, max_size=12)), np.float32).reshape(3, 4)
    given_axis = {} if axis is None else {"axis": axis}
    y, first, inverse, counts = run("Unique", x, outputs=4, sorted=int(in_order), **given_axis)
    assert all(isinstance(a, np.ndarray) for a in (y, first, inverse, counts))
    rows = x.reshape(-1) if axis is None else x
    at = axis or 0
    assert np.array_equal(np.take(rows, first, at), y)
    assert np.array_equal(np.take(y, inverse, at), rows)
    assert np.array_equal(np.bincount(inverse), counts)
    if in_order:
        same([y, first, inverse, counts], reference("Unique", x, outputs=4, **given_axis))
    else:
        assert sorted(first.tolist()) == first.tolist()


@FEW
@given(st.data(), st.integers(0, 3), st.sampled_from(["TF", "IDF", "TFIDF"]), st.booleans())
def test_tfidf(data: st.DataObject, skips: int, mode: str, words: bool) -> None:
    attributes: dict[str, Any] = {
        "ngram_counts": [0, 3], "ngram_indexes": [0, 1, 2, 3, 4], "max_skip_count": skips, "mode": mode,
        "min_gram_length": data.draw(st.integers(1, 2)), "max_gram_length": 2, "weights": [1.0, 2.0, 0.5, 3.0, 4.0],
    }  # fmt: skip
    pool = [1, 2, 3, 1, 2, 3, 3]
    numbers = np.array(data.draw(st.lists(st.integers(0, 3), min_size=8, max_size=8)), np.int64).reshape(2, 4)
    wanted = reference("TfIdfVectorizer", numbers, pool_int64s=pool, **attributes)
    if words:
        same(run("TfIdfVectorizer", numbers.astype(str).astype(object), pool_strings=[str(p) for p in pool], **attributes), wanted)
    else:
        same(run("TfIdfVectorizer", numbers, pool_int64s=pool, **attributes), wanted)


@FEW
@given(st.data())
def test_label_encoder(data: st.DataObject) -> None:
    x = texts(data, (5,))
    attributes: dict[str, Any] = {"keys_strings": ["a", "b", "A"], "values_int64s": [4, 5, 6], "default_int64": 9}
    same(run("ai.onnx.ml.LabelEncoder", x, version=4, **attributes), reference("ai.onnx.ml.LabelEncoder", x, **attributes))
    numbers = np.array(data.draw(st.lists(st.sampled_from([1.0, 2.5, float("nan")]), min_size=4, max_size=4)), np.float32)
    (found,) = run("ai.onnx.ml.LabelEncoder", numbers, version=4, keys_floats=[2.5, float("nan")], values_strings=["two", "none"])
    assert isinstance(found, np.ndarray)
    assert found.tolist() == ["none" if np.isnan(v) else {2.5: "two"}.get(v, "") for v in numbers.tolist()]


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "^", "$", "\\b", "(?i)B", ""]),
    lambda inner: (
        st.tuples(inner, inner).map("".join)
        | st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}", "*?"])).map(lambda p: f"(?:{p[0]}){p[1]}")
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.lists(st.text(st.sampled_from("abB0 \n"), max_size=5), min_size=3, max_size=3))
def test_regular_expressions_against_re(pattern: str, some: list[str]) -> None:
    # Python wants flags at the start, and its $ also stands before a last newline.
    python = re.compile(("(?i)" if "(?i)" in pattern else "") + pattern.replace("(?i)", "").replace("$", "\\Z"), re.ASCII)
    ours = Expression(("(?i)" if "(?i)" in pattern else "") + pattern.replace("(?i)", ""))
    for text in some:
        assert ours.matches(text) == (python.fullmatch(text) is not None), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("[[:alpha:]]+", "abc", True),
        ("\\pL+", "aßé", True),
        ("\\p{Lu}", "a", False),
        ("\\PL", "1", True),
        ("(?P<name>a|b)c", "bc", True),
        ("\\Qa.b\\E+", "a.bb", True),
        ("\\x{e9}\\x41\\101", "éAA", True),
        ("(?s).", "\n", True),
        (".", "\n", False),
        ("a$", "a\n", False),
        ("(?m)a$\nb", "a\nb", True),
        ("a{,2}", "a{,2}", True),
        ("(?i:é)É", "ÉÉ", True),
        ("[]a]+", "]a", True),
        ("[^\\d]", "x", True),
    ],
)
def test_syntax_of_re2(pattern: str, text: str, matches: bool) -> None:
    assert Expression(pattern).matches(text) == matches


@pytest.mark.parametrize(
    "pattern", ["(a)\\1", "(?=a)", "(?<!a)b", "a**", "(", ")", "[a", "a{1001}", "\\8", "*", "(?:(?:a{1000}){1000}){9}", "[b-a]"]
)
def test_what_is_no_pattern_of_re2(pattern: str) -> None:
    with pytest.raises(CompileError, match="pattern"):
        Expression(pattern)


def test_patterns_that_make_others_backtrack() -> None:
    assert not Expression("(a+)+b").matches("a" * 20_000)
    assert not Expression("(a|a)*c").matches("a" * 20_000)


# ---- tensors of strings ---------------------------------------------------------------------------------------------------------------


@FEW
@given(st.data(), st.integers(-3, 4), st.integers(-5, 5), st.sampled_from([1, 2, -1, -2]))
def test_moving_strings_as_numbers_are_moved(data: st.DataObject, start: int, end: int, step: int) -> None:
    numbers = np.array(data.draw(st.lists(st.integers(0, 9), min_size=12, max_size=12)), np.int64).reshape(3, 4)
    words = numbers.astype(str).astype(object)
    indices = np.array(data.draw(st.lists(st.integers(-3, 2), min_size=2, max_size=2)), np.int64)

    def check(operator: str, *inputs: Any, **attributes: Any) -> None:
        (got,) = run(operator, words, *inputs, **attributes)
        (wanted,) = reference(operator, numbers, *inputs, **attributes)
        assert isinstance(got, np.ndarray)
        assert (got.shape, got.tolist()) == (np.shape(wanted), np.asarray(wanted).astype(str).tolist())

    check("Slice", np.array([start]), np.array([end]), np.array([1]), np.array([step]))
    check("Gather", indices, axis=0)
    check("GatherElements", np.stack([indices, indices[::-1]] * 2, 1), axis=0)
    check("GatherND", indices.reshape(2, 1))
    check("Transpose", perm=[1, 0])
    check("Reshape", np.array([2, -1]))
    check("Reshape", np.array([0, 2, 2]))
    check("Flatten", axis=1)
    check("Tile", np.array([2, 1]))
    check("Expand", np.array([2, 3, 1]))
    check("Unsqueeze", np.array([0, -1]))
    check("Compress", np.array([True, False, True]), axis=0)


def test_cast() -> None:
    x = np.array(["1", "-2.5", "inf", "NaN", "1e3"], object)
    (got,) = run("Cast", x, to=TensorProto.FLOAT)
    assert isinstance(got, np.ndarray)
    assert np.array_equal(got, np.array([1, -2.5, np.inf, np.nan, 1000], np.float32), equal_nan=True)
    same(run("Cast", np.array([1.5, np.nan, -np.inf], np.float32), to=TensorProto.STRING), [np.array(["1.5", "NaN", "-INF"])])
    same(run("Cast", np.array(["18446744073709551615", "7.9"], object), to=TensorProto.UINT64), [np.array([2**64 - 1, 7], np.uint64)])


# ---- bad input ------------------------------------------------------------------------------------------------------------------------

WORDS = np.array(["a", "b"], object)


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes"),
    [
        ("StringConcat", [WORDS, np.ones(2)], {}),
        ("StringConcat", [WORDS, np.array(["a"] * 3, object)], {}),
        ("StringSplit", [None], {}),
        ("StringNormalizer", [WORDS.reshape(2, 1)], {}),
        ("StringNormalizer", [WORDS], {"case_change_action": "TITLE"}),
        ("RegexFullMatch", [WORDS], {"pattern": "("}),
        ("ImageDecoder", [np.arange(10, dtype=np.uint8)], {}),
        ("ImageDecoder", [np.zeros((2, 2), np.uint8)], {}),
        ("ImageDecoder", [np.zeros(2, np.uint8)], {"pixel_format": "CMYK"}),
        ("Unique", [np.ones(2)], {"axis": 3}),
        ("SequenceAt", [[WORDS], np.array(1)], {}),
        ("SequenceAt", [WORDS, np.array(1)], {}),
        ("SequenceErase", [[]], {}),
        ("SequenceInsert", [[WORDS], np.ones(2)], {}),
        ("SplitToSequence", [np.ones(3), np.array(0)], {}),
        ("ConcatFromSequence", [[]], {"axis": 0}),
        ("ConcatFromSequence", [[np.ones(2), np.ones((2, 2))]], {"axis": 0}),
        ("OptionalGetElement", [None], {}),
        ("Cast", [np.array(["x"], object)], {"to": TensorProto.FLOAT}),
        ("Cast", [np.array(["300"], object)], {"to": TensorProto.UINT8}),
        ("Cast", [np.array(["inf"], object)], {"to": TensorProto.INT32}),
        ("Gather", [WORDS, np.array([2])], {}),
        ("Reshape", [WORDS, np.array([-1, 0])], {"allowzero": 1}),
        ("Expand", [WORDS, np.array([2**40, 2])], {}),
        ("Tile", [WORDS, np.array([2**40])], {}),
        ("Slice", [WORDS, np.array([0]), np.array([1]), np.array([0]), np.array([0])], {}),
        ("ai.onnx.ml.LabelEncoder", [WORDS], {"keys_strings": ["a"], "values_int64s": []}),
        ("ai.onnx.ml.LabelEncoder", [np.ones(2)], {"keys_strings": ["a"], "values_int64s": [1]}),
        ("TfIdfVectorizer", [WORDS], {"pool_strings": ["a"], "ngram_counts": [0], "ngram_indexes": [0], "mode": "TF",
                                      "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0}),
    ],
)  # fmt: skip
def test_what_is_refused(operator: str, inputs: list[Value], attributes: dict[str, Any]) -> None:
    with pytest.raises(CompileError):
        run(operator, *inputs, version=4, **attributes)
