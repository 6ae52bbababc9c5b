"""The arena: buffers that live at one time never share a byte, and little is wasted."""

from __future__ import annotations

import random

import pytest

from stepwell.lowering.loops.plan_memory import ALIGNMENT, PAGE, Buffer, lower_bound, place


def draw(seed: int) -> list[Buffer]:
    """A chain of buffers with some that live longer, as in a network with skip connections."""
    rng = random.Random(seed)
    buffers: list[Buffer] = []
    for position in range(rng.randint(1, 80)):
        size = rng.choice([rng.randint(1, 300), rng.randint(1000, 40_000), 1 << rng.randint(10, 20)])
        buffers.append(Buffer(size, position, position + rng.choice([1, 1, 1, 2, rng.randint(1, 30)])))
    return buffers


@pytest.mark.parametrize("seed", range(50))
def test_no_two_live_buffers_overlap(seed: int) -> None:
    buffers = draw(seed)
    size = place(buffers)
    for i, a in enumerate(buffers):
        assert a.offset % ALIGNMENT == 0
        assert 0 <= a.offset <= a.offset + a.size <= size
        for b in buffers[:i]:
            live_together = a.first <= b.last and b.first <= a.last
            assert not live_together or a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
    assert size >= lower_bound(buffers)


def test_a_chain_needs_two_buffers() -> None:
    """Reader and writer of one call live together; the one before is free again."""
    buffers = [Buffer(1024, i, i + 1) for i in range(10)]
    assert place(buffers) == lower_bound(buffers) == 2048


def test_neighbours_do_not_share_addresses_modulo_a_page() -> None:
    buffers = [Buffer(16 * PAGE, 0, 1) for _ in range(8)]
    place(buffers)
    assert len({b.offset % PAGE for b in buffers}) == 8


def test_buffers_that_nobody_uses_take_no_room() -> None:
    buffers = [Buffer(1000, 1 << 62, -1), Buffer(64, 0, 1)]
    assert place(buffers) == lower_bound(buffers) == 64


def test_nothing_to_place() -> None:
    assert place([]) == lower_bound([]) == 0
