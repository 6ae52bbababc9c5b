"""ai.onnx.ml: random forests, linear models and the rest, against ONNX Runtime or the reference evaluator."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from onnx_against_runtime import f
from onnx_one_node import check, compiled, feeds, one_node

from stepwell.ir.diagnostics import CompileError

RNG = np.random.default_rng(3)
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def forest(
    trees: int, depth: int, features: int, modes: list[str], rng: np.random.Generator
) -> tuple[dict[str, list[Any]], list[tuple[int, int]]]:
    """Random trees, their leaves at different depths; and the names of the leaves."""
    columns: dict[str, list[Any]] = {
        f"nodes_{c}": []
        for c in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true")
    }
    leaves: list[tuple[int, int]] = []

    def grow(tree: int, node: int, left: int, numbers: list[int]) -> None:
        leaf = left == 0 or (left < depth and rng.random() < 0.3)
        children = (0, 0) if leaf else (numbers[0], numbers[0] + 1)
        numbers[0] += 0 if leaf else 2
        row = [tree, node, 0 if leaf else int(rng.integers(features)), float(rng.integers(-2, 3)) / 2]
        row += ["LEAF" if leaf else str(rng.choice(modes)), *children, int(rng.integers(2))]
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
        if leaf:
            leaves.append((tree, node))
        for child in children if not leaf else ():
            grow(tree, child, left - 1, numbers)

    for tree in range(trees):
        grow(tree, 0, depth, [1])
    return columns, leaves


def against_ort(operator: str, *inputs: Any, **options: Any) -> None:
    """The same as ONNX Runtime gives."""
    runtime = pytest.importorskip("onnxruntime")
    model = one_node(operator, inputs, version=3, **options)
    for output in model.graph.output:
        output.ClearField("type")  # it is inferred there
    wanted = runtime.InferenceSession(model.SerializeToString()).run(None, feeds(inputs))
    for a, b in zip(compiled(operator, *inputs, version=3, **options), wanted, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, 2e-5, 2e-5)


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("modes", [["BRANCH_LEQ"], MODES])
def test_regressor(aggregate: str, modes: list[str]) -> None:
    nodes, leaves = forest(4, 4, 3, modes, np.random.default_rng(len(modes)))
    weights = {
        "target_treeids": [t for t, _ in leaves for _ in range(2)],
        "target_nodeids": [i for _, i in leaves for _ in range(2)],
        "target_ids": [k for _ in leaves for k in range(2)],
        "target_weights": RNG.standard_normal(2 * len(leaves)).tolist(),
    }
    x = (RNG.integers(-4, 5, (20, 3)) / 4).astype(np.float32)
    x[3, 1] = np.nan
    against_ort("ai.onnx.ml.TreeEnsembleRegressor", x, **nodes, **weights, n_targets=2, aggregate_function=aggregate)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("classes", [2, 3])
def test_classifier(post: str, classes: int) -> None:
    nodes, leaves = forest(3, 3, 4, ["BRANCH_LEQ"], np.random.default_rng(classes))
    weights = {
        "class_treeids": [t for t, _ in leaves for _ in range(classes)],
        "class_nodeids": [i for _, i in leaves for _ in range(classes)],
        "class_ids": [k for _ in leaves for k in range(classes)],
        "class_weights": RNG.standard_normal(classes * len(leaves)).tolist(),
    }
    x = RNG.standard_normal((12, 4)).astype(np.float32)
    options: dict[str, Any] = {**nodes, **weights, "outputs": 2, "classlabels_int64s": [7, 3, 5][:classes], "post_transform": post}
    if classes == 2:  # ONNX Runtime gives places for labels then
        check("ai.onnx.ml.TreeEnsembleClassifier", x, version=3, **options)
    else:
        against_ort("ai.onnx.ml.TreeEnsembleClassifier", x, **options)


@pytest.mark.parametrize("post", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("positive", [True, False])
def test_classifier_of_one_score(post: str, positive: bool) -> None:
    nodes, leaves = forest(3, 3, 4, ["BRANCH_LEQ"], np.random.default_rng(9))
    numbers = RNG.standard_normal(len(leaves)) if not positive else RNG.random(len(leaves)) / 3
    weights = {"class_treeids": [t for t, _ in leaves], "class_nodeids": [i for _, i in leaves], "class_ids": [0] * len(leaves)}
    x = RNG.standard_normal((12, 4)).astype(np.float32)
    against_ort(
        "ai.onnx.ml.TreeEnsembleClassifier", x, outputs=2, **nodes, **weights,
        class_weights=numbers.tolist(), classlabels_int64s=[0, 1], post_transform=post,
    )  # fmt: skip


def test_trees_that_lead_nowhere() -> None:
    nodes, leaves = forest(1, 2, 2, ["BRANCH_LEQ"], np.random.default_rng(1))
    weights = {"target_treeids": [0], "target_nodeids": [leaves[0][1]], "target_ids": [0], "target_weights": [1.0]}
    x = np.zeros((2, 2), np.float32)
    for name, column in (
        ("nodes_truenodeids", [99, *nodes["nodes_truenodeids"][1:]]),
        ("nodes_featureids", [5] * len(nodes["nodes_modes"])),
    ):
        with pytest.raises(CompileError):
            compiled("ai.onnx.ml.TreeEnsembleRegressor", x, version=3, **{**nodes, name: column}, **weights)
    with pytest.raises(CompileError, match="lead back"):
        compiled(
            "ai.onnx.ml.TreeEnsembleRegressor", x, version=3, **{**nodes, "nodes_truenodeids": [0] * len(nodes["nodes_modes"])}, **weights
        )


def test_sets_of_members() -> None:
    tensors = {"nodes_splits": [0.0, 0.5, 0.0], "leaf_weights": [1.0, 2.0, 3.0, 4.0], "membership_values": [1, 3, np.nan, 2, np.nan]}
    (y,) = compiled(
        "ai.onnx.ml.TreeEnsemble", np.array([[1, 0], [3, 1], [2, 2], [0, 5]], np.float32), n_targets=1, tree_roots=[0],
        nodes_modes=numpy_helper.from_array(np.array([6, 0, 6], np.uint8)), nodes_featureids=[0, 1, 0],
        nodes_truenodeids=[1, 0, 2], nodes_trueleafs=[0, 1, 1], nodes_falsenodeids=[2, 1, 3], nodes_falseleafs=[0, 1, 1],
        leaf_targetids=[0, 0, 0, 0], **{k: numpy_helper.from_array(np.array(v, np.float32)) for k, v in tensors.items()},
    )  # fmt: skip
    assert y.tolist() == [[1], [2], [3], [4]]


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
def test_linear_models(post: str) -> None:
    x = RNG.standard_normal((5, 4)).astype(np.float32)
    weights = {"coefficients": RNG.standard_normal(12).tolist(), "intercepts": [0.5, -0.5, 0.0]}
    against_ort("ai.onnx.ml.LinearRegressor", x, targets=3, **weights)
    against_ort("ai.onnx.ml.LinearClassifier", x, outputs=2, classlabels_ints=[4, 5, 9], post_transform=post, **weights)
    if post in ("NONE", "LOGISTIC"):
        one = {"coefficients": weights["coefficients"][:4], "intercepts": [0.25]}
        against_ort("ai.onnx.ml.LinearClassifier", x, outputs=2, classlabels_ints=[0, 1], post_transform=post, **one)


def test_probit() -> None:
    x = RNG.random((3, 2)).astype(np.float32) * 0.9 + 0.05
    options: dict[str, Any] = {"coefficients": [1.0, 0.0, 0.0, 1.0], "intercepts": [0.0, 0.0], "post_transform": "PROBIT"}
    check("ai.onnx.ml.LinearClassifier", x, outputs=2, classlabels_ints=[0, 1], **options, tolerance=1e-4)


def test_features() -> None:
    x = RNG.standard_normal((4, 3)).astype(np.float32)
    x[1] = 0
    for norm in ("MAX", "L1", "L2"):
        against_ort("ai.onnx.ml.Normalizer", x, norm=norm)
    against_ort("ai.onnx.ml.Scaler", x, offset=[1.0, 2.0, 3.0], scale=[0.5, 2.0, 1.0])
    against_ort("ai.onnx.ml.Scaler", x.astype(np.int64), offset=[1.0], scale=[0.5])
    holes = np.where(x > 0, x, np.nan).astype(np.float32)
    against_ort("ai.onnx.ml.Imputer", holes, imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=float("nan"))
    against_ort("ai.onnx.ml.Imputer", np.array([[1, -1, 3]], np.int64), imputed_value_int64s=[7], replaced_value_int64=-1)
    against_ort("ai.onnx.ml.FeatureVectorizer", x, x[:, :2], inputdimensions=[3, 2])
    against_ort("ai.onnx.ml.OneHotEncoder", np.array([1, 3, 9], np.int64), cats_int64s=[3, 1, 2], zeros=1)
    against_ort("ai.onnx.ml.Binarizer", x, threshold=0.1)


def test_labels() -> None:
    x = np.array([[1, 2], [5, -3]], np.int64)
    check("ai.onnx.ml.LabelEncoder", x, keys_int64s=[2, 5, -3], values_floats=[0.5, 1.5, 2.5], default_float=-9.0)
    numbers = np.array([1.5, np.nan, 2.0], np.float32)
    wanted = [np.array([10, 20, -1], np.int64)]
    check("ai.onnx.ml.LabelEncoder", numbers, keys_floats=[1.5, float("nan")], values_int64s=[10, 20], wanted=wanted)


@pytest.mark.parametrize("kernel", ["LINEAR", "POLY", "RBF", "SIGMOID"])
@pytest.mark.parametrize("one_class", [0, 1])
def test_support_vectors(kernel: str, one_class: int) -> None:
    options: dict[str, Any] = {
        "kernel_type": kernel,
        "kernel_params": [0.3, 0.1, 2.0],
        "support_vectors": f(5 * 3).tolist(),
        "coefficients": f(5).tolist(),
        "n_supports": 5,
        "rho": [0.25],
        "one_class": one_class,
    }
    against_ort("ai.onnx.ml.SVMRegressor", f(4, 3), **options)


def test_support_vectors_that_are_not_there() -> None:
    options: dict[str, Any] = {"coefficients": [0.5, -1.0, 2.0], "rho": [0.25], "n_supports": 0, "kernel_params": [0.0, 0.0, 0.0]}
    against_ort("ai.onnx.ml.SVMRegressor", f(4, 3), **options)
    with pytest.raises(CompileError, match="2 coefficients"):
        compiled("ai.onnx.ml.SVMRegressor", f(4, 3), version=1, coefficients=[0.5, 1.0], rho=[0.25])
