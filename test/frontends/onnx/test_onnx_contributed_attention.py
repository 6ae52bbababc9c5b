"""Attention of com.microsoft with caches, grouped heads, quantised and packed operands, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_against_runtime import RNG, against_ort, f, q


def cache_of(batch: int, groups: int, length: int, width: int) -> list[Any]:
    return [f(batch, groups, length, width), f(batch, groups, length, width)]


def group_query(
    batch: int,
    new: int,
    lengths: list[int],
    total: int,
    *,
    past: int = 0,
    groups: int = 2,
    each: int = 2,
    width: int = 16,
    packed: bool = False,
    rotary: bool = False,
    bias: Any = None,
    sink: Any = None,
    **attributes: Any,
) -> None:
    """GroupQueryAttention of random numbers. `lengths` counts the tokens of each row, the new ones included."""
    count = groups * each
    if packed:
        operands = [f(batch, new, (count + 2 * groups) * width), None, None]
    else:
        operands = [f(batch, new, count * width), f(batch, new, groups * width), f(batch, new, groups * width)]
    angles = f(32, width // 2)
    operands += cache_of(batch, groups, past, width)
    operands += [np.array(lengths, np.int32) - 1, np.array(total, np.int32)]
    operands += [np.cos(angles), np.sin(angles)] if rotary else [None, None]
    operands += [None, bias, sink]
    while operands[-1] is None:
        operands.pop()
    against_ort(
        "GroupQueryAttention",
        *operands,
        outputs=3,
        num_heads=count,
        kv_num_heads=groups,
        do_rotary=int(rotary),
        tolerance=1e-4,
        **attributes,
    )


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rotary", [False, True])
def test_the_first_tokens(packed: bool, rotary: bool) -> None:
    group_query(1, 5, [5], 5, packed=packed, rotary=rotary)
    group_query(2, 4, [4, 4], 4, packed=packed, rotary=rotary, groups=1, each=3)


@pytest.mark.parametrize("rotary", [False, True])
def test_one_more_token(rotary: bool) -> None:
    group_query(1, 1, [7], 7, past=6, rotary=rotary)
    group_query(2, 1, [7, 7], 7, past=6, rotary=rotary, rotary_interleaved=1)


def test_several_more_tokens() -> None:
    group_query(1, 3, [9], 9, past=6, rotary=True)


@pytest.mark.parametrize("window", [-1, 3])
def test_rows_of_other_lengths(window: int) -> None:
    group_query(3, 1, [4, 7, 6], 7, past=6, rotary=True, local_window_size=window)
    group_query(2, 1, [4, 7], 7, past=9, rotary=True, local_window_size=window)


def test_a_cache_with_room_for_more() -> None:
    group_query(1, 1, [7], 7, past=12, rotary=True)
    group_query(1, 5, [5], 5, past=12, rotary=True)


def test_scores_that_are_moved() -> None:
    group_query(1, 5, [5], 5, softcap=2.0)
    group_query(1, 5, [5], 5, scale=0.3)
    group_query(1, 6, [6], 6, local_window_size=3)
    group_query(1, 1, [7], 7, past=6, local_window_size=3)
    group_query(1, 4, [4], 4, bias=f(1, 4, 4, 4))
    group_query(1, 4, [4], 4, smooth_softmax=1)
    group_query(1, 4, [4], 4, sink=f(4))


def test_packed_operands() -> None:
    against_ort("MultiHeadAttention", f(2, 3, 2, 3, 4), num_heads=2, reference=_unpacked)
    against_ort("MultiHeadAttention", f(2, 3, 8), f(2, 5, 2, 2, 4), num_heads=2, reference=_unpacked)


def _unpacked(*inputs: Any) -> list[Any]:
    """The same operands one by one: ONNX Runtime's CPU kernel takes no others."""
    if len(inputs) == 1:
        return [np.ascontiguousarray(inputs[0][:, :, :, i].reshape(*inputs[0].shape[:2], -1)) for i in range(3)]
    query, packed = inputs
    return [query, *(np.ascontiguousarray(packed[:, :, :, i].transpose(0, 2, 1, 3)) for i in range(2))]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_quantised_attention(dtype: Any) -> None:
    x, weights, bias = q(2, 4, 6), q(6, 24, dtype=dtype), f(24)
    scales = [np.float32(0.02), np.float32(0.01)]
    against_ort("QAttention", x, weights, bias, *scales, None, np.uint8(120), dtype(3), num_heads=2, tolerance=1e-4)
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32)
    against_ort("QAttention", x, weights, bias, *scales, mask, np.uint8(120), dtype(3), num_heads=2, tolerance=1e-4)
    past = f(2, 2, 2, 3, 4)
    more = [None, np.uint8(120), dtype(3), past]
    against_ort("QAttention", x, weights, bias, *scales, *more, num_heads=2, unidirectional=1, outputs=2, tolerance=1e-4)


@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("interleaved", [0, 1])
def test_rotary_embedding_of_three_positions(layout: int, interleaved: int) -> None:
    angles = f(10, 6)
    places = RNG.integers(0, 10, (3, 2, 5))
    tables = (np.cos(angles), np.sin(angles))
    options: dict[str, Any] = {"mrope_section": [2, 2, 2], "mrope_layout": layout, "interleaved": interleaved}
    against_ort("MRotaryEmbedding", f(2, 3, 5, 12), places, *tables, **options)
    against_ort("MRotaryEmbedding", f(2, 5, 36), places, *tables, num_heads=3, rotary_embedding_dim=12, **options)
