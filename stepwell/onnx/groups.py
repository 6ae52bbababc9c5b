"""Which family of operators a test of the conformance suite belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FAMILIES: dict[str, str] = {
    "attention": "Attention LinearAttention FlexAttention RotaryEmbedding TensorScatter",
    "elementwise": (
        "Clip Mod Max Min Pow Div Mul Sub Add Gelu Hardmax Celu Elu HardSigmoid LeakyRelu Selu SwiGLU ThresholdedRelu PRelu Shrink Softplus"
        " Softsign Mean Sum Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Exp Floor HardSwish Log Mish Neg Reciprocal Relu Sigmoid Sin"
        " Sinh Sqrt Swish Tan Tanh Abs Erf Round Sign"
    ),
    "reductions": (
        "LogSoftmax Softmax ReduceLogSumExp ReduceL1 ReduceL2 ReduceSumSquare ArgMax ArgMin ReduceSum ReduceMax ReduceLogSum ReduceMin"
        " CumProd CumSum ReduceProd ReduceMean TopK LpNormalization"
    ),
    "conv, pool, norm": (
        "LayerNormalization RMSNormalization CausalConvWithState AveragePool MaxPool Dropout ConvTranspose LpPool Conv Col2Im"
        " BatchNormalization DeformConv GroupNormalization MeanVarianceNormalization RoiAlign GlobalAveragePool GlobalMaxPool"
        " InstanceNormalization LRN MaxUnpool"
    ),
    "cast, quantization": (
        "CastLike Cast DequantizeLinear QuantizeLinear QLinearMatMul DynamicQuantizeLinear ConvInteger MatMulInteger QLinearConv"
    ),
    "shape, index": (
        "Trilu Split CenterCropPad Concat Shape Reshape Flatten Range Slice SpaceToDepth ScatterElements ScatterND Transpose Unique"
        " Unsqueeze OneHot Pad Compress DepthToSpace Gather ConstantOfShape EyeLike GatherElements GatherND Identity ReverseSequence Expand"
        " Scatter Size Squeeze Tile Constant NonZero"
    ),
    "logic, bits": (
        "BitShift GreaterOrEqual LessOrEqual BitCast Equal And Greater Less Or Xor BitwiseAnd BitwiseOr BitwiseXor IsInf BitwiseNot Not"
        " IsNaN Where"
    ),
    "image, signal": (
        "Resize GridSample DFT NonMaxSuppression ImageDecoder AffineGrid BlackmanWindow HammingWindow HannWindow STFT MelWeightMatrix"
        " Upsample"
    ),
    "loss": "SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss",
    "linear algebra": "Gemm Einsum MatMul Det",
    "text": "TfIdfVectorizer StringSplit StringNormalizer StringConcat RegexFullMatch",
    "control flow": "SequenceMap Scan If Loop",
    "recurrent": "GRU LSTM RNN",
    "sequence, optional": "OptionalHasElement OptionalGetElement SplitToSequence SequenceInsert",
    "ai.onnx.ml": "LabelEncoder TreeEnsemble ArrayFeatureExtractor Binarizer",
    "training": "Momentum Adagrad Adam Gradient",
    "random": "Bernoulli",
}
_GROUP = {operator: family for family, operators in _FAMILIES.items() for operator in operators.split()}
_EXPANDED = re.compile(r"_expanded.*")


def group_of(case: Any, cases: Mapping[str, Any]) -> str:
    """The family of a node test (an expanded one belongs to the operator that it expands), or the kind of any other test."""
    if case.kind != "node":
        return case.kind
    whole = cases.get(_EXPANDED.sub("", case.name), case)
    operators = [node.op_type for node in whole.model.graph.node]
    return next((_GROUP[operator] for operator in operators if operator in _GROUP and operator != "Constant"), "other")
