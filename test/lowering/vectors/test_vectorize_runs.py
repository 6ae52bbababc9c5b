"""Kernels of every class, scheduled and vectorised, compute what numpy says."""

from __future__ import annotations

import affine_kernels as kernels
import pytest
from run_kernels import check

MATMUL = """[["fuse", "m", "n"], ["split", "m", 14, "mr", "{tail}"], ["split", "n", 32, "nr"], ["reorder", "m", "n", "mr", "nr"],
 ["parallel", "m"], ["jam", "mr", "nr"], ["vectorize", "mr", "nr"], ["prefetch", 1, "k", 8]]"""


@pytest.mark.parametrize("epilogue", [True, False])
@pytest.mark.parametrize("packed", [32, None])
@pytest.mark.parametrize(
    ("tail", "extents"), [("overlap", (29, 70, 7)), ("mask", (15, 33, 3)), ("mask", (1, 1, 0)), ("exact", (28, 64, 5))]
)
def test_matmul(tail: str, extents: tuple[int, ...], packed: int | None, epilogue: bool) -> None:
    check(kernels.matmul(packed=packed, epilogue=epilogue), MATMUL.format(tail=tail), *extents)


CONV = """[["fuse", "b", "oh", "ow", "oc"], ["split", "ow", 7, "owr", "{tail}"], ["split", "oc", 32, "ocr"],
 ["reorder", "b", "oh", "ow", "oc", "owr", "ocr"], ["parallel", "b", "oh"], ["jam", "owr", "ocr"], ["vectorize", "owr", "ocr"]]"""


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("tail", "extents"), [("overlap", (2, 3, 9, 40, 3)), ("mask", (1, 2, 8, 5, 2))])
def test_conv(tail: str, extents: tuple[int, ...], stride: int) -> None:
    check(kernels.conv(stride=stride), CONV.format(tail=tail), *extents)


WINDOW = """[["fuse", "b", "oh", "ow", "c"], ["split", "ow", 4, "owr"], ["split", "c", 16, "cr"],
 ["reorder", "b", "oh", "ow", "c", "owr", "cr"], ["parallel", "b", "oh"], ["jam", "owr", "cr"], ["vectorize", "owr", "cr"]]"""


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise(stride: int) -> None:
    check(kernels.depthwise(stride=stride), WINDOW, 2, 3, 6, 20)


def test_max_pool() -> None:
    check(kernels.max_pool(), WINDOW, 1, 3, 5, 19)


ROWS = '[["fuse", "m"], ["split", "n", 16, "nr"], ["rfactor", "nr"], ["parallel", "m"], ["vectorize", "nr"]]'


@pytest.mark.parametrize("extents", [(3, 40), (2, 16), (1, 1)])
def test_softmax(extents: tuple[int, ...]) -> None:
    check(kernels.softmax(), ROWS, *extents)


def test_pointwise() -> None:
    check(kernels.relu(), '[["fuse", "d0"], ["split", "d0", 64, "r"], ["parallel", "d0"], ["vectorize", "r"]]', 150)
