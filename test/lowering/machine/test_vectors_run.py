"""Ops that rearrange and combine n-D vectors, compiled and run against numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from native import Array, Native


def vector(shape: Sequence[int], element: str = "f32") -> str:
    return f"vector<{'x'.join(map(str, (*shape, element)))}>" if shape else (f"vector<{element}>")


def memref(shape: Sequence[int], element: str = "f32") -> str:
    return f"memref<{'x'.join(map(str, (*shape, element)))}>"


def run(
    body: str, shapes: Sequence[Sequence[int]], result: Sequence[int], *inputs: Array, element: str = "f32", out: Array | None = None
) -> Array:
    """Apply `body` (%x, %y, ... -> %r) to whole vectors."""
    names = ["x", "y", "z"][: len(shapes)]
    reads = "".join(
        f"  %{n} = vector.transfer_read %{n}s[{', '.join(['%c0'] * len(s))}], %zero {{in_bounds = [{', '.join(['true'] * len(s))}]}}"
        f" : {memref(s, element)}, {vector(s, element)}\n"
        for n, s in zip(names, shapes, strict=True)
    )
    zero = "0.0" if element[0] == "f" else "0"
    if result:
        place, bounds = ", ".join(["%c0"] * len(result)), ", ".join(["true"] * len(result))
        types = f"{vector(result, element)}, {memref(result, element)}"
        write = f"  vector.transfer_write %r, %out[{place}] {{in_bounds = [{bounds}]}} : {types}"
    else:
        write = f"  memref.store %r, %out[] : {memref((), element)}"
    arguments = ", ".join(f"%{n}s: {memref(s, element)}" for n, s in zip(names, shapes, strict=True))
    text = f"""
func.func @f({arguments}, %out: {memref(result, element)}) {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant {zero} : {element}
{reads}{body}
{write}
  func.return
}}
"""
    if out is None:
        out = np.zeros(tuple(result), inputs[0].dtype)
    Native(text).call("f", *inputs, out)
    return out


def numbers(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(-9, 9, shape).astype(dtype)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ((14, 1), (14, 37)),
        ((37,), (3, 37)),
        ((2, 1, 5), (4, 2, 3, 5)),
        ((1,), (40,)),
        ((1, 20), (3, 20)),
        ((3, 1), (2, 3, 1)),
        ((2, 1, 1), (2, 3, 33)),
    ],
)
def test_broadcast(source: tuple[int, ...], result: tuple[int, ...]) -> None:
    x = numbers(*source)
    got = run(f"  %r = vector.broadcast %x : {vector(source)} to {vector(result)}", [source], result, x)
    np.testing.assert_array_equal(got, np.broadcast_to(x, result))


@pytest.mark.parametrize(
    ("shape", "permutation"),
    [
        ((16, 16), (1, 0)),
        ((14, 32), (1, 0)),
        ((32, 14), (1, 0)),
        ((5, 37), (1, 0)),
        ((3, 1), (1, 0)),
        ((2, 3, 20), (1, 0, 2)),
        ((2, 5, 20), (0, 2, 1)),
        ((4, 3, 17), (2, 1, 0)),
        ((4, 3, 1), (2, 1, 0)),
        ((3, 4, 5), (2, 0, 1)),
    ],
)
def test_transpose(shape: tuple[int, ...], permutation: tuple[int, ...]) -> None:
    x = numbers(*shape)
    want = x.transpose(permutation)
    got = run(
        f"  %r = vector.transpose %x, [{', '.join(map(str, permutation))}] : {vector(shape)} to {vector(want.shape)}",
        [shape],
        want.shape,
        x,
    )
    np.testing.assert_array_equal(got, want)


def test_transpose_of_blocks_is_shuffles() -> None:
    """16x16 in four stages of 16 shuffles, no element moved alone."""
    body = "  %r = vector.transpose %x, [1, 0] : vector<16x16xf32> to vector<16x16xf32>"
    text = f"""func.func @f(%xs: memref<16x16xf32>, %out: memref<16x16xf32>) {{
      %c0 = arith.constant 0 : index
      %zero = arith.constant 0.0 : f32
      %x = vector.transfer_read %xs[%c0, %c0], %zero {{in_bounds = [true, true]}} : memref<16x16xf32>, vector<16x16xf32>
    {body}
      vector.transfer_write %r, %out[%c0, %c0] {{in_bounds = [true, true]}} : vector<16x16xf32>, memref<16x16xf32>
      func.return
    }}"""
    native = Native(text)
    if native.text.count("load <16 x float>") == 16:  # on a processor with registers of 16 lanes
        assert native.text.count("shufflevector") == 64
    assert "insertelement" not in native.text


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ((14, 32), (448,)),
        ((448,), (14, 32)),
        ((14, 1), (14,)),
        ((14,), (14, 1)),
        ((2, 7, 32), (14, 32)),
        ((4, 10), (5, 8)),
        ((1,), (1, 1)),
        ((64,), (2, 2, 16)),
    ],
)
def test_shape_cast(source: tuple[int, ...], result: tuple[int, ...]) -> None:
    x = numbers(*source)
    got = run(f"  %r = vector.shape_cast %x : {vector(source)} to {vector(result)}", [source], result, x)
    np.testing.assert_array_equal(got, x.reshape(result))


KINDS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "mul": np.multiply,
    "maximumf": np.maximum,
    "minimumf": np.minimum,
    "maxnumf": np.fmax,
    "minnumf": np.fmin,
}
INTEGER_KINDS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "mul": np.multiply,
    "minsi": np.minimum,
    "maxsi": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}


@pytest.mark.parametrize("width", [1, 16, 33, 37, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_reduction(kind: str, width: int) -> None:
    x = (numbers(width) / 4).clip(-1.5, 1.5).round() + 1
    for acc in (False, True):
        body = "  %seven = arith.constant 2.0 : f32\n" if acc else ""
        body += f"  %r = vector.reduction <{kind}>, %x{', %seven' if acc else ''} : {vector((width,))} into f32"
        want = KINDS[kind].reduce(x)
        assert run(body, [(width,)], (), x.astype(np.float32)) == (KINDS[kind](want, np.float32(2)) if acc else want)


@pytest.mark.parametrize("width", [16, 33, 37])
@pytest.mark.parametrize("kind", INTEGER_KINDS)
def test_integer_reduction(kind: str, width: int) -> None:
    x = numbers(width, dtype=np.int32)
    got = run(f"  %r = vector.reduction <{kind}>, %x : {vector((width,), 'i32')} into i32", [(width,)], (), x, element="i32")
    assert got == INTEGER_KINDS[kind].reduce(x)


def test_reductions_keep_nan() -> None:
    x = numbers(37)
    x[20] = np.nan
    body = "  %r = vector.reduction <{}>, %x : vector<37xf32> into f32"
    assert np.isnan(run(body.format("maximumf"), [(37,)], (), x))
    assert run(body.format("maxnumf"), [(37,)], (), x) == np.nanmax(x)


@pytest.mark.parametrize(
    ("shape", "dims"),
    [((14, 32), (0,)), ((14, 37), (1,)), ((5, 3, 20), (0, 2)), ((5, 3, 20), (1,)), ((14, 1), (0,)), ((4, 6), (0, 1)), ((3, 4, 1), (0,))],
)
@pytest.mark.parametrize("kind", ["add", "maximumf"])
def test_multi_reduction(kind: str, shape: tuple[int, ...], dims: tuple[int, ...]) -> None:
    x = numbers(*shape)
    result = tuple(e for d, e in enumerate(shape) if d not in dims)
    type = vector(result) if result else "f32"
    acc = f"arith.constant dense<1.0> : {type}" if result else "arith.constant 1.0 : f32"
    body = f"  %a = {acc}\n  %r = vector.multi_reduction <{kind}>, %x, %a [{', '.join(map(str, dims))}] : {vector(shape)} to {type}"
    want = x.sum(dims) + 1 if kind == "add" else np.maximum(x.max(dims), 1)
    np.testing.assert_array_equal(run(body, [shape], result, x), want)


@pytest.mark.parametrize(
    ("shape", "position"), [((3, 37), (2,)), ((3, 37), (1, 20)), ((2, 3, 5), (1, 2)), ((14, 1), (7, 0)), ((20,), (19,))]
)
def test_extract(shape: tuple[int, ...], position: tuple[int, ...]) -> None:
    x = numbers(*shape)
    want = x[position]
    type = vector(want.shape) if want.shape else "f32"
    body = f"  %r = vector.extract %x[{', '.join(map(str, position))}] : {type} from {vector(shape)}"
    np.testing.assert_array_equal(run(body, [shape], want.shape, x), want)


@pytest.mark.parametrize(
    ("shape", "position"), [((3, 37), (2,)), ((3, 37), (1, 20)), ((2, 3, 5), (1, 2)), ((14, 1), (7, 0)), ((20,), (19,))]
)
def test_insert(shape: tuple[int, ...], position: tuple[int, ...]) -> None:
    x, part = numbers(*shape), numbers(*shape[len(position) :], seed=1)
    rest = part.shape
    if rest:
        body = f"  %r = vector.insert %y, %x[{', '.join(map(str, position))}] : {vector(rest)} into {vector(shape)}"
        got = run(body, [shape, rest], shape, x, part)
    else:
        part = np.float32(5)
        body = f"  %f = arith.constant 5.0 : f32\n  %r = vector.insert %f, %x[{', '.join(map(str, position))}] : f32 into {vector(shape)}"
        got = run(body, [shape], shape, x)
    x[position] = part
    np.testing.assert_array_equal(got, x)


def test_extract_at_a_place_known_at_run_time() -> None:
    for width in (5, 33):
        type = vector((width,))
        text = f"""func.func @f(%xs: {memref((width,))}, %out: {memref(())}, %i: index) {{
          %c0 = arith.constant 0 : index
          %zero = arith.constant 0.0 : f32
          %x = vector.transfer_read %xs[%c0], %zero {{in_bounds = [true]}} : {memref((width,))}, {type}
          %r = vector.extract %x[%i] : f32 from {type}
          memref.store %r, %out[] : {memref(())}
          func.return
        }}"""
        native, x, out = Native(text), numbers(width), np.zeros((), np.float32)
        for i in (0, 3, width - 1):
            native.call("f", x, out, i)
            assert out == x[i]


@pytest.mark.parametrize(
    ("shape", "offsets", "sizes"),
    [((6, 37), (2, 16), (3, 16)), ((6, 37), (1, 5), (2, 20)), ((40,), (8,), (8,)), ((4, 5), (0, 2), (4, 1)), ((5, 6, 7), (1,), (2,))],
)
def test_strided_slices(shape: tuple[int, ...], offsets: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    x = numbers(*shape)
    place = tuple(slice(o, o + s) for o, s in zip(offsets, sizes, strict=True))
    want = x[place]
    ones = ", ".join("1" * len(offsets))
    where = f"{{offsets = [{', '.join(map(str, offsets))}], sizes = [{', '.join(map(str, sizes))}], strides = [{ones}]}}"
    body = f"  %r = vector.extract_strided_slice %x {where} : {vector(shape)} to {vector(want.shape)}"
    np.testing.assert_array_equal(run(body, [shape], want.shape, x), want)

    if len(offsets) == len(shape):
        part = numbers(*want.shape, seed=1)
        where = f"{{offsets = [{', '.join(map(str, offsets))}], strides = [{ones}]}}"
        body = f"  %r = vector.insert_strided_slice %y, %x {where} : {vector(want.shape)} into {vector(shape)}"
        got = run(body, [shape, want.shape], shape, x, part)
        x[place] = part
        np.testing.assert_array_equal(got, x)


def test_outerproduct_and_accumulation() -> None:
    a, b, c = numbers(14), numbers(32, seed=1), numbers(14, 32, seed=2)
    got = run("  %r = vector.outerproduct %x, %y, %z : vector<14xf32>, vector<32xf32>", [(14,), (32,), (14, 32)], (14, 32), a, b, c)
    np.testing.assert_array_equal(got, np.outer(a, b) + c)
    got = run("  %r = vector.fma %x, %y, %z : vector<14x32xf32>", [(14, 32)] * 3, (14, 32), c, c, c)
    np.testing.assert_array_equal(got, c * c + c)


def test_elements() -> None:
    x = numbers(4)
    body = "  %e:4 = vector.to_elements %x : vector<4xf32>\n  %r = vector.from_elements %e#3, %e#0, %e#0, %e#2 : vector<2x2xf32>"
    np.testing.assert_array_equal(run(body, [(4,)], (2, 2), x), x[[3, 0, 0, 2]].reshape(2, 2))


def test_step() -> None:
    body = """  %s = vector.step : vector<40xindex>
  %i = arith.index_cast %s : vector<40xindex> to vector<40xi32>
  %r = arith.addi %i, %x : vector<40xi32>"""
    x = numbers(40, dtype=np.int32)
    np.testing.assert_array_equal(run(body, [(40,)], (40,), x, element="i32"), x + np.arange(40))


def test_constants_that_differ() -> None:
    values = numbers(2, 20)
    rows = ", ".join(f"[{', '.join(f'{v:.1f}' for v in row)}]" for row in values)
    body = f"  %k = arith.constant dense<[{rows}]> : vector<2x20xf32>\n  %r = arith.addf %x, %k : vector<2x20xf32>"
    x = numbers(2, 20, seed=1)
    np.testing.assert_array_equal(run(body, [(2, 20)], (2, 20), x), x + values)
