"""ai.onnx.ml trees: TreeEnsemble, and TreeEnsembleRegressor and TreeEnsembleClassifier before it.

All rows walk down all trees at once: a place in the table of nodes for each row and tree, as many steps as the deepest tree has. A leaf is
a node that leads to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from xdsl.dialects.builtin import f64

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.scores import DOMAIN, TRANSFORMS, class_labels, labelled, transformed
from stepwell.ir.constants import Array, element_type_of

MAX_DEPTH = 200
MAX_WEIGHTS = 2**26
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
"""In the order in which TreeEnsemble numbers them."""
MEMBER = 6
_COMPARE: dict[int, Any] = {0: nn.LeOp, 1: nn.LtOp, 2: nn.GeOp, 3: nn.GtOp, 4: nn.EqOp, 5: nn.NeOp}
AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
I64 = element_type_of(np.dtype(np.int64))


@dataclass
class Forest:
    """Nodes as columns of a table."""

    roots: list[int]
    features: Array
    modes: Array
    splits: Array
    on_true: Array
    on_false: Array
    missing: Array
    """Whether not a number counts as true."""
    weights: list[tuple[int, int, float]]
    """(leaf, target, weight)."""
    members: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    @property
    def inner(self) -> Array:
        """Which nodes are no leaves."""
        own = np.arange(len(self.on_true))
        return (self.on_true != own) | (self.on_false != own)

    def depth(self, n: Node) -> int:
        """Steps to the deepest leaf; nodes that lead back to themselves are refused."""
        count = len(self.features)
        for name, column in (("a root", np.array(self.roots)), ("a branch", self.on_true), ("a branch", self.on_false)):
            if column.size and not 0 <= int(column.min()) <= int(column.max()) < count:
                n.fail(f"{name} leads outside of the {count} nodes")
        places, depth = np.unique(np.array(self.roots, np.int64)), 0
        while True:
            places = places[self.inner[places]]
            if not places.size:
                return depth
            places, depth = np.unique(np.concatenate([self.on_true[places], self.on_false[places]])), depth + 1
            if depth > MAX_DEPTH:
                n.unsupported(f"its trees have more than {MAX_DEPTH} levels, or nodes that lead back to themselves")


def leaves(n: Node, x: Value, forest: Forest) -> Value:
    """[N, F] -> the leaf that each row reaches in each tree, [N, T]."""
    rows, inner = x.shape[0], forest.inner
    used = forest.features[inner]
    if used.size and not 0 <= int(used.min()) <= int(used.max()) < x.shape[1]:
        n.fail(f"it looks at features {used.min()} to {used.max()} of {x.shape[1]}")

    def column(values: Array) -> Callable[[Value], Value]:
        table = n.constant(values)
        return lambda state: n.op(nn.GatherOp, table, state, axis=0)

    features = column(np.where(inner, forest.features, 0).astype(np.int64))
    splits, on_true, on_false = column(forest.splits.astype(x.dtype)), column(forest.on_true), column(forest.on_false)
    modes, missing = column(forest.modes.astype(np.int64)), column(forest.missing.astype(np.bool_))
    present = sorted({int(m) for m in forest.modes[inner]})
    state = n.constant(np.broadcast_to(np.array(forest.roots, np.int64), (rows, len(forest.roots))).copy())
    for _ in range(forest.depth(n)):
        value = n.op(nn.GatherElementsOp, x, features(state), axis=1)
        truth: Value | None = None
        for mode in present:
            here = _members(n, forest, x, value, state) if mode == MEMBER else n.op(_COMPARE[mode], value, splits(state))
            chosen = n.op(nn.EqOp, modes(state), n.constant(np.asarray(mode, np.int64)))
            truth = here if truth is None else n.op(nn.SelectOp, chosen, here, truth)
        assert truth is not None
        # A comparison with what is no number is false but for `not equal`; the node's flag decides.
        if forest.missing[inner].any() or 5 in present:
            truth = n.op(nn.SelectOp, n.op(nn.IsNanOp, value), missing(state), truth)
        state = n.op(nn.SelectOp, truth, on_true(state), on_false(state))
    return state


def _members(n: Node, forest: Forest, x: Value, value: Value, state: Value) -> Value:
    """Whether a value is in the set of its node: one row of a table for each node, filled up with what is no number."""
    width = max(map(len, forest.members.values()), default=1) or 1
    table = np.full((len(forest.modes), width), np.nan, x.dtype)
    for node, members in forest.members.items():
        table[node, : len(members)] = members
    if table.size > MAX_WEIGHTS:
        n.unsupported(f"sets of up to {width} members for {len(forest.modes)} nodes")
    rows = n.op(nn.GatherOp, n.constant(table), state, axis=0)
    return n.op(nn.ReduceMaxOp, n.op(nn.EqOp, rows, n.reshape(value, (*value.shape, 1))), axes=[2], keepdims=False)


def summed(n: Node, x: Value, forest: Forest, targets: int, aggregate: str, wide: Any) -> Value:
    """[N, F] -> what the leaves of all trees say of each target, [N, targets]."""
    if aggregate not in AGGREGATES:
        n.fail(f"its aggregate_function is {aggregate!r}", hint=f"it may be {', '.join(AGGREGATES)}")
    count = len(forest.features)
    if not 0 < targets or count * targets > MAX_WEIGHTS:
        n.unsupported(f"{count} nodes and {targets} targets make too large a table")
    empty = {"MIN": np.finfo(wide).max, "MAX": np.finfo(wide).min}.get(aggregate, 0)
    table = np.full((count, targets), empty, wide)
    for leaf, target, weight in forest.weights:
        if not 0 <= target < targets:
            n.fail(f"a leaf has a weight for target {target} of {targets}")
        if aggregate in ("MIN", "MAX"):
            table[leaf, target] = (min if aggregate == "MIN" else max)(table[leaf, target], weight)
        else:
            table[leaf, target] += weight
    found = n.op(nn.GatherOp, n.constant(table), leaves(n, x, forest), axis=0)
    if aggregate in ("MIN", "MAX"):
        return n.op(nn.ReduceMinOp if aggregate == "MIN" else nn.ReduceMaxOp, found, axes=[1], keepdims=False)
    total = n.op(nn.ReduceSumOp, found, axes=[1], keepdims=False)
    return n.div(total, n.like(len(forest.roots), total)) if aggregate == "AVERAGE" else total


def _rows(n: Node, x: Value) -> Value:
    """[N, F] of floating point; a single row may come without its axis."""
    if x.rank not in (1, 2):
        n.fail(f"its operand has shape {list(x.shape)}, not [rows, features]")
    x = n.reshape(x, (1, x.shape[0])) if x.rank == 1 else x
    return x if x.dtype.kind == "f" else n.cast(x, element_type_of(np.dtype(np.float32)))


# ---- TreeEnsemble ---------------------------------------------------------------------------------------------------------------------


@converter("TreeEnsemble", domain=DOMAIN)
def _tree_ensemble(n: Node, x: Value) -> Value:
    x = _rows(n, x)
    modes, splits, weights = n.tensor("nodes_modes"), n.tensor("nodes_splits"), n.tensor("leaf_weights")
    if modes is None or splits is None or weights is None:
        n.fail("its nodes_modes, nodes_splits or leaf_weights are missing")
    count, targets = len(modes), n.ints("leaf_targetids")
    ids = [np.array(n.ints(f"nodes_{side}nodeids"), np.int64) for side in ("true", "false")]
    is_leaf = [np.array(n.ints(f"nodes_{side}leafs"), np.int64) for side in ("true", "false")]
    features, missing = n.ints("nodes_featureids"), n.ints("nodes_missing_value_tracks_true", (0,) * count)
    if any(len(column) != count for column in (splits, *ids, *is_leaf, features, missing)) or len(targets) != len(weights):
        n.fail(f"its lists do not fit {count} nodes and {len(weights)} leaves")
    if count and not 0 <= int(modes.min()) <= int(modes.max()) <= MEMBER:
        n.fail(f"there is no mode {modes.max()}")
    for place, leaf in zip(ids, is_leaf, strict=True):
        if ((place < 0) | (place >= np.where(leaf != 0, len(weights), count))).any():
            n.fail("a branch leads to a node or a leaf that there is not")
    on_true, on_false = (np.where(leaf != 0, place + count, place) for place, leaf in zip(ids, is_leaf, strict=True))
    roots = n.ints("tree_roots")
    if not roots or not all(0 <= root < count for root in roots):
        n.fail(f"its roots {roots[:8]} are not all among {count} nodes")
    own = np.arange(count, count + len(weights))
    rest = [0] * len(weights)
    forest = Forest(
        roots,
        np.array([*features, *rest], np.int64),
        np.array([*modes.tolist(), *rest], np.int64),
        np.concatenate([splits, np.zeros(len(weights), splits.dtype)]),
        np.concatenate([on_true, own]),
        np.concatenate([on_false, own]),
        np.array([*missing, *rest], np.int64),
        [(count + i, int(t), float(w)) for i, (t, w) in enumerate(zip(targets, weights, strict=True))],
    )
    with_sets = [i for i, mode in enumerate(modes.tolist()) if mode == MEMBER]
    values = n.tensor("membership_values")
    sets = _split_at_nan([] if values is None else values.tolist())
    if len(sets) != len(with_sets):
        n.fail(f"{len(sets)} sets of members for {len(with_sets)} nodes that ask for one")
    forest.members = dict(zip(with_sets, sets, strict=True))
    aggregate, post = n.int("aggregate_function", 1), n.int("post_transform")
    if not 0 <= aggregate < len(AGGREGATES) or not 0 <= post < len(TRANSFORMS):
        n.fail(f"there is no aggregate_function {aggregate} or no post_transform {post}")
    y = summed(n, x, forest, n.int("n_targets"), AGGREGATES[aggregate], x.dtype)
    return transformed(n, y, ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")[post])


def _split_at_nan(values: Sequence[float]) -> list[list[float]]:
    sets: list[list[float]] = [[]]
    for value in values:
        if value != value:
            sets.append([])
        else:
            sets[-1].append(value)
    return sets if sets[-1] else sets[:-1]


# ---- regressor and classifier -----------------------------------------------------------------------------------------------------------


def _numbers(n: Node, name: str) -> list[float]:
    """Floats, as a list or (doubles) as a tensor."""
    tensor = n.tensor(f"{name}_as_tensor") if n.has(f"{name}_as_tensor") else None
    return n.floats(name) if tensor is None else [float(v) for v in tensor.reshape(-1)]


def _forest(n: Node, kind: str) -> Forest:
    """Nodes are named by (tree, node); the first of a tree is its root."""
    names = list(zip(n.ints("nodes_treeids"), n.ints("nodes_nodeids"), strict=True))
    place = {name: i for i, name in enumerate(names)}
    modes, count = n.strs("nodes_modes", ()), len(names)
    values, features = _numbers(n, "nodes_values"), n.ints("nodes_featureids")
    sides = [n.ints(f"nodes_{side}nodeids") for side in ("true", "false")]
    missing = n.ints("nodes_missing_value_tracks_true", ()) or [0] * count
    if len(place) != count or any(len(column) != count for column in (modes, values, features, missing, *sides)) or count == 0:
        n.fail(f"its lists do not fit {count} nodes of different names")
    if unknown := set(modes) - {*MODES[:MEMBER], "LEAF"}:
        n.fail(f"there is no mode {sorted(unknown)[0]!r}")
    branches: list[list[int]] = []
    for side in sides:
        steps = zip(modes, names, side, strict=True)
        targets = [i if mode == "LEAF" else place.get((tree, child), -1) for i, (mode, (tree, _), child) in enumerate(steps)]
        branches.append(targets)
    first: dict[int, int] = {}
    for i, (tree, _) in enumerate(names):
        first.setdefault(tree, i)
    weights = list(
        zip(n.ints(f"{kind}_treeids"), n.ints(f"{kind}_nodeids"), n.ints(f"{kind}_ids"), _numbers(n, f"{kind}_weights"), strict=True)
    )
    if any((tree, node) not in place for tree, node, _, _ in weights):
        n.fail("a weight belongs to a node that there is not")
    return Forest(
        [first[tree] for tree in sorted(first)],
        np.array(features, np.int64),
        np.array([MODES.index(mode) if mode != "LEAF" else 0 for mode in modes], np.int64),
        np.array(values, np.float64),
        np.array(branches[0], np.int64),
        np.array(branches[1], np.int64),
        np.array(missing, np.int64),
        [(place[tree, node], target, weight) for tree, node, target, weight in weights],
    )


def _with_base(n: Node, scores: Value) -> Value:
    base = _numbers(n, "base_values")
    if not base:
        return scores
    if len(base) not in (1, scores.shape[1]):
        n.fail(f"{len(base)} base_values for {scores.shape[1]} targets")
    return n.add(scores, n.constant(np.array(base, scores.dtype)))


@converter("TreeEnsembleRegressor", domain=DOMAIN)
def _regressor(n: Node, x: Value) -> Value:
    x = _rows(n, x)
    # Weights that are doubles are added up as doubles.
    wide = np.float64 if n.has("target_weights_as_tensor") or x.element == f64 else np.float32
    y = summed(n, x, _forest(n, "target"), n.int("n_targets", 1), n.str("aggregate_function", "SUM"), wide)
    return n.cast(transformed(n, _with_base(n, y), n.str("post_transform", "NONE")), element_type_of(np.dtype(np.float32)))


@converter("TreeEnsembleClassifier", domain=DOMAIN)
def _classifier(n: Node, x: Value) -> Sequence[Value]:
    """(labels [N], scores [N, classes]). Of two classes the trees may give the score of one alone."""
    x, forest, labels = _rows(n, x), _forest(n, "class"), class_labels(n)
    post, wide = n.str("post_transform", "NONE"), np.float64 if n.has("class_weights_as_tensor") or x.element == f64 else np.float32
    f32 = element_type_of(np.dtype(np.float32))
    ids = {target for _, target, _ in forest.weights}
    if len(labels) != 2 or len(ids) != 1:
        scores = _with_base(n, summed(n, x, forest, len(labels), "SUM", wide))
        places = n.op(nn.ArgmaxOp, scores, axis=1, keepdims=False)
        return labelled(n, places, labels), n.cast(transformed(n, scores, post), f32)
    forest.weights = [(leaf, 0, weight) for leaf, _, weight in forest.weights]
    score = summed(n, x, forest, 1, "SUM", wide)
    base = _numbers(n, "base_values")
    if base:
        score = n.add(score, n.like(base[-1], score))
    positive = all(weight >= 0 for _, _, weight in forest.weights)
    above = n.op(nn.GtOp, n.reshape(score, (x.shape[0],)), n.like(0.5 if positive else 0, score))
    places = n.cast(above, I64)
    rest = n.sub(n.like(1, score), score) if positive and post != "LOGISTIC" else n.op(nn.NegOp, score)
    pair = [n.op(nn.SigmoidOp, p) for p in (rest, score)] if post == "LOGISTIC" else [rest, score]
    if post == "PROBIT":
        pair = [transformed(n, p, post) for p in pair]
    return labelled(n, places, labels), n.cast(n.op(nn.ConcatOp, *pair, axis=1), f32)
