"""Reshapes and `tensor.pad`: what touches different dimensions changes places."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import OpResult
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import tensor
from stepwell.dialects.layouts import groups_of
from stepwell.lowering.building import Builder, Index
from stepwell.lowering.linalg.fuse_elementwise import Control, has_one_use


def _expanded_padding(pad: tensor.PadOp, groups: Sequence[Sequence[int]]) -> tuple[list[Index], list[Index]] | None:
    """The padding of the expanded dimensions; None where one is padded that is a group of several."""
    if pad.constant_value() is None:
        return None
    low: list[Index] = [0] * sum(map(len, groups))
    high = list(low)
    for group, before, after in zip(groups, pad.mixed_low(), pad.mixed_high(), strict=True):
        if len(group) == 1:
            low[group[0]], high[group[0]] = before, after
        elif not (isinstance(before, int) and isinstance(after, int) and before == after == 0):
            return None
    return low, high


class FoldPadWithProducerReshape(RewritePattern):
    """before:  %1 = tensor.collapse_shape %0 [[0, 1], [2]]   tensor.pad %1 low[0, 1] high[0, 1]
    after:   %1 = tensor.pad %0 low[0, 0, 1] high[0, 0, 1]   tensor.collapse_shape %1 [[0, 1], [2]]"""

    def __init__(self, control: Control = has_one_use) -> None:
        self._control = control

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        reshape = op.source.op if isinstance(op.source, OpResult) else None
        if not isinstance(reshape, tensor.CollapseShapeOp) or not self._control(op.source):
            return
        groups = groups_of(reshape.reassociation)
        padding = _expanded_padding(op, groups)
        if padding is None:
            return
        value = op.constant_value()
        assert value is not None
        made = tensor.PadOp.get(reshape.src, *padding, value)
        _keep_nofold(made, op)
        rewriter.insert(made, InsertPoint.before(op))
        rewriter.replace(op, tensor.CollapseShapeOp.get(made.result, groups, op.result.type))


class FoldReshapeWithProducerPad(RewritePattern):
    """before:  %1 = tensor.pad %0 low[0, 1] high[0, 1]   tensor.expand_shape %1 [[0, 1], [2]]
    after:   %1 = tensor.expand_shape %0 [[0, 1], [2]]   tensor.pad %1 low[0, 0, 1] high[0, 0, 1]"""

    def __init__(self, control: Control = has_one_use) -> None:
        self._control = control

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExpandShapeOp, rewriter: PatternRewriter) -> None:
        pad = op.src.op if isinstance(op.src, OpResult) else None
        if not isinstance(pad, tensor.PadOp) or not self._control(op.src):
            return
        groups = groups_of(op.reassociation)
        padding = _expanded_padding(pad, groups)
        if padding is None:
            return
        build = Builder(InsertPoint.before(op), op, rewriter)
        shape = op.mixed_output_shape()
        for dim, group in enumerate(groups):
            if len(group) == 1:
                shape[group[0]] = build.extent(pad.source, dim)
        source = build.add(tensor.ExpandShapeOp.get(pad.source, groups, shape)).result
        value = pad.constant_value()
        assert value is not None
        made = tensor.PadOp.get(source, *padding, value)
        made.results[0]._type = op.result.type  # pyright: ignore[reportPrivateUsage]  # which may know more extents
        _keep_nofold(made, pad)
        rewriter.replace(op, made)


def _keep_nofold(made: tensor.PadOp, old: tensor.PadOp) -> None:
    if "nofold" in old.properties:
        made.properties["nofold"] = old.properties["nofold"]
