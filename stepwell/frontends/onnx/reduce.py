"""ONNX reductions, positions of extremes, running sums. The axes moved from an attribute to an input in opset 13 (sum) and 18 (the others)."""

from __future__ import annotations

from functools import partial

from stepwell.dialects.nn import reduce, unary
from stepwell.dialects.nn.base import NnOp
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter


def _axes(n: Node, x: Value, given: Value | None) -> list[int]:
    """The axes to reduce; none given means all, unless `noop_with_empty_axes`."""
    axes = n.known_ints(given, "axes") if given is not None else n.ints("axes", ())
    axes = [n.axis(a, x.rank) for a in axes]
    return axes or ([] if n.int("noop_with_empty_axes") else list(range(x.rank)))


def _reduce(op_class: type[NnOp], n: Node, x: Value, axes: Value | None = None) -> Value:
    return n.op(op_class, x, axes=_axes(n, x, axes), keepdims=bool(n.int("keepdims", 1)))


for _name, _op in {
    "ReduceL1": reduce.ReduceL1Op,
    "ReduceL2": reduce.ReduceL2Op,
    "ReduceLogSumExp": reduce.ReduceLogSumExpOp,
    "ReduceMax": reduce.ReduceMaxOp,
    "ReduceMean": reduce.ReduceMeanOp,
    "ReduceMin": reduce.ReduceMinOp,
    "ReduceProd": reduce.ReduceProdOp,
    "ReduceSum": reduce.ReduceSumOp,
    "ReduceSumSquare": reduce.ReduceSumSquareOp,
}.items():
    converter(_name)(partial(_reduce, _op))


@converter("ReduceLogSum")
def _reduce_log_sum(n: Node, x: Value, axes: Value | None = None) -> Value:
    return n.op(unary.LogOp, _reduce(reduce.ReduceSumOp, n, x, axes))


def _arg(op_class: type[NnOp], n: Node, x: Value) -> Value:
    axis = n.axis(n.int("axis", 0), x.rank)
    return n.op(op_class, x, axis=axis, keepdims=bool(n.int("keepdims", 1)), select_last=bool(n.int("select_last_index")))


converter("ArgMax")(partial(_arg, reduce.ArgmaxOp))
converter("ArgMin")(partial(_arg, reduce.ArgminOp))


@converter("CumSum")
def _cumsum(n: Node, x: Value, axis: Value) -> Value:
    which = n.axis(n.known_int(axis, "axis"), x.rank)
    return n.op(reduce.CumsumOp, x, axis=which, exclusive=bool(n.int("exclusive")), reverse=bool(n.int("reverse")))
