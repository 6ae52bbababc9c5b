"""Sums over values: what is simplified, and that what is simplified is the same number."""

from __future__ import annotations

import itertools
import random

import pytest
from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineMap

from stepwell.lowering.schedule.index import Division, Index, map_of, minimum, modulo, quotient, range_of
from stepwell.lowering.schedule.nest import INDEX, loop_block, make_loop


def loop_variable(extent: int, step: int = 1) -> SSAValue:
    """The variable of a loop from 0 to `extent`."""
    body = loop_block("i")
    make_loop([Index({}, extent)], body, {}, step=step)
    return body.args[0]


def value_of(index: Index, at: dict[SSAValue, int]) -> int:
    total = index.constant
    for atom, factor in index.terms.items():
        if isinstance(atom, Division):
            inner = value_of(atom.numerator, at)
            total += factor * (inner % atom.divisor if atom.is_mod else inner // atom.divisor)
        else:
            total += factor * at[atom]
    return total


def test_tiles_of_the_divisor_vanish() -> None:
    n, nr = loop_variable(320, 32), loop_variable(32)
    index = Index({n: 1, nr: 1})
    assert modulo(index, 32) == Index.of(nr)
    assert quotient(index, 32) == Index({Division(Index.of(n), 32, False): 1})


def test_half_tiles_leave_their_place_in_the_tile() -> None:
    n, nr = loop_variable(320, 16), loop_variable(16)
    index = Index({n: 1, nr: 1})
    assert modulo(index, 32) == Index({Division(Index.of(n), 32, True): 1, nr: 1})
    assert quotient(index, 32) == Index({Division(Index.of(n), 32, False): 1})


def test_minimum_drops_what_is_never_smaller() -> None:
    block = Block(arg_types=(INDEX,))
    (extent,) = block.args
    ni = loop_variable(384, 32)
    bounds = minimum([Index({}, 32), Index({ni: -1}, 384), Index({extent: 1, ni: -1})])
    assert bounds == [Index({}, 32), Index({extent: 1, ni: -1})]


@pytest.mark.parametrize("seed", range(20))
def test_simplification_keeps_the_value(seed: int) -> None:
    rng = random.Random(seed)
    variables = {
        loop_variable(extent := rng.choice([4, 8, 12, 32]), step := rng.choice([1, 2, 4])): range(0, extent, step) for _ in range(3)
    }
    index = Index({v: rng.choice([1, 2, 3, 16]) for v in variables}, rng.randrange(-5, 40))
    divisor = rng.choice([2, 4, 8, 16, 32])
    low, high = range_of(index)
    for point in itertools.product(*variables.values()):
        at = dict(zip(variables, point, strict=True))
        value = value_of(index, at)
        assert value_of(quotient(index, divisor), at) == value // divisor
        assert value_of(modulo(index, divisor), at) == value % divisor
        assert low is not None
        assert high is not None
        assert low <= value <= high


def test_maps_are_shared() -> None:
    i, j = loop_variable(8), loop_variable(8)
    first, operands = map_of([Index({i: 1, j: 2}, 3)])
    second, _ = map_of([Index({j: 1, i: 2}, 3)])
    assert operands == [i, j]
    assert first is second
    assert first == AffineMapAttr(AffineMap.from_callable(lambda a, b: (a + b * 2 + 3,)))
