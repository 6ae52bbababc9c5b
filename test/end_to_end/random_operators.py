"""Templates of nodes for `random_models`: each adds one operator, with operands that suit it, to a graph, or raises Refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from random_models import ALL, FLOATS, INTEGERS, NUMBERS, SIGNED, UNSIGNED, Graph, Refused
from random_operators_layers import LAYER_TEMPLATES
from random_operators_more import MORE_TEMPLATES
from random_operators_wide import WIDE_TEMPLATES

Template = Callable[[Graph], None]

ROUNDING = ("Floor", "Ceil", "Round", "Sign", "IsNaN", "IsInf")
SMOOTH = (
    ("Sigmoid", 7),
    ("Tanh", 7),
    ("Exp", 7),
    ("Sin", 7),
    ("Cos", 7),
    ("Atan", 7),
    ("Softplus", 7),
    ("Softsign", 7),
    ("Elu", 7),
    ("Selu", 7),
    ("HardSigmoid", 7),
    ("LeakyRelu", 7),
    ("ThresholdedRelu", 10),
    ("Erf", 9),
    ("Sinh", 9),
    ("Cosh", 9),
    ("Asinh", 9),
    ("Celu", 12),
    ("HardSwish", 14),
    ("Mish", 18),
    ("Gelu", 20),
    ("Swish", 24),
    ("Shrink", 9),
)


def smooth(g: Graph) -> None:
    """Functions of one number."""
    name, since = g.pick(SMOOTH)
    g.since(since)
    x = g.some(FLOATS, exact=name in ("ThresholdedRelu", "Shrink"))
    alpha = (
        g.integer(1, 8) / 4
        if g.chance(40) and name in ("Elu", "Selu", "HardSigmoid", "LeakyRelu", "ThresholdedRelu", "Celu", "Swish")
        else None
    )
    more = {"approximate": "tanh"} if name == "Gelu" and g.chance(50) else {"lambd": 1.0, "bias": 0.5} if name == "Shrink" else {}
    g.add(name, [x], alpha=alpha, exact=False, **more)


def bounded(g: Graph) -> None:
    """Functions that are not defined everywhere."""
    name, low, high = g.pick(
        (
            ("Sqrt", 0.125, 4),
            ("Log", 0.25, 4),
            ("Reciprocal", 0.5, 4),
            ("Asin", -0.875, 0.875),
            ("Acos", -0.875, 0.875),
            ("Atanh", -0.75, 0.75),
            ("Acosh", 1.25, 4),
            ("Tan", -1, 1),
        )
    )
    if name in ("Atanh", "Acosh"):
        g.since(9)
    g.add(name, [g.new(g.pick(FLOATS), g.shape(), low, high, constant=False)], exact=False)


def simple(g: Graph) -> None:
    """Functions of one number that round nothing."""
    name, dtypes = g.pick(
        (
            ("Neg", FLOATS + SIGNED),
            ("Abs", NUMBERS),
            ("Relu", FLOATS + SIGNED),
            ("Identity", ALL),
            ("Not", ("bool",)),
            ("BitwiseNot", INTEGERS),
        )
    )
    g.add(name, [g.some(dtypes)])


def rounding(g: Graph) -> None:
    """Steps."""
    g.add(g.pick(ROUNDING), [g.some(FLOATS, exact=True)])


def arithmetic(g: Graph) -> None:
    """Two operands that broadcast."""
    name = g.pick(("Add", "Sub", "Mul", "Div", "PRelu", "Mod", "Pow"))
    a = g.some(NUMBERS, exact=name == "Mod")
    if name in ("Div", "Mod"):
        b = g.partner(a, 1, 4)
        if name == "Mod" and a.dtype in FLOATS:
            g.add(name, [a, b], fmod=1)
        else:
            g.add(name, [a, b], exact=None if a.dtype not in FLOATS else False)
    elif name == "Pow":
        a = g.new(g.pick(("float32", "float64", "int32", "int64", "float16")), g.shape(), 0.5 if g.chance(50) else 1, 3, constant=False)
        g.add(name, [a, g.partner(a, 0, 3)], exact=False)
    else:
        g.add(name, [a, g.partner(a)])


def bit_shift(g: Graph) -> None:
    """Shifts by less than the width."""
    a = g.some(UNSIGNED)
    g.add("BitShift", [a, g.new(a.dtype, a.shape, 0, 7)], direction=g.pick(("LEFT", "RIGHT")))


def variadic(g: Graph) -> None:
    """Any number of operands."""
    name = g.pick(("Max", "Min", "Sum", "Mean"))
    a = g.some(NUMBERS if name in ("Max", "Min") else FLOATS)
    others = [g.partner(a) for _ in range(g.integer(0, 3))]
    g.add(name, [a, *others], exact=False if name == "Mean" else None)


def comparison(g: Graph) -> None:
    """Two numbers in, a truth out."""
    name = g.pick(("Less", "Greater", "Equal", "LessOrEqual", "GreaterOrEqual"))
    a = g.some(ALL if name == "Equal" else NUMBERS, exact=True)
    b = g.partner(a)
    if not b.exact:
        raise Refused
    g.add(name, [a, b])


def logic(g: Graph) -> None:
    """Truths and bits."""
    if g.chance(50):
        a = g.some(("bool",))
        g.add(g.pick(("And", "Or", "Xor")), [a, g.partner(a)])
    else:
        a = g.some(INTEGERS)
        g.add(g.pick(("BitwiseAnd", "BitwiseOr", "BitwiseXor")), [a, g.partner(a)])


def where(g: Graph) -> None:
    """A choice."""
    g.since(9)
    a = g.some(ALL)
    condition = g.new("bool", [1 if g.chance(30) else e for e in a.shape])
    g.add("Where", [condition, a, g.partner(a)])


def clip(g: Graph) -> None:
    """Bounds as attributes, and later as operands."""
    x = g.some(NUMBERS)
    if g.opset < 11:
        g.add("Clip", [x], min=-1.5 if g.chance(70) else None, max=2.5 if g.chance(70) else None)
    else:
        low = g.new(x.dtype, (), -2, 1) if g.chance(70) else None
        high = g.new(x.dtype, (), 1, 3) if g.chance(70) else None
        g.add("Clip", [x, low, high] if high else [x, low] if low else [x])


def cast(g: Graph) -> None:
    """Between types whose meaning the standard gives: no overflow from floats."""
    from onnx import helper

    x = g.some(ALL, exact=True)
    to = g.pick(ALL)
    if x.dtype in FLOATS and to in UNSIGNED and x.array.size and x.array.min() < 0:
        raise Refused
    limits = np.iinfo(to) if to in INTEGERS else None
    if x.dtype in FLOATS and limits and x.array.size and not limits.min <= float(x.array.min()) <= float(x.array.max()) <= limits.max:
        raise Refused
    if g.opset >= 15 and g.chance(30):
        g.add("CastLike", [x, g.new(to, (1,))])
    else:
        g.add("Cast", [x], to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def reduce(g: Graph) -> None:
    """Reductions over some axes, of empty tensors as well."""
    name = g.pick(
        (
            "ReduceSum",
            "ReduceMax",
            "ReduceMin",
            "ReduceMean",
            "ReduceProd",
            "ReduceSumSquare",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSumExp",
            "ReduceLogSum",
        )
    )
    x = g.some(
        ("float32", "float64", "int32", "int64", "float16", "bfloat16", "int8", "uint8"),
        filled=name in ("ReduceMax", "ReduceMin", "ReduceMean"),
    )
    if name == "ReduceLogSum" and x.array.size and float(x.array.min()) <= 0:
        raise Refused
    axes = sorted({g.axis(x.rank) for _ in range(g.integer(0, 2))}) if x.rank else []
    if len({a % x.rank for a in axes}) < len(axes):
        raise Refused
    as_input = g.opset >= (13 if name == "ReduceSum" else 18)
    keepdims = g.integer(0, 1) if g.chance(60) else None
    if as_input:
        noop = 1 if g.chance(15) else None
        operands = [x, g.ints(axes)] if axes or g.chance(20) else [x]
        g.add(
            name,
            operands,
            keepdims=keepdims,
            noop_with_empty_axes=noop,
            exact=None if name in ("ReduceMax", "ReduceMin", "ReduceSum") else False,
        )
    else:
        g.add(name, [x], keepdims=keepdims, axes=axes or None, exact=None if name in ("ReduceMax", "ReduceMin", "ReduceSum") else False)


def extreme(g: Graph) -> None:
    """Where the largest is."""
    x = g.some(("float32", "float64", "int32", "int64", "float16", "int8", "uint8"), (1, 2, 3, 4), exact=True, filled=True)
    last = g.integer(0, 1) if g.opset >= 12 and g.chance(50) else None
    g.add(g.pick(("ArgMax", "ArgMin")), [x], axis=g.axis(x.rank), keepdims=g.integer(0, 1), select_last_index=last)


def top_k(g: Graph) -> None:
    """The largest in order."""
    g.since(10)
    x = g.some(("float32", "float64", "int64", "int32", "float16"), (1, 2, 3), exact=True, filled=True)
    axis = g.axis(x.rank)
    k = g.integer(1, x.shape[axis])
    values = g.put(np.argsort(np.argsort(x.array, axis, "stable"), axis).astype(x.array.dtype), constant=False)  # no two alike
    more = {"largest": g.integer(0, 1)} if g.opset >= 11 else {}
    g.add("TopK", [values, g.ints([k])], 2, axis=axis, **more)


def cumulate(g: Graph) -> None:
    """Running sums."""
    g.since(11)
    x = g.some(("float32", "float64", "int32", "int64"), (1, 2, 3))
    axis = g.put(np.array(g.axis(x.rank), g.pick(("int64", "int32"))))
    g.add("CumSum", [x, axis], exclusive=g.integer(0, 1), reverse=g.integer(0, 1))


def softmax(g: Graph) -> None:
    """Rows that sum to one."""
    name = g.pick(("Softmax", "LogSoftmax", "Hardmax", "LpNormalization"))
    x = g.some(("float32", "float64", "float16", "bfloat16"), (1, 2, 3, 4), exact=name == "Hardmax", filled=True)
    if name == "LpNormalization":
        x = g.new(x.dtype, x.shape, 0.5, 4, constant=False)
        g.add(name, [x], axis=g.axis(x.rank), p=g.integer(1, 2), exact=False)
        return
    axis = g.axis(x.rank) if g.chance(70) else None
    g.add(name, [x], axis=axis, exact=False)


TEMPLATES: tuple[Template, ...] = (
    arithmetic,
    smooth,
    simple,
    bounded,
    rounding,
    bit_shift,
    variadic,
    comparison,
    logic,
    where,
    clip,
    cast,
    reduce,
    reduce,
    extreme,
    top_k,
    cumulate,
    softmax,
    *MORE_TEMPLATES,
    *LAYER_TEMPLATES,
)
"""What matters more stands there more often."""

EDITIONS: tuple[tuple[Template, ...], ...] = (TEMPLATES, (*TEMPLATES, *WIDE_TEMPLATES, *WIDE_TEMPLATES))
"""What a seed draws from depends on its edition, so that seeds of old keep their graphs."""
