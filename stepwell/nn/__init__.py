"""Layers, functions and losses for networks: a `Module` is a tree of its parameters, to be differentiated by, donated, saved.

class Net(stepwell.nn.Module):
    def __init__(self, rng):
        self.hidden, self.out = stepwell.nn.Linear(64, 32, rng), stepwell.nn.Linear(32, 10, rng)

    def __call__(self, x):
        return self.out(stepwell.nn.relu(self.hidden(x)))
"""

from stepwell.nn.functions import (
    attention,
    avg_pool,
    conv,
    conv_transpose,
    dropout,
    elu,
    embedding,
    gelu,
    group_norm,
    layer_norm,
    leaky_relu,
    log_softmax,
    max_pool,
    mish,
    relu,
    rms_norm,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from stepwell.nn.layers import BatchNorm, Conv, Dropout, Embedding, GroupNorm, LayerNorm, Linear, MultiHeadAttention, RMSNorm, Sequential
from stepwell.nn.losses import bce_with_logits, cross_entropy, focal, huber, kl_divergence, l1, mse, nll
from stepwell.nn.module import Module
from stepwell.nn.recurrent import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BatchNorm",
    "Conv",
    "Dropout",
    "Embedding",
    "GroupNorm",
    "LayerNorm",
    "Linear",
    "Module",
    "MultiHeadAttention",
    "RMSNorm",
    "Sequential",
    "attention",
    "avg_pool",
    "bce_with_logits",
    "conv",
    "conv_transpose",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "focal",
    "gelu",
    "group_norm",
    "huber",
    "kl_divergence",
    "l1",
    "layer_norm",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "mish",
    "mse",
    "nll",
    "relu",
    "rms_norm",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]
