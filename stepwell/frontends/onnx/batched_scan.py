"""ONNX Scan of opset 8: the first axis is the batch, the second is scanned, and each entry of the batch may have a length of its own."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.dialects import nn
from stepwell.frontends.onnx.control import MAX_STEPS
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter


@converter("Scan", since=8)
def _scan(n: Node, lengths: Value | None, *operands: Value) -> Sequence[Value]:
    """Step by step for each entry of the batch. Beyond its length the state stays and zeros are stacked."""
    body, scanned = n.graph("body"), n.int("num_scan_inputs")
    count = len(operands) - scanned
    if not 0 < scanned <= len(operands) or len(body.output) < count:
        n.fail(f"it scans {scanned} of {len(operands)} operands and its body has {len(body.output)} outputs")
    sources, backward = operands[count:], n.ints("directions", (0,) * scanned)
    if any(x.rank < 2 for x in sources) or any(x.rank < 1 for x in operands) or len(backward) != scanned:
        n.fail("its operands need an axis for the batch, those that are scanned one more")
    batches, extents = {x.shape[0] for x in operands}, {x.shape[1] for x in sources}
    if len(batches) != 1 or len(extents) != 1:
        n.fail(f"its operands have batches {sorted(batches)} and lengths {sorted(extents)}")
    (batch,), (extent,) = batches, extents
    steps = [extent] * batch if lengths is None else n.known_ints(lengths, "sequence_lens")
    if len(steps) != batch or not all(0 <= step <= extent for step in steps):
        n.fail(f"sequence_lens {steps} do not fit a batch of {batch} and a length of {extent}")
    if sum(steps) > MAX_STEPS or not all(steps):
        n.unsupported(f"{sum(steps)} steps, {min(steps, default=0)} of the shortest entry; 1 to {MAX_STEPS} are unrolled")
    entries = [_entry(n, [_part(n, x, b) for x in operands], count, steps[b], extent, backward) for b in range(batch)]
    return [_stack(n, parts) for parts in zip(*entries, strict=True)]


def _entry(n: Node, first: list[Value], count: int, steps: int, extent: int, backward: Sequence[int]) -> list[Value]:
    """The last state, and the stacks, of one entry of the batch."""
    state, sources = first[:count], first[count:]
    stacks: list[list[Value]] = []
    for step in range(steps):
        at = [steps - 1 - step if reverse else step for reverse in backward]
        results = n.branch(n.graph("body"), [*state, *(_part(n, x, t) for x, t in zip(sources, at, strict=True))])
        state = results[:count]
        stacks.append(results[count:])
    made = [_stack(n, parts) for parts in zip(*stacks, strict=True)]
    rest = extent - steps
    return [*state, *(n.op(nn.PadOp, y, low=[0] * y.rank, high=[rest, *[0] * (y.rank - 1)]) if rest else y for y in made)]


def _part(n: Node, x: Value, at: int) -> Value:
    """x[at]."""
    piece = n.op(nn.SliceOp, x, starts=[at, *[0] * (x.rank - 1)], ends=[at + 1, *x.shape[1:]], steps=[1] * x.rank)
    return n.reshape(piece, x.shape[1:])


def _stack(n: Node, parts: Sequence[Value]) -> Value:
    wide = [n.reshape(p, (1, *p.shape)) for p in parts]
    return wide[0] if len(wide) == 1 else n.op(nn.ConcatOp, *wide, axis=0)
