"""`transform`: scripts that say how to transform IR. Upstream's dialect; what xDSL defines without a syntax stands in `transform_table`."""

from __future__ import annotations

from xdsl.dialects import transform as shipped

from stepwell.dialects.support import without

_IN_TABLE = (
    *("get_parent_op", "get_defining_op", "split_handle", "get_producer_of_operand", "get_consumers_of_result", "get_result"),
    *("merge_handles", "structured.tile_using_forall", "cast", "param.constant"),
    *("structured.tile_using_for", "sequence"),
)

Transform = without(shipped.Transform, *(f"transform.{name}" for name in _IN_TABLE))
