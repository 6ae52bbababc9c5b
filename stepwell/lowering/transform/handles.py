"""Operations of a script that only look: they find payload, count it, split it, tell about it."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, StringAttr, UnitAttr, UnregisteredOp, i64
from xdsl.ir import Attribute, BlockArgument, Operation, OpResult, SSAValue
from xdsl.traits import IsolatedFromAbove

from stepwell.dialects import affine, scf
from stepwell.ir.reporting import remark
from stepwell.lowering.linalg.expand_loops import is_structured
from stepwell.lowering.transform.state import State, failure, silenceable

LOOPS = (scf.ForOp, scf.WhileOp, scf.ParallelOp, scf.ForallOp, affine.ForOp, affine.ParallelOp)
INTERFACES: dict[int, Callable[[Operation], bool]] = {
    0: is_structured,
    1: lambda op: is_structured(op),
    2: lambda op: isinstance(op, LOOPS),
}
"""`interface{LinalgOp}`, `TilingInterface`, `LoopLikeInterface`, by number."""


def name_of(op: Operation) -> str:
    """The name of an operation, also of one that no dialect knows."""
    return op.op_name.data if isinstance(op, UnregisteredOp) else op.name


def attribute_of(op: Operation, name: str) -> Attribute | None:
    """A property or a discardable attribute: scripts say some of their options as these."""
    return op.properties.get(name, op.attributes.get(name))


def integer_of(op: Operation, name: str, default: int) -> int:
    """The same, as a number."""
    found = attribute_of(op, name)
    return found.value.data if isinstance(found, IntegerAttr) else default


def is_set(op: Operation, name: str) -> bool:
    """The same, as a flag."""
    found = attribute_of(op, name)
    return isinstance(found, UnitAttr) or (isinstance(found, IntegerAttr) and found.value.data != 0)


def post_order(op: Operation) -> Iterator[Operation]:
    """What is inside before what is around it."""
    for region in op.regions:
        for block in region.blocks:
            for inner in list(block.ops):
                yield from post_order(inner)
    yield op


def _match(op: Any, state: State) -> None:
    names = {name.data for name in op.ops} if op.ops is not None else None
    interface = INTERFACES[op.interface.value.data] if op.interface is not None else None
    wanted: Mapping[str, Attribute] = op.op_attrs.data if isinstance(op.op_attrs, DictionaryAttr) else {}
    found: list[Operation] = []
    for target in state.ops(op.target, op):
        for inner in post_order(target):
            if names is not None and name_of(inner) not in names:
                continue
            if interface is not None and not interface(inner):
                continue
            if any(attribute_of(inner, name) != value for name, value in wanted.items()):
                continue
            if op.filter_result_type is not None and [op.filter_result_type] != list(inner.result_types):
                continue
            if op.filter_operand_types is not None and not _has_types(inner, op.filter_operand_types):
                continue
            found.append(inner)
    state.set(op.results[0], found)


def _has_types(op: Operation, types: ArrayAttr[Any]) -> bool:
    if len(types) == 1:
        return all(type == types.data[0] for type in op.operand_types)
    return list(op.operand_types) == list(types)


def _get_parent_op(op: Any, state: State) -> None:
    name = attribute_of(op, "op_name")
    count = integer_of(op, "nth_parent", 1)
    found: list[Operation] = []
    for target in state.ops(op.operands[0], op):
        parent: Operation | None = target
        for _ in range(count):
            parent = parent.parent_op() if parent is not None else None
            while parent is not None and not _is_wanted(parent, name, isolated=is_set(op, "isolated_from_above")):
                parent = parent.parent_op()
        if parent is None:
            if is_set(op, "allow_empty_results"):
                found = []
                break
            raise silenceable(op, "could not find a parent op that matches all requirements")
        if parent not in found or not is_set(op, "deduplicate"):
            found.append(parent)
    state.set(op.results[0], found)


def _is_wanted(op: Operation, name: Attribute | None, *, isolated: bool) -> bool:
    if isolated and not op.has_trait(IsolatedFromAbove, value_if_unregistered=False):
        return False
    return not isinstance(name, StringAttr) or name_of(op) == name.data


def _get_producer(op: Any, state: State) -> None:
    found: list[Operation] = []
    number = integer_of(op, "operand_number", 0)
    for target in state.ops(op.operands[0], op):
        if number >= len(target.operands):
            raise silenceable(op, "targets an operation with too few operands")
        owner = target.operands[number].owner
        if not isinstance(owner, Operation):
            raise silenceable(op, f"could not find a producer for operand number: {number} of {target.name}")
        found.append(owner)
    state.set(op.results[0], found)


def _get_consumers(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    number = integer_of(op, "result_number", 0)
    if targets and len(targets) != 1:
        raise failure(op, "handle must be mapped to exactly one payload op")
    if targets and number >= len(targets[0].results):
        raise failure(op, "result number overflow")
    users = {use.operation: None for target in targets for use in target.results[number].uses}
    state.set(op.results[0], list(users))


def _get_defining_op(op: Any, state: State) -> None:
    values = state.payload(op.operands[0], op)
    if any(isinstance(value, BlockArgument) for value in values):
        raise silenceable(op, "cannot get defining ops of block argument")
    state.set(op.results[0], [value.op for value in values if isinstance(value, OpResult)])


def _positions(op: Any, count: int) -> list[int]:
    """Which of so many: `[all]`, `[except(1)]`, `[0, -1]`"""
    listed = [n + count if n < 0 else n for n in op.properties["raw_position_list"].get_values()]
    if "is_all" in op.properties:
        return list(range(count))
    if any(not 0 <= n < count for n in listed):
        raise silenceable(op, f"position overflow {max(listed)} (updated from {max(listed)}) for maximum {count}")
    return [n for n in range(count) if n not in listed] if "is_inverted" in op.properties else listed


def _get_result(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.set(op.results[0], [target.results[n] for target in targets for n in _positions(op, len(target.results))])


def _get_operand(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.set(op.results[0], [target.operands[n] for target in targets for n in _positions(op, len(target.operands))])


def _split_handle(op: Any, state: State) -> None:
    payload = state.payload(op.operands[0], op)
    count = len(op.results)
    overflow = attribute_of(op, "overflow_result")
    through = attribute_of(op, "pass_through_empty_handle")
    if not payload and not (isinstance(through, IntegerAttr) and through.value.data == 0):
        for result in op.results:
            state.set(result, [])
        return
    if len(payload) > count and overflow is None:
        raise silenceable(op, f"expected to contain {count} payloads but it contains {len(payload)} payloads")
    small = attribute_of(op, "fail_on_payload_too_small")
    if len(payload) < count and not (isinstance(small, IntegerAttr) and small.value.data == 0):
        raise silenceable(op, f"expected to contain {count} payloads but it contains {len(payload)} payloads")
    parts: list[list[Any]] = [[] for _ in op.results]
    last = overflow.value.data if isinstance(overflow, IntegerAttr) else 0
    for position, item in enumerate(payload):
        parts[position if position < count else last].append(item)
    for result, part in zip(op.results, parts, strict=True):
        state.set(result, part)


def _merge_handles(op: Any, state: State) -> None:
    payload = [item for value in op.operands for item in state.payload(value, op)]
    state.set(op.results[0], list(dict.fromkeys(payload)) if is_set(op, "deduplicate") else payload)


def _num_associations(op: Any, state: State) -> None:
    state.set(op.results[0], [IntegerAttr(len(state.payload(op.operands[0], op)), i64)])


def _param_constant(op: Any, state: State) -> None:
    state.set(op.results[0], [op.properties["value"]])


def _cast(op: Any, state: State) -> None:
    payload = state.payload(op.operands[0], op)
    wanted = getattr(op.results[0].type, "operation_name", None)
    if isinstance(wanted, StringAttr) and any(isinstance(item, Operation) and name_of(item) != wanted.data for item in payload):
        raise failure(op, f"incompatible payload operation name expected {wanted.data}")
    state.set(op.results[0], payload)


def _print(op: Any, state: State) -> None:
    from stepwell.ir.text.printing import print_ir

    name = attribute_of(op, "name")
    title = f"[[[ IR printer: {name.data if isinstance(name, StringAttr) else ''} "
    if not op.operands:
        sys.stdout.write(f"{title}top-level ]]]\n{print_ir(state.root)}\n")
        return
    sys.stdout.write(f"{title}]]]\n")
    for item in state.payload(op.operands[0], op):
        sys.stdout.write(f"{print_ir(item) if isinstance(item, Operation) else item}\n")


def _annotate(op: Any, state: State) -> None:
    name = attribute_of(op, "name")
    assert isinstance(name, StringAttr)
    values: list[Attribute] = state.params(op.operands[1], op) if len(op.operands) > 1 else [UnitAttr()]
    for position, target in enumerate(state.ops(op.operands[0], op)):
        target.attributes[name.data] = values[position if len(values) > 1 else 0]


def _emit_remark_at(op: Any, state: State) -> None:
    message = attribute_of(op, "message")
    assert isinstance(message, StringAttr)
    for item in state.payload(op.operands[0], op):
        target = item if isinstance(item, Operation) else item.owner if isinstance(item, SSAValue) else None
        if isinstance(target, Operation):
            remark(target, message.data)


def _emit_param_as_remark(op: Any, state: State) -> None:
    from stepwell.ir.rules import shown

    message = attribute_of(op, "message")
    text = f"{message.data} " if isinstance(message, StringAttr) else ""
    params = ", ".join(shown(param) for param in state.params(op.operands[0], op))
    targets = state.ops(op.operands[1], op) if len(op.operands) > 1 else [op]
    for target in targets:
        remark(target, f"{text}{params}")


HANDLES: dict[str, Callable[[Any, State], None]] = {
    "transform.structured.match": _match,
    "transform.get_parent_op": _get_parent_op,
    "transform.get_producer_of_operand": _get_producer,
    "transform.get_consumers_of_result": _get_consumers,
    "transform.get_defining_op": _get_defining_op,
    "transform.get_result": _get_result,
    "transform.get_operand": _get_operand,
    "transform.split_handle": _split_handle,
    "transform.merge_handles": _merge_handles,
    "transform.num_associations": _num_associations,
    "transform.param.constant": _param_constant,
    "transform.cast": _cast,
    "transform.print": _print,
    "transform.annotate": _annotate,
    "transform.debug.emit_remark_at": _emit_remark_at,
    "transform.debug.emit_param_as_remark": _emit_param_as_remark,
}
