"""Views of buffers that passes rewrite reach the same elements."""

from __future__ import annotations

import numpy as np
import pytest

from stepwell.backends.interpreter import run
from stepwell.ir.registry import find_pass, make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify

VIEWS = {
    "subview": (
        "memref.subview %m[%i, 1] [2, 4] [2, 1] : memref<6x8xf32> to memref<2x4xf32, strided<[16, 1], offset: ?>>",
        "memref<2x4xf32, strided<[16, 1], offset: ?>>",
        2,
    ),
    "a row": (
        "memref.subview %m[%i, 2] [1, 6] [1, 1] : memref<6x8xf32> to memref<6xf32, strided<[1], offset: ?>>",
        "memref<6xf32, strided<[1], offset: ?>>",
        1,
    ),
    "more dimensions": (
        "memref.expand_shape %m [[0, 1], [2, 3]] output_shape [2, 3, 4, 2] : memref<6x8xf32> into memref<2x3x4x2xf32>",
        "memref<2x3x4x2xf32>",
        4,
    ),
    "subview of a subview": (
        "memref.subview %m[1, %i] [4, 4] [1, 1] : memref<6x8xf32> to memref<4x4xf32, strided<[8, 1], offset: ?>>\n"
        " %v = memref.subview %w[%j, 0] [2, 4] [2, 1] : memref<4x4xf32, strided<[8, 1], offset: ?>>"
        " to memref<2x4xf32, strided<[16, 1], offset: ?>>",
        "memref<2x4xf32, strided<[16, 1], offset: ?>>",
        2,
    ),
    "fewer dimensions": ("memref.collapse_shape %m [[0, 1]] : memref<6x8xf32> into memref<48xf32>", "memref<48xf32>", 1),
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("lowering", ["expand-strided-metadata", "fold-memref-alias-ops"])
def test_the_same_elements(name: str, lowering: str) -> None:
    view, type, rank = VIEWS[name]
    indices = ", ".join(["%j"] * rank)
    text = f"""func.func @f(%m: memref<6x8xf32>, %i: index, %j: index, %x: f32) -> f32 {{
      %{"w" if "%w" in view else "v"} = {view}
      %r = memref.load %v[{indices}] : {type}
      memref.store %x, %v[{indices}] : {type}
      return %r : f32
    }}"""
    outcomes: list[tuple[np.ndarray, object]] = []
    for passes in ((), (lowering,)):
        module = parse_module(text, make_context())
        for one in passes:
            find_pass(one)().run(module, make_context())
            verify(module)
            assert view.split()[0] not in {op.name for op in module.walk()}
        memory = np.arange(48, dtype=np.float32).reshape(6, 8)
        (result,) = run(module, "f", memory, 2, 1, np.float32(-1))
        outcomes.append((memory, result))
    (before, read), (after, read_after) = outcomes
    np.testing.assert_array_equal(before, after)
    assert read == read_after
