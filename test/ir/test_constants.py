"""Payloads of dense attributes: the bytes of the array in row-major order whatever its strides, copied once or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_dtypes import bfloat16

from stepwell.dialects.nn import ConstantOp
from stepwell.ir.constants import array_of, copy_in_tiles, dense, is_splat
from stepwell.ir.payloads import Payload

DTYPES: list[Any] = [np.float32, np.float64, np.float16, bfloat16, np.int8, np.uint16, np.int64, np.bool_]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (7,), (300, 200), (5, 70, 3, 130), (513, 65)])
def test_strided_arrays_keep_their_elements(dtype: Any, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2 if dtype == np.bool_ else 100, shape).astype(dtype)
    views = [array, array.T]
    if array.ndim:
        views += [array[::-1], array[..., ::2], np.moveaxis(array, -1, 0)]
    for view in views:
        np.testing.assert_array_equal(array_of(dense(view)).astype(np.float64), view.astype(np.float64))


@given(st.permutations(range(4)), st.lists(st.sampled_from([1, 2, 65, 300]), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_tiles_cover_everything(order: list[int], shape: list[int]) -> None:
    while np.prod(shape) > 1_000_000:
        shape[int(np.argmax(shape))] = 2
    source = np.arange(np.prod(shape), dtype=np.int32).reshape(shape).transpose(order)
    target = np.full(source.shape, -1, np.int32)
    copy_in_tiles(target, source)
    np.testing.assert_array_equal(target, source)


def test_a_view_of_whole_bytes_is_not_copied() -> None:
    raw = np.arange(5000, dtype=np.float32).tobytes()
    assert dense(np.frombuffer(raw, np.float32).reshape(50, 100)).data.data is raw
    assert dense(np.frombuffer(raw, np.float32)[1:]).data.data == raw[4:]


def test_equal_bits_are_a_splat() -> None:
    assert is_splat(dense(np.full((300, 500), -0.0, np.float32)))
    assert is_splat(dense(np.full((300, 500), np.nan, np.float32).T))
    almost = np.zeros((300, 500), np.float32)
    almost[150, 3] = -0.0
    assert not is_splat(dense(almost))
    assert not is_splat(dense(almost.T))


def test_payloads_are_equal_where_their_bytes_are() -> None:
    one = np.arange(100_000, dtype=np.int32).tobytes()
    other = bytearray(one)
    other[12_345] ^= 1
    assert Payload(one) == Payload(bytes(bytearray(one)))
    assert hash(Payload(one)) == hash(Payload(bytes(bytearray(one))))
    assert Payload(one) != Payload(bytes(other))
    assert Payload(b"") != Payload(b"\0")
    assert len({Payload(one), Payload(bytes(other)), Payload(bytes(bytearray(one)))}) == 2


def test_an_erased_constant_lets_go_of_its_payload() -> None:
    constant = ConstantOp.from_array(np.arange(10))
    constant.erase()
    assert "value" not in constant.properties
