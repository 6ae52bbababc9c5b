"""The schedules that the strategies choose: what they are for each class; kernels of every `nn` op compute the same with them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.parser import Parser

sys.path.insert(0, str(Path(__file__).parents[2] / "dialects" / "nn"))
sys.path.insert(0, str(Path(__file__).parents[1] / "structured"))

from test_convert_nn_to_linalg import IDS, LOWERED, check, module_of

from stepwell.backends.interpreter import run
from stepwell.ir.constants import dtype_of
from stepwell.ir.registry import find_pass, make_context
from stepwell.lowering.pipelines import BUFFERIZE, LOOPS, STRUCTURE

LEVEL_4 = (*(p for p in STRUCTURE if p != "deduplicate-kernels"), *BUFFERIZE[:2], *LOOPS, "vectorize", "unroll-loops")
Array = np.ndarray[Any, np.dtype[Any]]


def lower(module: ModuleOp, vector_bytes: int = 64, *, until: str | None = None) -> None:
    """Run the pipeline from level 1 kernels to level 4, verifying after every pass."""
    context = make_context()
    for name in LEVEL_4:
        options = {"vector_bytes": vector_bytes} if name == "choose-schedule" else {}
        find_pass(name)(**options).run(module, context)
        module.verify()
        if name == until:
            return


# ---- every op -------------------------------------------------------------------------------------------------------------------

_FIRST_OF_EACH = {case.op: n for n, case in reversed(list(enumerate(LOWERED)))}
_CHOSEN = sorted({*_FIRST_OF_EACH.values(), *range(0, len(LOWERED), 5)})


@pytest.mark.parametrize("n", _CHOSEN, ids=[IDS[n] for n in _CHOSEN])
def test_every_op(n: int) -> None:
    case = LOWERED[n]
    module = ModuleOp(module_of(case, n))
    lower(module)
    op, _holder = case.make()
    outs = [np.zeros(r.type.get_shape(), dtype_of(r.type.element_type)) for r in op.results]
    with np.errstate(all="ignore"):
        run(module, f"f{n}", *map(signless, case.arrays), *map(signless, outs))
        check(case, outs)


def signless(array: Array) -> Array:
    """Level 2 and below is signless (the same bits as signed integers), and the innermost stride of an argument is 1."""
    array = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    return array.view(f"int{8 * array.itemsize}") if array.dtype.kind == "u" else array


# ---- the classes ----------------------------------------------------------------------------------------------------------------


def source(body: str, inputs: list[str], result: str, constants: tuple[int, ...] = ()) -> str:
    """A kernel of `nn` ops over %a0, %a1, ... that makes %r, and a caller; `constants` are known to the caller."""
    arguments = [f"%a{i}: {type}" for i, type in enumerate(inputs)]
    passed = ", ".join(argument for i, argument in enumerate(arguments) if i not in constants)
    known = "".join(f"%a{i} = arith.constant dense<2.0> : {inputs[i]}\n" for i in constants)
    names = ", ".join(f"%a{i}" for i in range(len(inputs)))
    return f"""
    func.func private @k({", ".join(arguments)}) -> {result} attributes {{kernel}} {{
      {body}
      func.return %r : {result}
    }}
    func.func @main({passed}) -> {result} {{
      {known}
      %r = func.call @k({names}) : ({", ".join(inputs)}) -> {result}
      func.return %r : {result}
    }}"""


def tensor(*shape: int) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def schedule_of(text: str, vector_bytes: int = 64) -> str:
    """The schedule that is chosen for @k."""
    module = Parser(make_context(), text).parse_module()
    lower(module, vector_bytes, until="choose-schedule")
    func = next(op for op in module.ops if isinstance(op, FuncOp) and op.sym_name.data == "k")
    return re.sub(r" : i64", "", str(func.attributes["schedule"]))


def matmul(m: int, n: int, k: int, *, constant: bool = True) -> str:
    a, b, v, y = tensor(m, k), tensor(k, n), tensor(n), tensor(m, n)
    body = f"%p = nn.matmul %a0, %a1 : {a}, {b} -> {y}\n%s = nn.add %p, %a2 : {y}, {v} -> {y}\n%r = nn.relu %s : {y}"
    return source(body, [a, b, v], y, (1,) if constant else ())


def conv(h: int, w: int, ci: int, co: int, k: int, stride: int) -> str:
    oh, ow = (h - k) // stride + 1, (w - k) // stride + 1
    x, f, y = tensor(1, h, w, ci), tensor(k, k, ci, co), tensor(1, oh, ow, co)
    body = f'%r = nn.conv %a0, %a1 strides = [{stride}, {stride}] layout = "channels_last" : {x}, {f} -> {y}'
    return source(body, [x, f], y, (1,))


def transpose(m: int, n: int) -> str:
    return source(f"%r = nn.transpose %a0 permutation = [1, 0] : {tensor(m, n)} -> {tensor(n, m)}", [tensor(m, n)], tensor(n, m))


def softmax(m: int, n: int) -> str:
    return source(f"%r = nn.softmax %a0 axis = 1 : {tensor(m, n)}", [tensor(m, n)], tensor(m, n))


def test_matmul_schedule() -> None:
    assert schedule_of(matmul(196, 768, 64)) == (
        '[["pack_operand", 1, 1, 32], ["fuse", "m", "n"], ["split", "m", 14, "mr", "exact"], ["split", "n", 32, "nr", "exact"], '
        '["reorder", "m", "n", "mr", "nr"], ["parallel", "m", "n"], ["jam", "mr", "nr"], ["vectorize", "mr", "nr"], ["unroll", "k", 4], '
        '["prefetch", 1, "k", 8]]'
    )


def test_convolution_schedule() -> None:
    assert schedule_of(conv(30, 30, 32, 64, 3, 1)) == (
        '[["pack_operand", 1, 3, 32], ["static", "kh", "kw"], ["fuse", "oh", "ow", "oc"], ["split", "ow", 14, "owr", "exact"], '
        '["split", "oc", 32, "ocr", "exact"], ["reorder", "oh", "ow", "oc", "owr", "ocr"], ["parallel", "oh", "ow"], '
        '["jam", "owr", "ocr"], ["vectorize", "owr", "ocr"], ["unroll", "ci", 4], ["prefetch", 1, "ci", 8]]'
    )


def test_rows_schedule() -> None:
    assert schedule_of(softmax(40, 1000)) == (
        '[["fuse", "d0"], ["split", "d1", 64, "d1r"], ["rfactor", "d1r"], ["parallel", "d0"], ["vectorize", "d1r"]]'
    )


def test_transpose_schedule() -> None:
    assert schedule_of(transpose(40, 64)) == (
        '[["fuse", "d0", "d1"], ["split", "d0", 16, "d0r", "exact"], ["split", "d1", 16, "d1r", "overlap"], '
        '["reorder", "d0", "d1", "d0r", "d1r"], ["parallel", "d0", "d1"], ["vectorize", "d0r", "d1r"]]'
    )


def test_a_kernel_that_has_a_schedule_keeps_it() -> None:
    text = softmax(4, 8).replace("{kernel}", '{kernel, schedule = [["fuse", "mine"]]}')
    assert schedule_of(text) == '[["fuse", "mine"]]'


def test_large_weights_are_walked_in_blocks() -> None:
    assert '["split", "n", 320, "ni"' in schedule_of(matmul(140, 3072, 768))


def test_costs_stand_on_the_call() -> None:
    module = Parser(make_context(), matmul(512, 512, 512)).parse_module()
    lower(module, until="choose-schedule")
    (call,) = (op for op in module.walk() if op.name == "func.call")
    assert call.attributes["flops"].value.data == pytest.approx(2 * 512**3, rel=0.01)
    assert call.attributes["bytes"].value.data == 4 * (3 * 512 * 512 + 512)
    assert 1 <= call.attributes["grain"].value.data <= 64


def small(rng: np.random.Generator, *shape: int) -> Array:
    return rng.integers(-3, 4, shape).astype(np.float32)


@pytest.mark.parametrize("vector_bytes", [64, 32, 16])
@pytest.mark.parametrize(("m", "n", "k"), [(29, 70, 7), (1, 200, 9), (5, 33, 17), (64, 8, 4), (30, 1, 6)])
def test_matmul_runs(m: int, n: int, k: int, vector_bytes: int) -> None:
    rng = np.random.default_rng(0)
    module = Parser(make_context(), matmul(m, n, k, constant=False)).parse_module()
    lower(module, vector_bytes)
    a, b, v, y = small(rng, m, k), small(rng, k, n), small(rng, n), np.full((m, n), np.nan, np.float32)
    run(module, "main", a, b, v, y)
    np.testing.assert_array_equal(y, np.maximum(a @ b + v, 0))


@pytest.mark.parametrize("vector_bytes", [64, 16])
@pytest.mark.parametrize(("h", "w", "ci", "co", "k", "stride"), [(9, 20, 5, 40, 3, 1), (8, 23, 3, 7, 5, 2), (6, 6, 9, 33, 1, 1)])
def test_convolution_runs(h: int, w: int, ci: int, co: int, k: int, stride: int, vector_bytes: int) -> None:
    rng = np.random.default_rng(0)
    module = Parser(make_context(), conv(h, w, ci, co, k, stride)).parse_module()
    lower(module, vector_bytes)
    oh, ow = (h - k) // stride + 1, (w - k) // stride + 1
    x, y = small(rng, 1, h, w, ci), np.full((1, oh, ow, co), np.nan, np.float32)
    run(module, "main", x, y)
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))[:, ::stride, ::stride]
    expected = np.broadcast_to(2 * windows.sum((3, 4, 5))[..., None], y.shape)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("vector_bytes", [64, 32])
@pytest.mark.parametrize(("m", "n"), [(40, 64), (33, 17), (3, 50), (50, 3)])
def test_transpose_runs(m: int, n: int, vector_bytes: int) -> None:
    module = Parser(make_context(), transpose(m, n)).parse_module()
    lower(module, vector_bytes)
    x, y = small(np.random.default_rng(0), m, n), np.full((n, m), np.nan, np.float32)
    run(module, "main", x, y)
    np.testing.assert_array_equal(y, x.T)


@pytest.mark.parametrize(("m", "n"), [(3, 200), (2, 64), (4, 5)])
def test_softmax_runs(m: int, n: int) -> None:
    module = Parser(make_context(), softmax(m, n)).parse_module()
    lower(module)
    x, y = small(np.random.default_rng(0), m, n), np.full((m, n), np.nan, np.float32)
    run(module, "main", x, y)
    e = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(1, keepdims=True), rtol=1e-5)


def test_transposed_operand_is_packed() -> None:
    """Attention scores, q kT: the columns of kT are rows of k, so k is packed in panels before the product."""
    q, s, t = tensor(2, 37, 24), tensor(2, 37, 37), tensor(2, 24, 37)
    body = f"%t = nn.transpose %a1 permutation = [0, 2, 1] : {q} -> {t}\n%r = nn.matmul %a0, %t : {q}, {t} -> {s}"
    text = source(body, [q, q], s)
    assert schedule_of(text).startswith('[["pack_operand", 1, 1, 48]')
    module = Parser(make_context(), text).parse_module()
    lower(module)
    rng = np.random.default_rng(0)
    a, b, y = small(rng, 2, 37, 24), small(rng, 2, 37, 24), np.full((2, 37, 37), np.nan, np.float32)
    run(module, "main", a, b, y)
    np.testing.assert_array_equal(y, a @ b.swapaxes(1, 2))
