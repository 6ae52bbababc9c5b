# ruff: noqa: E501
"""One table of cases for every `nn` op: operands, attributes, and the ONNX node that means the same where there is one.

The tests of the reference meaning hold `evaluate` against ONNX's own reference, or against the formula given here; the tests of the lowering hold the
lowered kernel against `evaluate`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ml_dtypes import bfloat16

from stepwell.dialects import nn
from stepwell.dialects.nn import NnOp
from stepwell.ir.constants import element_type_of, tensor_type, type_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Case:
    """An op on arrays. `shape` and `dtype` of the result for ops whose result type is given."""

    op: type[NnOp]
    arrays: Sequence[Array]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    onnx: str | None = None
    onnx_attributes: Mapping[str, Any] = field(default_factory=dict)
    onnx_operands: Callable[[Sequence[Array]], Sequence[Array | None]] = lambda arrays: list(arrays)
    expected: Callable[..., Any] | None = None
    tolerance: float = 2e-6
    note: str = ""

    @property
    def name(self) -> str:
        shapes = "_".join("x".join(map(str, a.shape)) or "scalar" for a in self.arrays[:2])
        return "-".join(p for p in (self.op.name[3:], str(self.arrays[0].dtype) if self.arrays else "", shapes, self.note) if p)

    def make(self) -> tuple[NnOp, NnOp]:
        """The op on test operands, and the holder of those operands."""
        from xdsl.ir import Block

        block = Block(arg_types=[type_of(a) for a in self.arrays])
        attributes = dict(self.attributes)
        op = self.op.make(*block.args, **attributes)
        block.add_op(op)
        return op, block  # type: ignore[return-value]


def _rng(*key: Any) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def f(*shape: int, dtype: Any = np.float32, low: float = -3, high: float = 3) -> Array:
    """Floats that are multiples of 1/16, so that sums and products of a few are exact."""
    values = _rng("f", shape, low, high).integers(round(low * 16), round(high * 16) + 1, shape)
    return np.asarray(values / 16).astype(dtype)


def special(dtype: Any = np.float32) -> Array:
    """Every kind of float."""
    return np.array([0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -1.5, 3.0, -3.0, 100.0, -100.0, np.inf, -np.inf, np.nan], dtype)


def i(*shape: int, dtype: Any = np.int32, low: int = -9, high: int = 9) -> Array:
    return np.asarray(_rng("i", shape, low, high).integers(low, high + 1, shape)).astype(dtype)


def b(*shape: int) -> Array:
    return np.asarray(_rng("b", shape).integers(0, 2, shape)).astype(np.bool_)


def nonzero(x: Array) -> Array:
    return np.where(x == 0, x.dtype.type(3), x)


HALVES = (np.float16, bfloat16)
FLOATS = (np.float32, np.float64, *HALVES)
CASES: list[Case] = []


def case(op: type[NnOp], *arrays: Array, onnx: str | None = None, **rest: Any) -> None:
    known = ("onnx_attributes", "onnx_operands", "expected", "tolerance", "note")
    extra = {k: rest.pop(k) for k in known if k in rest}
    CASES.append(Case(op, arrays, rest, onnx, **extra))


def result(shape: Sequence[int], dtype: Any) -> Any:
    return tensor_type(tuple(shape), element_type_of(np.dtype(dtype)))


# ---- unary ------------------------------------------------------------------------------------------------------------------------

_UNARY: dict[type[NnOp], str | None] = {
    nn.ExpOp: "Exp",
    nn.SinOp: "Sin",
    nn.CosOp: "Cos",
    nn.TanOp: "Tan",
    nn.AtanOp: "Atan",
    nn.SinhOp: "Sinh",
    nn.CoshOp: "Cosh",
    nn.TanhOp: "Tanh",
    nn.AsinhOp: "Asinh",
    nn.ErfOp: "Erf",
    nn.SigmoidOp: "Sigmoid",
    nn.ReluOp: "Relu",
    nn.LeakyReluOp: "LeakyRelu",
    nn.EluOp: "Elu",
    nn.SeluOp: "Selu",
    nn.CeluOp: "Celu",
    nn.GeluOp: "Gelu",
    nn.MishOp: "Mish",
    nn.SoftplusOp: "Softplus",
    nn.SoftsignOp: "Softsign",
    nn.HardSigmoidOp: "HardSigmoid",
    nn.HardSwishOp: "HardSwish",
    nn.ThresholdedReluOp: "ThresholdedRelu",
    nn.CeilOp: "Ceil",
    nn.FloorOp: "Floor",
    nn.RoundOp: "Round",
    nn.SignOp: "Sign",
    nn.AbsOp: "Abs",
    nn.NegOp: "Neg",
}
for _op, _onnx in _UNARY.items():
    case(_op, f(3, 5), onnx=_onnx)
    case(_op, special(), note="special", onnx=_onnx)
    for _dtype in HALVES:
        case(_op, f(4, dtype=_dtype))
case(nn.StopGradientOp, f(3, 5), expected=lambda x: x)
case(nn.RecomputeOp, f(3, 5), expected=lambda x: x)
case(nn.SiluOp, f(3, 5), expected=lambda x: x / (1 + np.exp(-x)))
case(nn.LeakyReluOp, f(7), alpha=0.25, onnx="LeakyRelu", onnx_attributes={"alpha": 0.25}, note="alpha")
case(nn.EluOp, f(7), alpha=0.25, onnx="Elu", onnx_attributes={"alpha": 0.25}, note="alpha")
case(nn.CeluOp, f(7), alpha=2.0, onnx="Celu", onnx_attributes={"alpha": 2.0}, note="alpha")
case(nn.HardSigmoidOp, f(7), alpha=0.5, beta=0.25, onnx="HardSigmoid", onnx_attributes={"alpha": 0.5, "beta": 0.25}, note="alpha")
case(nn.GeluOp, f(7), approximate="tanh", onnx="Gelu", onnx_attributes={"approximate": "tanh"}, note="tanh")
for _op, _onnx in ((nn.LogOp, "Log"), (nn.SqrtOp, "Sqrt"), (nn.ReciprocalOp, "Reciprocal")):
    case(_op, f(3, 5, low=0.125, high=9), onnx=_onnx)
    case(_op, special(), note="special", onnx=_onnx)
case(nn.RsqrtOp, f(3, 5, low=0.125, high=9), expected=lambda x: 1 / np.sqrt(x))
for _op, _onnx in ((nn.AsinOp, "Asin"), (nn.AcosOp, "Acos"), (nn.AtanhOp, "Atanh")):
    case(_op, f(3, 5, low=-0.9, high=0.9), onnx=_onnx)
case(nn.AcoshOp, f(3, 5, low=1, high=9), onnx="Acosh")
for _dtype in (np.int8, np.int32, np.int64):
    for _op, _onnx in ((nn.AbsOp, "Abs"), (nn.NegOp, "Neg"), (nn.SignOp, "Sign"), (nn.BitwiseNotOp, "BitwiseNot")):
        case(_op, i(2, 5, dtype=_dtype), onnx=_onnx)
case(nn.ReluOp, i(6), onnx="Relu")
for _dtype in (np.uint8, np.uint32):
    case(nn.AbsOp, i(6, dtype=_dtype, low=0, high=200), onnx="Abs")
    case(nn.SignOp, i(6, dtype=_dtype, low=0, high=200), onnx="Sign")
    case(nn.ReluOp, i(6, dtype=_dtype, low=0, high=200), expected=lambda x: x)
    case(nn.BitwiseNotOp, i(6, dtype=_dtype, low=0, high=200), onnx="BitwiseNot")
case(nn.NotOp, b(2, 5), onnx="Not")
case(nn.IsNanOp, special(), onnx="IsNaN")
for _n, _p in ((0, 0), (0, 1), (1, 0), (1, 1)):
    flags = {"detect_negative": _n, "detect_positive": _p}
    case(nn.IsInfOp, special(), onnx="IsInf", onnx_attributes=flags, note=f"{_n}{_p}", **{k: bool(v) for k, v in flags.items()})
case(nn.ClipOp, f(3, 5), min=-1.0, max=2.0, onnx="Clip", onnx_operands=lambda a: [a[0], np.float32(-1), np.float32(2)])
case(nn.ClipOp, special(), min=-1.0, max=2.0, note="special", expected=lambda x: np.minimum(np.maximum(x, -1), 2))
case(nn.ClipOp, f(4, dtype=np.float16), max=2.0, note="max", expected=lambda x: np.minimum(x, np.float16(2)))
case(nn.ClipOp, i(9, dtype=np.int8), min=-2.5, max=1000.0, expected=lambda x: np.maximum(x, np.int8(-2)))
case(nn.ClipOp, i(9, dtype=np.uint8, low=0, high=255), min=10.0, max=200.0, expected=lambda x: np.clip(x, 10, 200))
_KINDS = (np.float32, np.float64, np.float16, bfloat16, np.int8, np.int32, np.int64, np.uint8, np.uint32, np.bool_)
for _from in _KINDS:
    for _to in _KINDS:
        if _from is not _to:
            _signed = np.dtype(_from).kind != "u" and np.dtype(_to).kind != "u"
            _x = b(5) if _from is np.bool_ else f(5, low=-9 if _signed else 0, high=9).astype(_from)
            case(
                nn.CastOp,
                _x,
                result_type=result((5,), _to),
                expected=lambda x, to=_to: x != 0 if to is np.bool_ else x.astype(to),
                note=np.dtype(_to).name,
            )
case(
    nn.CastOp,
    i(5, dtype=np.uint8, low=128, high=255),
    result_type=result((5,), np.int32),
    expected=lambda x: x.astype(np.int32),
    note="high",
)
case(
    nn.CastOp,
    i(5, dtype=np.uint8, low=128, high=255),
    result_type=result((5,), np.float32),
    expected=lambda x: x.astype(np.float32),
    note="high",
)

# ---- binary -----------------------------------------------------------------------------------------------------------------------


def _truncated(a: Array, b: Array) -> Array:
    return np.array([[int(abs(x) // abs(y)) * (-1 if (x < 0) != (y < 0) else 1) for y in b.tolist()] for x in a[:, 0].tolist()])


for _op, _onnx in ((nn.AddOp, "Add"), (nn.SubOp, "Sub"), (nn.MulOp, "Mul"), (nn.DivOp, "Div"), (nn.MaxOp, "Max"), (nn.MinOp, "Min")):
    for _dtype in FLOATS:
        case(_op, f(2, 3, 5, dtype=_dtype), nonzero(f(3, 1, dtype=_dtype)), onnx=_onnx if _dtype is not bfloat16 else None)
    case(_op, special()[:, None], special(), onnx=_onnx, note="special")
    for _dtype in (np.int8, np.int32, np.int64):
        case(
            _op,
            i(4, 1, dtype=_dtype),
            nonzero(i(5, dtype=_dtype, low=-5, high=5)),
            onnx=_onnx if _op is not nn.DivOp else None,
            expected=_truncated if _op is nn.DivOp else None,
        )
    case(_op, i(4, 1, dtype=np.uint8, low=0, high=255), i(5, dtype=np.uint8, low=1, high=255), onnx=_onnx)
case(
    nn.DivOp,
    i(19, low=-9, high=9),
    np.int32(-4) * np.ones(1, np.int32),
    expected=lambda a, b: np.trunc(a / b).astype(np.int32),
    note="trunc",
)
case(nn.AddOp, f(1, 3, 1), f(4, 1, 5), onnx="Add", note="both")
case(nn.AddOp, f(), f(2, 2), onnx="Add", note="scalar")
case(nn.PowOp, f(3, 4, low=0.125), f(4), onnx="Pow", tolerance=1e-5)
case(nn.PowOp, i(3, 4, low=-3, high=3), i(4, low=0, high=5), onnx="Pow")
case(
    nn.PowOp,
    np.array([-1, 1, 2, -1, 3], np.int32),
    np.array([-3, -2, -1, -2, 0], np.int32),
    expected=lambda a, b: np.array([-1, 1, 0, 1, 1]),
    note="negative",
)
case(nn.ModOp, i(6, 1), nonzero(i(7)), onnx="Mod")
case(nn.ModOp, i(6, 1), nonzero(i(7)), fmod=True, onnx="Mod", onnx_attributes={"fmod": 1}, note="fmod")
case(nn.ModOp, i(6, 1, dtype=np.uint8, low=0, high=255), i(7, dtype=np.uint8, low=1, high=255), onnx="Mod")
case(nn.ModOp, f(6, 1), nonzero(f(7)), fmod=True, onnx="Mod", onnx_attributes={"fmod": 1}, note="fmod")
case(nn.ModOp, f(6, 1), nonzero(f(7)), expected=np.mod)
for _op, _onnx in ((nn.AndOp, "And"), (nn.OrOp, "Or"), (nn.XorOp, "Xor")):
    case(_op, b(4, 1), b(3), onnx=_onnx)
for _op, _onnx in ((nn.BitwiseAndOp, "BitwiseAnd"), (nn.BitwiseOrOp, "BitwiseOr"), (nn.BitwiseXorOp, "BitwiseXor")):
    case(_op, i(4, 1), i(3), onnx=_onnx)
    case(_op, i(4, 1, dtype=np.uint8, low=0, high=255), i(3, dtype=np.uint8, low=0, high=255), onnx=_onnx)
for _op, _direction in ((nn.ShiftLeftOp, "LEFT"), (nn.ShiftRightOp, "RIGHT")):
    for _dtype in (np.uint8, np.uint32):
        case(
            _op,
            i(4, 1, dtype=_dtype, low=0, high=255),
            i(3, dtype=_dtype, low=0, high=7),
            onnx="BitShift",
            onnx_attributes={"direction": _direction},
        )
_shifts = np.array([0, 1, 7, 8, 9, 31, 32, 100, -1], np.int32)
case(
    nn.ShiftLeftOp,
    np.int32([[5], [-7]]),
    _shifts,
    note="far",
    expected=lambda a, b: (
        np.array([[0 if not 0 <= s < 32 else int(x) << int(s) for s in b] for x in a[:, 0]]).astype(np.int64).astype(np.int32)
    ),
)
case(
    nn.ShiftRightOp,
    np.int32([[5], [-7]]),
    _shifts,
    note="far",
    expected=lambda a, b: np.array([[int(x) >> (int(s) if 0 <= s < 32 else 40) for s in b] for x in a[:, 0]]),
)
case(
    nn.ShiftRightOp,
    np.uint8([[200], [7]]),
    np.uint8([0, 1, 7, 8, 200]),
    note="far",
    expected=lambda a, b: np.array([[int(x) >> int(s) for s in b] for x in a[:, 0]]),
)
case(nn.PreluOp, f(2, 3, 4), f(3, 1), onnx="PRelu")
for _op, _onnx in ((nn.EqOp, "Equal"), (nn.LtOp, "Less"), (nn.LeOp, "LessOrEqual"), (nn.GtOp, "Greater"), (nn.GeOp, "GreaterOrEqual")):
    case(_op, special()[:, None], special(), onnx=_onnx)
    case(_op, i(4, 1), i(5), onnx=_onnx)
    case(_op, i(4, 1, dtype=np.uint8, low=100, high=255), i(5, dtype=np.uint8, low=0, high=255), onnx=_onnx)
case(nn.NeOp, special()[:, None], special(), expected=np.not_equal)
case(nn.EqOp, b(4, 1), b(3), onnx="Equal")
case(nn.LtOp, b(4, 1), b(3), expected=np.less)
case(nn.SelectOp, b(2, 1), f(2, 3), f(), onnx="Where")
case(nn.SelectOp, b(3), i(2, 1, dtype=np.uint8, low=0, high=255), i(2, 3, dtype=np.uint8, low=0, high=255), onnx="Where")

# ---- matrix products, convolutions, pools -----------------------------------------------------------------------------------------

for _a, _b in (
    ((3, 4), (4, 5)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((4,), (4,)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((2, 3, 4), (4, 2)),
    ((6, 4), (1, 4, 2)),
    ((2, 0), (0, 3)),
):
    case(nn.MatmulOp, f(*_a), f(*_b), onnx="MatMul")
case(nn.MatmulOp, i(3, 4), i(4, 5), onnx="MatMul")


def _of_few_bits(a: Array, weights: Array, scales: Array, zeros: Array) -> Array:
    """A row at a time: the weight of row r stands in part r % H of its byte."""
    blocks, size, parts = a.shape[-3:]
    y = np.zeros((*a.shape[:-3], weights.shape[2]))
    for block, byte, part in np.ndindex(blocks, size, parts):
        number = weights[block, byte].astype(int) // 256 ** (part / parts) % 256 ** (1 / parts) // 1
        y += a[..., block, byte, part, None] * (number - np.broadcast_to(zeros, (blocks, y.shape[-1]))[block]) * scales[block]
    return y.astype(a.dtype)


for _parts in (1, 2, 4):
    case(
        nn.BlockQuantizedMatmulOp,
        f(3, 2, 4, _parts),
        np.random.default_rng(3).integers(0, 256, (2, 4, 5)).astype(np.uint8),
        f(2, 5),
        f(2, 5) if _parts == 2 else f(1, 1),
        expected=_of_few_bits,
        tolerance=2e-4,
    )
for _dtype in (np.float64, *HALVES):
    case(
        nn.MatmulOp,
        f(3, 4, dtype=_dtype),
        f(4, 5, dtype=_dtype),
        expected=lambda a, b: (a.astype(np.float64) @ b.astype(np.float64)).astype(a.dtype),
    )


def _last(a: Array) -> Array:
    return np.moveaxis(a, 1, -1)


def convolution(x: Array, w: Array, *, transpose: bool = False, note: str = "", **attributes: Any) -> None:
    """A convolution in both layouts; `w` is [O, I, kernel...] or [I, O, kernel...]."""
    op = nn.ConvTransposeOp if transpose else nn.ConvOp
    onnx_attributes = {{"groups": "group", "output_pads": "output_padding"}.get(k, k): v for k, v in attributes.items()}
    onnx_attributes["kernel_shape"] = list(w.shape[2:])
    onnx = "ConvTranspose" if transpose else "Conv"
    groups = attributes.get("groups", 1)

    def by_groups(x: Array, w: Array) -> Array:
        """ONNX's reference knows no groups in a transposed convolution: each on its own, without groups, is checked against it."""
        from xdsl.ir import Block

        parts = []
        for a, b in zip(np.split(x, groups, 1), np.split(w, groups, 0), strict=True):
            block = Block(arg_types=[type_of(a), type_of(b)])
            parts.append(op.make(*block.args, **{**attributes, "groups": 1}).evaluate(a, b)[0])
        return np.concatenate(parts, 1)

    if transpose and groups > 1:
        case(op, x, w, expected=by_groups, note=note, **attributes)
    else:
        case(op, x, w, onnx=onnx, onnx_attributes=onnx_attributes, note=note, **attributes)
    weights = np.moveaxis(w, (0, 1), (-2, -1) if transpose else (-1, -2))

    def expected(x: Array, w: Array) -> Array:
        w = np.moveaxis(w, (-2, -1) if transpose else (-1, -2), (0, 1))
        from xdsl.ir import Block

        block = Block(arg_types=[type_of(np.moveaxis(x, -1, 1)), type_of(w)])
        return _last(op.make(*block.args, **attributes).evaluate(np.moveaxis(x, -1, 1), w)[0])

    case(op, _last(x), weights, layout="channels_last", expected=expected, note=note + "last", **attributes)


convolution(f(2, 3, 6, 5), f(4, 3, 3, 2))
convolution(f(1, 3, 9, 8), f(4, 3, 3, 3), strides=[2, 3], dilations=[2, 1], note="strided")
convolution(f(1, 4, 5, 5), f(6, 2, 3, 3), groups=2, note="groups")
convolution(f(1, 4, 5, 5), f(4, 1, 3, 3), groups=4, note="depthwise")
convolution(f(1, 4, 5, 5), f(8, 1, 3, 3), groups=4, note="multiplier")
convolution(f(2, 3, 7), f(4, 3, 3), strides=[2], note="1d")
convolution(f(1, 2, 4, 5, 3), f(3, 2, 2, 2, 2), note="3d")
convolution(f(1, 3, 5, 6), f(4, 3, 3, 3), pads=[1, 0, 2, 1], note="pads")
convolution(f(1, 3, 4, 5), f(3, 2, 2, 3), transpose=True, strides=[2, 3], note="tiles")
convolution(f(1, 4, 4, 5), f(4, 2, 2, 3), transpose=True, strides=[2, 3], groups=2, note="tilegroups")
convolution(f(1, 3, 4, 5), f(3, 2, 3, 3), transpose=True, note="plain")
convolution(f(1, 3, 4, 5), f(3, 2, 3, 3), transpose=True, strides=[2, 2], pads=[1, 0, 1, 2], output_pads=[1, 1], note="pads")
convolution(f(1, 4, 4, 4), f(4, 3, 3, 3), transpose=True, strides=[2, 1], dilations=[1, 2], groups=2, note="groups")
convolution(f(1, 2, 4), f(2, 3, 4), transpose=True, strides=[3], note="1d")
case(nn.ConvOp, f(1, 5, 5, 3, dtype=np.float16), f(3, 3, 3, 4, dtype=np.float16), layout="channels_last")
case(
    nn.ConvOp, i(1, 5, 5, 3), i(3, 3, 3, 4), layout="channels_last",
    expected=lambda x, w: sum(np.tensordot(x[:, r : r + 3, c : c + 3], w[r, c], 1) for r in range(3) for c in range(3)),
)  # fmt: skip


def pool(op: type[NnOp], x: Array, onnx: str | None, note: str = "", **attributes: Any) -> None:
    onnx_attributes = {{"kernel": "kernel_shape"}.get(k, k): int(v) if isinstance(v, bool) else v for k, v in attributes.items()}

    def as_convolution(x: Array) -> Array:
        """A sum over windows is a depthwise convolution with ones."""
        from xdsl.ir import Block

        ones = np.ones((x.shape[1], 1, *attributes["kernel"]), x.dtype)
        rest = {k: v for k, v in attributes.items() if k != "kernel"}
        return nn.ConvOp.make(*Block(arg_types=[type_of(x), type_of(ones)]).args, groups=x.shape[1], **rest).evaluate(x, ones)[0]

    sum_expected = as_convolution if op is nn.SumPoolOp else None
    case(op, x, onnx=onnx, onnx_attributes=onnx_attributes, expected=sum_expected, note=note, **attributes, tolerance=1e-5)

    def expected(x: Array) -> Array:
        from xdsl.ir import Block

        first = np.moveaxis(x, -1, 1)
        return _last(op.make(*Block(arg_types=[type_of(first)]).args, **attributes).evaluate(first)[0])

    case(op, _last(x), layout="channels_last", expected=expected, note=note + "last", **attributes, tolerance=1e-5)


for _op, _onnx in ((nn.MaxPoolOp, "MaxPool"), (nn.AvgPoolOp, "AveragePool"), (nn.SumPoolOp, None)):
    pool(_op, f(2, 3, 6, 7), _onnx, kernel=[2, 3])
    pool(_op, f(1, 3, 8, 9), _onnx, kernel=[3, 2], strides=[2, 3], dilations=[2, 1], note="strided")
    pool(_op, f(1, 2, 7), _onnx, kernel=[3], note="1d")
    pool(_op, f(1, 2, 5, 6), _onnx, kernel=[3, 3], pads=[1, 1, 1, 1], note="pads")
    pool(_op, f(1, 2, 4, 4, dtype=np.float16), None, kernel=[2, 2])
pool(nn.AvgPoolOp, f(1, 2, 5, 6), "AveragePool", kernel=[3, 3], pads=[1, 1, 0, 1], count_include_pad=True, note="countpads")
for _dtype in (np.int8, np.uint8):
    _shifted = lambda x: np.maximum(np.maximum(x[..., 1:, 1:], x[..., :-1, 1:]), np.maximum(x[..., 1:, :-1], x[..., :-1, :-1]))  # noqa: E731
    case(nn.MaxPoolOp, i(1, 2, 4, 4, dtype=_dtype, low=0, high=250), kernel=[2, 2], expected=_shifted)

# ---- normalisations ---------------------------------------------------------------------------------------------------------------

for _axis in range(3):
    case(nn.SoftmaxOp, f(2, 3, 4), axis=_axis, onnx="Softmax", onnx_attributes={"axis": _axis}, note=str(_axis))
    case(nn.LogSoftmaxOp, f(2, 3, 4), axis=_axis, onnx="LogSoftmax", onnx_attributes={"axis": _axis}, note=str(_axis))
case(nn.SoftmaxOp, np.float32([[1000, 1001, 999], [-1000, 0, 1]]), onnx="Softmax", note="large")
for _dtype in HALVES:
    case(nn.SoftmaxOp, f(2, 7, dtype=_dtype))
    case(nn.LogSoftmaxOp, f(2, 7, dtype=_dtype))
    case(nn.LayerNormOp, f(2, 7, dtype=_dtype), f(7, dtype=_dtype), f(7, dtype=_dtype))
for _axis in (1, 2):
    _shape = (2, 3, 4)[_axis:]
    case(
        nn.LayerNormOp,
        f(2, 3, 4),
        f(*_shape),
        f(*_shape),
        axis=_axis,
        onnx="LayerNormalization",
        onnx_attributes={"axis": _axis},
        tolerance=1e-5,
    )
    case(nn.RmsNormOp, f(2, 3, 4), f(*_shape), axis=_axis, onnx="RMSNormalization", onnx_attributes={"axis": _axis}, tolerance=1e-5)
case(nn.LayerNormOp, f(2, 5), f(5), epsilon=0.5, onnx="LayerNormalization", onnx_attributes={"epsilon": 0.5}, note="nobias", tolerance=1e-5)
case(nn.BatchNormOp, f(2, 3, 4), f(3), f(3), f(3), f(3, low=0.5), onnx="BatchNormalization", tolerance=1e-5)
case(nn.InstanceNormOp, f(2, 3, 4, 5), f(3), f(3), onnx="InstanceNormalization", tolerance=1e-5)
case(nn.GroupNormOp, f(2, 6, 4, 5), f(6), f(6), groups=3, onnx="GroupNormalization", onnx_attributes={"num_groups": 3}, tolerance=1e-5)
for _op, _more in ((nn.InstanceNormOp, {}), (nn.GroupNormOp, {"groups": 3}), (nn.BatchNormOp, {})):
    _parameters = [f(6), f(6)] + ([f(6), f(6, low=0.5)] if _op is nn.BatchNormOp else [])

    def _channels_last(x: Array, *parameters: Array, op: type[NnOp] = _op, more: dict[str, Any] = _more) -> Array:
        from xdsl.ir import Block

        first = np.moveaxis(x, -1, 1)
        block = Block(arg_types=[type_of(first), *(type_of(p) for p in parameters)])
        return _last(op.make(*block.args, **more).evaluate(first, *parameters)[0])

    case(_op, f(2, 4, 5, 6), *_parameters, axis=-1, note="last", expected=_channels_last, tolerance=1e-5, **_more)
for _size in (1, 2, 3, 4):
    case(
        nn.LrnOp,
        f(5, 5, 3, 2),
        size=_size,
        alpha=0.5,
        onnx="LRN",
        onnx_attributes={"size": _size, "alpha": 0.5},
        note=str(_size),
        tolerance=1e-5,
    )

# ---- reductions -------------------------------------------------------------------------------------------------------------------

_REDUCTIONS: dict[type[NnOp], str] = {
    nn.ReduceSumOp: "ReduceSum",
    nn.ReduceMeanOp: "ReduceMean",
    nn.ReduceMaxOp: "ReduceMax",
    nn.ReduceMinOp: "ReduceMin",
    nn.ReduceProdOp: "ReduceProd",
    nn.ReduceL1Op: "ReduceL1",
    nn.ReduceL2Op: "ReduceL2",
    nn.ReduceLogSumExpOp: "ReduceLogSumExp",
    nn.ReduceSumSquareOp: "ReduceSumSquare",
}
for _op, _onnx in _REDUCTIONS.items():
    for _axes in ([0], [1, 2], [0, 1, 2]):
        for _keep in (False, True):
            case(
                _op, f(2, 3, 4), axes=_axes, keepdims=_keep, onnx=_onnx, onnx_attributes={"keepdims": int(_keep)},
                onnx_operands=lambda a, axes=_axes: [a[0], np.int64(axes)], note=f"{''.join(map(str, _axes))}{'k' * _keep}", tolerance=1e-5,
            )  # fmt: skip
    for _dtype in HALVES:
        case(_op, f(2, 5, dtype=_dtype), axes=[1])
    if _op is not nn.ReduceLogSumExpOp:
        _operands = {"onnx": _onnx, "onnx_attributes": {"keepdims": 0}}
        case(_op, i(3, 5), axes=[1], onnx_operands=lambda a: [a[0], np.int64([1])], **_operands)
        if _op not in (nn.ReduceMeanOp, nn.ReduceL2Op):
            case(_op, i(3, 5, dtype=np.uint8, low=0, high=255), axes=[0], onnx_operands=lambda a: [a[0], np.int64([0])], **_operands)
case(nn.ReduceMaxOp, b(3, 4), axes=[1], expected=lambda x: x.any(1))
case(nn.ReduceMinOp, b(3, 4), axes=[1], expected=lambda x: x.all(1))
case(nn.ReduceMaxOp, special()[None], axes=[1], note="special", expected=lambda x: x.max(1))
case(
    nn.ReduceLogSumExpOp,
    np.float32([[-np.inf, -np.inf], [np.inf, 0], [1000, 1000]]),
    axes=[1],
    note="special",
    expected=lambda x: np.float32([-np.inf, np.inf, 1000 + np.log(2)]),
)
case(nn.ReduceSumOp, f(2, 3), axes=[], note="none", expected=lambda x: x)
case(nn.ReduceMeanOp, np.uint8([[1, 2], [1, 3], [3, 3]]), axes=[0], expected=lambda x: [8 // 3 - 1, 8 // 3])
case(nn.ReduceMeanOp, np.int32([[-1, -2], [-1, -3]]), axes=[0], note="trunc", expected=lambda x: [-1, -2])
case(nn.ReduceL2Op, np.uint8([[3], [4]]), axes=[0], expected=lambda x: [5])
for _op, _onnx in ((nn.ArgmaxOp, "ArgMax"), (nn.ArgminOp, "ArgMin")):
    for _last_one in (False, True):
        _more = {"axis": 1, "keepdims": _last_one, "select_last": _last_one}
        _attributes = {"axis": 1, "keepdims": int(_last_one), "select_last_index": int(_last_one)}
        case(_op, i(3, 7, 2, dtype=np.float32, low=-2, high=2), onnx=_onnx, onnx_attributes=_attributes, note=f"last{_last_one}", **_more)
        case(_op, i(3, 7, 2, low=-2, high=2), onnx=_onnx, onnx_attributes=_attributes, note=f"last{_last_one}", **_more)
    case(_op, i(3, 7, dtype=np.uint8, low=0, high=255), axis=1, onnx=_onnx, onnx_attributes={"axis": 1, "keepdims": 0})
    case(
        _op,
        np.float32([[1, np.nan, 3, np.nan], [np.inf, -np.inf, np.inf, -np.inf]]),
        axis=1,
        note="special",
        expected=lambda x, op=_op: (np.argmax if op is nn.ArgmaxOp else np.argmin)(x, 1),
    )
for _exclusive in (False, True):
    for _reverse in (False, True):
        case(
            nn.CumsumOp, f(2, 5), axis=1, exclusive=_exclusive, reverse=_reverse, onnx="CumSum", note=f"{_exclusive}{_reverse}",
            onnx_attributes={"exclusive": int(_exclusive), "reverse": int(_reverse)}, onnx_operands=lambda a: [a[0], np.int64(1)],
        )  # fmt: skip

# ---- shapes -----------------------------------------------------------------------------------------------------------------------

case(nn.ReshapeOp, f(2, 3, 4), result_type=result((6, 4), np.float32), onnx="Reshape", onnx_operands=lambda a: [a[0], np.int64([6, 4])])
case(nn.TransposeOp, f(2, 3, 4), permutation=[2, 0, 1], onnx="Transpose", onnx_attributes={"perm": [2, 0, 1]})
case(nn.TransposeOp, f(2, 3, dtype=bfloat16), permutation=[1, 0], expected=lambda x: x.T)
case(
    nn.BroadcastToOp, f(3, 1), result_type=result((2, 3, 4), np.float32), onnx="Expand", onnx_operands=lambda a: [a[0], np.int64([2, 3, 4])]
)
case(nn.BroadcastToOp, f(), result_type=result((2, 3), np.float32), expected=lambda x: np.broadcast_to(x, (2, 3)))
case(nn.ConcatOp, f(2, 3), f(2, 1), f(2, 2), axis=1, onnx="Concat", onnx_attributes={"axis": 1})
case(nn.SliceOp, f(5, 7), starts=[1, 6], ends=[4, -1], steps=[1, -2], expected=lambda x: x[1:4, ::-2])
case(nn.SliceOp, f(5, 7), starts=[4, 2], ends=[5, 2], expected=lambda x: x[4:5, 2:2], note="empty")
for _mode in ("constant", "edge", "reflect"):
    for _dtype in (np.float32, np.uint8):
        case(
            nn.PadOp, f(4, 5, low=0).astype(_dtype), low=[1, 0], high=[2, 3], mode=_mode, value=7.0, onnx="Pad", note=_mode,
            onnx_attributes={"mode": _mode}, onnx_operands=lambda a: [a[0], np.int64([1, 0, 2, 3]), np.array(7, a[0].dtype)],
        )  # fmt: skip

# ---- indices ----------------------------------------------------------------------------------------------------------------------

for _axis in range(3):
    case(
        nn.GatherOp,
        f(3, 4, 5),
        i(2, 3, dtype=np.int64, low=-3, high=2),
        axis=_axis,
        onnx="Gather",
        onnx_attributes={"axis": _axis},
        note=str(_axis),
    )
case(nn.GatherOp, f(3, 4, dtype=bfloat16), i(dtype=np.int32, low=1, high=2), axis=1, expected=lambda x, i: np.take(x, i, 1))
case(nn.GatherOp, i(200, 2), i(9, dtype=np.uint8, low=100, high=199), expected=lambda x, i: x[i])
for _axis in range(2):
    case(
        nn.GatherElementsOp,
        f(3, 4),
        i(3, 4, dtype=np.int64, low=-3, high=2),
        axis=_axis,
        onnx="GatherElements",
        onnx_attributes={"axis": _axis},
        note=str(_axis),
    )
case(
    nn.GatherElementsOp,
    f(3, 4),
    i(2, 6, dtype=np.int64, low=-4, high=3),
    axis=1,
    expected=lambda x, i: np.take_along_axis(x[:2], i, 1),
    note="smaller",
)
case(nn.GatherNdOp, f(3, 4, 5), i(2, 2, dtype=np.int64, low=-3, high=2), onnx="GatherND")
case(nn.GatherNdOp, f(3, 4, 5), i(6, 3, dtype=np.int64, low=-3, high=2), onnx="GatherND", note="full")
case(
    nn.GatherNdOp,
    f(2, 3, 4, 5),
    i(2, 3, 1, dtype=np.int64, low=-3, high=2),
    batch_dims=1,
    onnx="GatherND",
    onnx_attributes={"batch_dims": 1},
    note="batch",
)
for _reduction in ("none", "add", "mul", "max", "min"):
    for _dtype in (np.float32, np.uint8):
        case(
            nn.ScatterElementsOp, i(3, 5, dtype=_dtype, low=0, high=9), i(2, 4, dtype=np.int64, low=-5, high=4), i(2, 4, dtype=_dtype, low=0, high=9),
            axis=1, reduction=_reduction, onnx="ScatterElements", onnx_attributes={"axis": 1, "reduction": _reduction}, note=_reduction,
        )  # fmt: skip
        case(
            nn.ScatterNdOp, i(3, 4, 2, dtype=_dtype, low=0, high=9), i(5, 2, dtype=np.int64, low=-3, high=2), i(5, 2, dtype=_dtype, low=0, high=9),
            reduction=_reduction, onnx="ScatterND", onnx_attributes={"reduction": _reduction}, note=_reduction,
        )  # fmt: skip
case(nn.ScatterElementsOp, f(3, 3), i(3, 3, dtype=np.int64, low=0, high=2), f(3, 3), onnx="ScatterElements", note="axis0")
case(
    nn.OneHotOp,
    i(2, 3, dtype=np.int64, low=-6, high=6),
    f(2),
    depth=4,
    axis=1,
    onnx="OneHot",
    onnx_attributes={"axis": 1},
    onnx_operands=lambda a: [a[0], np.int64(4), a[1]],
)
case(nn.OneHotOp, i(3, dtype=np.uint8, low=0, high=5), i(2), depth=3, onnx="OneHot", onnx_operands=lambda a: [a[0], np.int64(3), a[1]])
for _dtype in (np.int64, np.int32, np.uint8, np.float32, np.float16):
    case(
        nn.IotaOp,
        result_type=result((2, 5), _dtype),
        axis=1,
        expected=lambda dtype=_dtype: np.tile(np.arange(5), (2, 1)).astype(dtype),
        note=np.dtype(_dtype).name,
    )

for _from, _to, _name in (
    (np.float32, np.int32, "i32"),
    (np.uint16, np.float16, "f16"),
    (np.int64, np.float64, "f64"),
    (np.uint8, np.int8, "i8"),
):
    case(nn.BitcastOp, i(2, 5, dtype=_from, low=0, high=99), to=_name, expected=lambda x, to=_to: x.view(to), note=_name)
case(
    nn.RandomBitsOp, seed=7, result_type=result((5,), np.uint64), note="philox",
    expected=lambda: np.array([_philox(i, 7) for i in range(5)], np.uint64),
)  # fmt: skip

# ---- resize -----------------------------------------------------------------------------------------------------------------------


def _philox(place: int, key: int) -> int:
    """Philox2x32-10 in Python's integers."""
    left, right = place, 0
    for _ in range(10):
        product = left * 0xD256D193
        left, right = (product >> 32) ^ key ^ right, product & 0xFFFFFFFF
        key = (key + 0x9E3779B9) & 0xFFFFFFFF
    return left << 32 | right


def _line(at: Sequence[float], extent: int) -> Array:
    """The matrix that takes a row to its values at these places."""
    return np.maximum(1 - np.abs(np.arange(extent)[:, None] - np.array(at)), 0)


def resize(x: Array, scales: Sequence[float], note: str = "", **attributes: Any) -> None:
    shape = tuple(int(np.floor(n * s)) for n, s in zip(x.shape, scales, strict=True))
    renamed = {
        "mode": "mode",
        "coordinate_mode": "coordinate_transformation_mode",
        "nearest_mode": "nearest_mode",
        "exclude_outside": "exclude_outside",
        "antialias": "antialias",
    }
    onnx_attributes = {renamed[k]: int(v) if isinstance(v, bool) else v for k, v in attributes.items()}
    case(
        nn.ResizeOp, x, scales=[float(np.float32(s)) for s in scales], result_type=result(shape, x.dtype), onnx="Resize", onnx_attributes=onnx_attributes,
        onnx_operands=lambda a: [a[0], None, np.float32(scales)], note=note + "-".join(str(v) for v in attributes.values()), tolerance=1e-5, **attributes,
    )  # fmt: skip


resize(f(1, 2, 3, 4), [1, 1, 2, 3], coordinate_mode="asymmetric", nearest_mode="floor")
resize(i(1, 2, 3, 4, dtype=np.uint8, low=0, high=255), [1, 1, 2, 3], coordinate_mode="asymmetric", nearest_mode="floor")
for _coordinates in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"):
    for _rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        resize(f(1, 1, 4, 5), [1, 1, 2.6, 0.5], coordinate_mode=_coordinates, nearest_mode=_rounding)
    for _mode in ("linear", "cubic"):
        resize(f(1, 2, 4, 5), [1, 1, 2.6, 0.6], mode=_mode, coordinate_mode=_coordinates)
resize(f(1, 1, 4, 4), [1, 1, 2, 2], mode="cubic", exclude_outside=True, coordinate_mode="half_pixel")
resize(f(1, 4, 5, 2), [1, 2, 2, 1], mode="linear", note="last")
for _mode in ("linear", "cubic"):
    resize(f(1, 2, 6, 5), [1, 1, 0.4, 0.7], mode=_mode, antialias=True)
    resize(f(1, 1, 6, 4), [1, 1, 0.5, 2], mode=_mode, antialias=True, exclude_outside=True)
case(
    nn.ResizeOp, f(4, 5), scales=[1.0, 1.0], origins=[0.0, 3.0], steps=[0.5, -0.5], coordinate_mode="affine", mode="linear", result_type=result((4, 5), np.float32),
    expected=lambda x: np.stack([(x[r // 2] + x[(r + 1) // 2]) / 2 for r in range(4)]) @ _line([3, 2.5, 2, 1.5, 1], 5).astype(np.float32), note="affine",
)  # fmt: skip
resize(f(2, 7), [1, 1.5], mode="linear", note="1d")

# ---- recurrent --------------------------------------------------------------------------------------------------------------------


def _lstm_expected(direction: str) -> Callable[..., Any]:
    def run(x: Array, w: Array, r: Array, b: Array, h0: Array, c0: Array) -> Any:
        """One gate at a time, one sample at a time."""
        steps, batch, _ = x.shape
        d_count, _, hidden = r.shape
        y = np.zeros((steps, d_count, batch, hidden))
        h, c = h0.astype(np.float64).copy(), c0.astype(np.float64).copy()
        sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        for d in range(d_count):
            order = range(steps) if direction == "forward" or (direction == "bidirectional" and d == 0) else range(steps - 1, -1, -1)
            for t in order:
                for n in range(batch):
                    gates = {}
                    for g, name in enumerate("iofc"):
                        rows = slice(g * hidden, (g + 1) * hidden)
                        gates[name] = w[d, rows] @ x[t, n] + r[d, rows] @ h[d, n] + b[d, rows] + b[d, 4 * hidden :][rows]
                    c[d, n] = sigmoid(gates["f"]) * c[d, n] + sigmoid(gates["i"]) * np.tanh(gates["c"])
                    h[d, n] = sigmoid(gates["o"]) * np.tanh(c[d, n])
                    y[t, d, n] = h[d, n]
        return y, h, c

    return run


for _direction in ("forward", "reverse", "bidirectional"):
    _d = 2 if _direction == "bidirectional" else 1
    case(
        nn.LstmOp, f(4, 2, 3), f(_d, 8, 3, high=1), f(_d, 8, 2, high=1), f(_d, 16, high=1), f(_d, 2, 2), f(_d, 2, 2, low=-1),
        direction=_direction, expected=_lstm_expected(_direction), note=_direction, tolerance=1e-5,
    )  # fmt: skip

# ---- attention --------------------------------------------------------------------------------------------------------------------


def _attention_expected(scale: float = 1.0, fill: float = -np.inf, zero: bool = False) -> Callable[..., Any]:
    def run(q: Array, k: Array, v: Array, mask: Array | None = None) -> Any:
        """One query at a time."""
        y = np.zeros((*q.shape[:-1], v.shape[-1]))
        group = q.shape[-3] // k.shape[-3]
        masks = np.broadcast_to(np.float32(0) if mask is None else mask, (*q.shape[:-1], k.shape[-2]))
        for *batch, head, row in np.ndindex(*q.shape[:-1]):
            keys, values = k[(*batch, head // group)].astype(np.float64), v[(*batch, head // group)].astype(np.float64)
            scores = keys @ q[(*batch, head, row)] * scale
            m = masks[(*batch, head, row)]
            scores = np.where(m, scores, fill) if m.dtype == np.bool_ else scores + m
            if np.isneginf(scores).all():
                y[(*batch, head, row)] = 0 if zero else np.nan
            else:
                weights = np.exp(scores - scores.max())
                y[(*batch, head, row)] = weights / weights.sum() @ values
        return y

    return run


case(nn.AttentionOp, f(2, 3, 4, 5), f(2, 3, 6, 5), f(2, 3, 6, 2), scale=0.5, expected=_attention_expected(0.5), tolerance=1e-5)
case(nn.AttentionOp, f(6, 2, 5), f(2, 3, 5), f(2, 3, 4), expected=_attention_expected(), note="grouped", tolerance=1e-5)
case(
    nn.AttentionOp, f(2, 2, 3, 4), f(2, 1, 3, 4), f(2, 1, 3, 4), f(2, 1, 1, 3), expected=_attention_expected(), note="added", tolerance=1e-5
)
for _zero in (False, True):
    case(
        nn.AttentionOp, f(1, 2, 3, 4), f(1, 2, 3, 4), f(1, 2, 3, 4), np.array([[True, False, True], [False] * 3, [True] * 3]),
        masked_rows="zero" if _zero else "nan", expected=_attention_expected(zero=_zero), note=f"masked_{_zero}", tolerance=1e-5,
    )  # fmt: skip
case(
    nn.AttentionOp, f(1, 1, 2, 4), f(1, 1, 3, 4), f(1, 1, 3, 4), np.array([[True, False, False], [False] * 3]), fill=-10.0,
    expected=_attention_expected(fill=-10.0), note="filled", tolerance=1e-5,
)  # fmt: skip
case(
    nn.RotaryEmbeddingOp, f(2, 3, 4, 6), f(4, 6), f(1, 3, 1, 1),
    expected=lambda x, c, s: x * c + np.concatenate([-x[..., 3:], x[..., :3]], -1) * s,
)  # fmt: skip
case(
    nn.RotaryEmbeddingOp,
    f(3, 2),
    f(3, 2),
    f(3, 2),
    expected=lambda x, c, s: np.stack([x[:, 0] * c[:, 0] - x[:, 1] * s[:, 0], x[:, 1] * c[:, 1] + x[:, 0] * s[:, 1]], 1),
)

case(
    nn.WindowTransformOp, i(2, 4), i(3, 9, 2), axis=1, place=0, stride=2,
    expected=lambda m, x: np.stack([np.einsum("ip,apc->iac", m, x[:, o : o + 4]) for o in (0, 2, 4)], 2),
)  # fmt: skip
case(nn.WindowTransformOp, f(4, 6), f(6, 5, 7), axis=0, place=2, expected=lambda m, x: np.einsum("ip,pab->aib", m, x)[None])
case(nn.WindowTransformOp, f(1, 1), f(5), axis=-1, place=1, stride=3, note="unit", expected=lambda m, x: (x[::3] * m[0, 0])[:, None])
