"""ai.onnx.ml operators of a few steps: linear models, scaling, encoding of numbers, and what is put in place of missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from xdsl.dialects.builtin import f32

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.scores import DOMAIN, class_labels, labelled, transformed
from stepwell.ir.constants import Array, element_type_of

MAX_KEYS = 2**16
I64 = element_type_of(np.dtype(np.int64))


def _rows(n: Node, x: Value) -> Value:
    """[N, F] in f32."""
    if x.rank not in (1, 2):
        n.fail(f"its operand has shape {list(x.shape)}, not [rows, features]")
    return n.cast(n.reshape(x, (1, x.shape[0])) if x.rank == 1 else x, f32)


def _linear(n: Node, x: Value, targets: int) -> Value:
    weights, offsets = n.floats("coefficients"), n.floats("intercepts")
    if len(weights) != targets * x.shape[1] or len(offsets) not in (0, targets):
        n.fail(f"{len(weights)} coefficients and {len(offsets)} intercepts do not fit {x.shape[1]} features and {targets} targets")
    matrix = np.ascontiguousarray(np.array(weights, np.float32).reshape(targets, x.shape[1]).T)
    y = n.op(nn.MatmulOp, x, n.constant(matrix))
    return n.add(y, n.constant(np.array(offsets, np.float32))) if offsets else y


@converter("LinearRegressor", domain=DOMAIN)
def _linear_regressor(n: Node, x: Value) -> Value:
    return transformed(n, _linear(n, _rows(n, x), n.int("targets", 1)), n.str("post_transform", "NONE"))


@converter("LinearClassifier", domain=DOMAIN)
def _linear_classifier(n: Node, x: Value) -> Sequence[Value]:
    """(labels [N], scores [N, classes]). One row of coefficients for two classes scores the second.

    What is left to the first is 1 - s without a transform and -s before one, as ONNX Runtime has it; the standard does not say.
    """
    x, labels, post = _rows(n, x), class_labels(n, "classlabels_ints"), n.str("post_transform", "NONE")
    count = len(n.floats("coefficients")) // max(x.shape[1], 1)
    scores = _linear(n, x, count)
    if count == 1 and len(labels) == 2:
        places = n.cast(n.op(nn.GtOp, n.reshape(scores, (x.shape[0],)), n.like(0, scores)), I64)
        rest = n.sub(n.like(1, scores), scores) if post == "NONE" else n.op(nn.NegOp, scores)
        return labelled(n, places, labels), transformed(n, n.op(nn.ConcatOp, rest, scores, axis=1), post)
    if count != len(labels) or count == 1:
        n.unsupported(f"{count} rows of coefficients for {len(labels)} classes")
    places = n.op(nn.ArgmaxOp, scores, axis=1, keepdims=False)
    return labelled(n, places, labels), transformed(n, scores, post)


@converter("Scaler", domain=DOMAIN)
def _scaler(n: Node, x: Value) -> Value:
    """(x - offset) scale, for each feature or for all."""
    y = n.cast(x, f32)
    lists = [n.floats("offset"), n.floats("scale")]
    if any(values and len(values) not in (1, x.shape[-1] if x.rank else 1) for values in lists):
        n.fail(f"{len(lists[0])} offsets and {len(lists[1])} scales do not fit an operand of shape {list(x.shape)}")
    if lists[0]:
        y = n.sub(y, n.constant(np.array(lists[0], np.float32)))
    return n.mul(y, n.constant(np.array(lists[1], np.float32))) if lists[1] else y


@converter("Normalizer", domain=DOMAIN)
def _normalizer(n: Node, x: Value) -> Value:
    """Rows over their largest element, the sum of their magnitudes, or their length; rows of zeros stay."""
    x, norm = _rows(n, x), n.str("norm", "MAX")
    kinds: dict[str, Any] = {"MAX": nn.ReduceMaxOp, "L1": nn.ReduceL1Op, "L2": nn.ReduceL2Op}
    if norm not in kinds:
        n.fail(f"its norm is {norm!r}", hint=f"it may be {', '.join(kinds)}")
    size = n.op(kinds[norm], x, axes=[1], keepdims=True)
    return n.div(x, n.op(nn.SelectOp, n.op(nn.EqOp, size, n.like(0, size)), n.like(1, size), size))


@converter("Imputer", domain=DOMAIN)
def _imputer(n: Node, x: Value) -> Value:
    """Another value for what is missing, for each feature or for all; what is no number can be missing."""
    whole = not is_float(x.element)
    values = n.ints("imputed_value_int64s", ()) if whole else n.floats("imputed_value_floats")
    missing: float = n.int("replaced_value_int64") if whole else n.float("replaced_value_float")
    if len(values) not in (1, x.shape[-1] if x.rank else 1):
        n.fail(f"{len(values)} values do not fit an operand of shape {list(x.shape)}")
    is_missing = n.op(nn.IsNanOp, x) if missing != missing else n.op(nn.EqOp, x, n.like(missing, x))
    return n.op(nn.SelectOp, is_missing, n.constant(np.array(values, x.dtype)), x)


@converter("FeatureVectorizer", domain=DOMAIN)
def _feature_vectorizer(n: Node, *parts: Value) -> Value:
    """Features side by side; each part has as many as the node says, cut off or filled up with zeros."""
    widths = n.ints("inputdimensions", ())
    rows = [_rows(n, part) for part in parts]
    if widths and len(widths) != len(rows):
        n.fail(f"{len(widths)} inputdimensions for {len(rows)} inputs")
    fitted: list[Value] = []
    for row, width in zip(rows, widths or [row.shape[1] for row in rows], strict=True):
        if width < 0 or width > 2**20:
            n.fail(f"an input cannot have {width} features")
        if width < row.shape[1]:
            row = n.op(nn.SliceOp, row, starts=[0, 0], ends=[row.shape[0], width], steps=[1, 1])
        fitted.append(n.op(nn.PadOp, row, low=[0, 0], high=[0, width - row.shape[1]]) if width > row.shape[1] else row)
    return fitted[0] if len(fitted) == 1 else n.op(nn.ConcatOp, *fitted, axis=1)


@converter("OneHotEncoder", domain=DOMAIN)
def _one_hot_encoder(n: Node, x: Value) -> Value:
    """A new last axis with a 1 where the category is."""
    categories = n.ints("cats_int64s", ())
    if not categories or len(categories) > MAX_KEYS:
        n.unsupported(f"{len(categories)} categories that are integers")
    found = n.op(nn.EqOp, n.reshape(n.cast(x, I64), (*x.shape, 1)), n.constant(np.array(categories, np.int64)))
    return n.cast(found, f32)


# ---- labels -----------------------------------------------------------------------------------------------------------------------------


@converter("LabelEncoder", domain=DOMAIN)
def _label_encoder(n: Node, x: Value) -> Value:
    """Numbers to numbers: each is compared with all keys. The first key that fits counts, and what is no number equals itself."""
    keys, values = _numbers(n, "keys"), _numbers(n, "values")
    if keys is None or values is None:
        n.unsupported("keys or values that are strings")
    if len(keys) != len(values) or len(keys) > MAX_KEYS or not len(keys):
        n.fail(f"{len(keys)} keys have {len(values)} values")
    default: Any = n.tensor("default_tensor")
    if default is None:
        default = n.float("default_float", -0.0) if values.dtype.kind == "f" else n.int("default_int64", -1)
    elif default.size != 1:
        n.fail(f"its default_tensor has {default.size} elements, not one")
    wide = n.reshape(x, (*x.shape, 1))
    found = n.op(nn.EqOp, wide, n.constant(keys.astype(x.dtype)))
    if keys.dtype.kind == "f" and is_float(x.element) and np.isnan(keys).any():
        found = n.op(nn.OrOp, found, n.op(nn.AndOp, n.op(nn.IsNanOp, wide), n.constant(np.isnan(keys))))
    number = n.cast(found, element_type_of(np.dtype(np.int32)))
    last = x.rank
    value = n.op(nn.GatherOp, n.constant(values), n.op(nn.ArgmaxOp, number, axis=last, keepdims=False), axis=0)
    known = n.op(nn.ReduceMaxOp, found, axes=[last], keepdims=False)
    return n.op(nn.SelectOp, known, value, n.like(np.asarray(default).reshape(())[()], value))


def _numbers(n: Node, prefix: str) -> Array | None:
    """The keys or values, if they are numbers."""
    if n.has(f"{prefix}_tensor"):
        if n.attributes[f"{prefix}_tensor"].t.data_type == TensorProto.STRING:
            return None
        tensor = n.tensor(f"{prefix}_tensor")
        return None if tensor is None else np.ascontiguousarray(tensor.reshape(-1))
    if n.has(f"{prefix}_int64s"):
        return np.array(n.ints(f"{prefix}_int64s"), np.int64)
    return np.array(n.floats(f"{prefix}_floats"), np.float32) if n.has(f"{prefix}_floats") else None


# ---- support vectors --------------------------------------------------------------------------------------------------------------------


def _kernel(n: Node, x: Value, vectors: Array) -> Value:
    """K(row, support vector) for all of both: [N, F] and [S, F] -> [N, S]."""
    kind = n.str("kernel_type", "LINEAR")
    gamma, offset, degree = n.floats("kernel_params") or (0.0, 0.0, 3.0)
    if kind == "RBF":
        # Differences rather than |x|^2 - 2 x v + |v|^2: near a support vector those cancel.
        gap = n.sub(n.reshape(x, (x.shape[0], 1, x.shape[1])), n.constant(vectors[None]))
        distance = n.op(nn.ReduceSumOp, n.mul(gap, gap), axes=[2], keepdims=False)
        return n.op(nn.ExpOp, n.mul(distance, n.like(-gamma, x)))
    product = n.op(nn.MatmulOp, x, n.constant(np.ascontiguousarray(vectors.T)))
    if kind == "LINEAR":
        return product
    product = n.add(n.mul(product, n.like(gamma, x)), n.like(offset, x))
    if kind == "SIGMOID":
        return n.op(nn.TanhOp, product)
    return n.op(nn.PowOp, product, n.like(degree, x)) if kind == "POLY" else n.unsupported(f"the kernel {kind!r}")


@converter("SVMRegressor", domain=DOMAIN)
def _svm_regressor(n: Node, x: Value) -> Value:
    """[N, 1]: the sum over support vectors of coefficient K(row, vector), plus rho; without vectors, of coefficient x."""
    x = _rows(n, x)
    count, weights, rho = n.int("n_supports"), n.floats("coefficients"), n.floats("rho")
    vectors = np.array(n.floats("support_vectors"), np.float32)
    if n.has("kernel_params") and len(n.floats("kernel_params")) != 3:
        n.fail(f"kernel_params has {len(n.floats('kernel_params'))} numbers, not three")
    if len(rho) < 1 or len(weights) != (count or x.shape[1]) or (count and vectors.size != count * x.shape[1]):
        n.fail(f"{len(weights)} coefficients and {vectors.size} numbers of {count} support vectors do not fit {x.shape[1]} features")
    seen = _kernel(n, x, vectors.reshape(count, x.shape[1])) if count else x
    y = n.add(n.op(nn.MatmulOp, seen, n.constant(np.array(weights, np.float32).reshape(-1, 1))), n.like(rho[0], x))
    if n.int("one_class"):
        return n.op(nn.SelectOp, n.op(nn.GtOp, y, n.like(0, y)), n.like(1, y), n.like(-1, y))
    return transformed(n, y, n.str("post_transform", "NONE"))
