"""Ways to make IR smaller: each lists what it could take away, and takes a chosen part of that away from a copy.

A reduction may produce IR that is not valid; whoever uses it verifies. Things are chosen by number in the order of `targets`, which is the
same for equal IR, so that a choice made on one copy means the same on another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FloatAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    TensorType,
    VectorType,
)
from xdsl.dialects.cf import BranchOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.traits import IsTerminator, SymbolOpInterface

from stepwell.ir.rewrite.known_constants import materialize_constant
from stepwell.ir.rewrite.unreachable import erase_unreachable

SHAPED = (TensorType, VectorType, MemRefType)


class Reduction(NamedTuple):
    """A way to make IR smaller."""

    name: str
    targets: Callable[[Operation], Sequence[Any]]
    apply: Callable[[Operation, Sequence[Any], Collection[int]], None]


# ---- operations -------------------------------------------------------------------------------------------------------------------


def _symbols(root: Operation) -> list[Operation]:
    return [op for op in _inside(root) if op.get_trait(SymbolOpInterface) is not None]


def _erasable(root: Operation) -> list[Operation]:
    """Last first, so that uses go before what they use."""
    ops = [op for op in list(root.walk())[1:] if op.get_trait(IsTerminator) is None and op.get_trait(SymbolOpInterface) is None]
    return ops[::-1]


def _with_bodies(root: Operation) -> list[Operation]:
    return [op for op in _inside(root) if op.name == "func.func" and op.regions[0].first_block is not None]


def _inside(root: Operation) -> list[Operation]:
    return [op for region in root.regions for block in region.blocks for op in block.ops]


def _erase(root: Operation, targets: Sequence[Operation], chosen: Collection[int]) -> None:
    for number in chosen:
        op = targets[number]
        if op.parent is None:
            continue  # it went with the operation around it
        for result in op.results:
            if result.first_use is not None:
                result.replace_all_uses_with(_stand_in(op, result))
        op.parent.erase_op(op, safe_erase=False)


def _stand_in(op: Operation, result: SSAValue) -> SSAValue:
    """A value of the same type: an operand, an argument of a block around, or a constant in its place."""
    for operand in op.operands:
        if operand.type == result.type:
            return operand
    block = op.parent
    while block is not None:
        for argument in block.args:
            if argument.type == result.type:
                return argument
        block = block.parent_block()
    return _constant(op, result.type)


def _constant(before: Operation, kind: Attribute) -> SSAValue:
    """A constant of that type in front of an operation; poison where constants of the type do not exist."""
    shaped = cast(Any, kind) if isinstance(kind, TensorType | VectorType) else None
    element = cast(Any, shaped.get_element_type() if shaped else kind)
    value: Any = None
    if isinstance(element, IntegerType | IndexType):
        value = IntegerAttr(0, element)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    elif isinstance(element, AnyFloat):
        value = FloatAttr(0.0, element)
    if value is not None and shaped:
        value = DenseIntOrFPElementsAttr.from_list(shaped, [0]) if shaped.has_static_shape() else None
    new = materialize_constant(cast(Attribute, value), cast(Attribute, kind), before) if value is not None else None
    if new is None:
        from xdsl.dialects.ub import PoisonOp

        new = PoisonOp.create(result_types=[cast(Attribute, kind)])
    assert before.parent is not None
    before.parent.insert_op_before(new, before)
    return new.results[0]


def _drop_bodies(root: Operation, targets: Sequence[Operation], chosen: Collection[int]) -> None:
    for number in chosen:
        op = targets[number]
        for block in list(op.regions[0].blocks):
            op.regions[0].erase_block(block, safe_erase=False)
        op.properties["sym_visibility"] = StringAttr("private")


# ---- regions and blocks -------------------------------------------------------------------------------------------------------------


def _wrappers(root: Operation) -> list[Operation]:
    """Operations with a region of one block that are no symbols: loops, conditions."""
    found = [op for op in list(root.walk())[1:] if op.regions and op.get_trait(SymbolOpInterface) is None]
    return [op for op in found if (r := op.regions[0]).first_block is not None and r.first_block is r.last_block]


def _unwrap(root: Operation, targets: Sequence[Operation], chosen: Collection[int]) -> None:
    """The first region of an operation takes its place."""
    for number in chosen:
        op = targets[number]
        block = op.regions[0].first_block
        if op.parent is None or block is None:
            continue
        for argument in list(block.args):
            argument.replace_all_uses_with(_like(op, argument))
        last = block.last_op
        given: Sequence[SSAValue] = ()
        if last is not None and last.get_trait(IsTerminator) is not None:
            given = tuple(last.operands)
            block.erase_op(last)
        for inner in list(block.ops):
            inner.detach()
            op.parent.insert_op_before(inner, op)
        for number_, result in enumerate(op.results):
            matching = number_ < len(given) and given[number_].type == result.type
            if result.first_use is not None:
                result.replace_all_uses_with(given[number_] if matching else _stand_in(op, result))
        op.parent.erase_op(op, safe_erase=False)


def _like(op: Operation, argument: BlockArgument) -> SSAValue:
    """For an argument of a body: an operand of the same type, from behind (initial values stand there), or a constant."""
    for operand in reversed(op.operands):
        if operand.type == argument.type:
            return operand
    return _constant(op, argument.type)


def _edges(root: Operation) -> list[tuple[Operation, int]]:
    return [(op, i) for op in root.walk() if len(op.successors) > 1 for i in range(len(op.successors))]


def _keep_edge(root: Operation, targets: Sequence[tuple[Operation, int]], chosen: Collection[int]) -> None:
    """A branch becomes a jump to one of its successors, whose arguments are made up where they cannot be told."""
    for number in chosen:
        op, successor = targets[number]
        if op.parent is None:
            continue
        target: Block = op.successors[successor]
        arguments = [_constant(op, argument.type) for argument in target.args]
        block = op.parent
        block.erase_op(op)
        block.add_op(BranchOp(target, *arguments))
    erase_unreachable(list(root.walk()))


# ---- signatures ---------------------------------------------------------------------------------------------------------------------


def _arguments(root: Operation) -> list[tuple[Operation, int]]:
    """Arguments of functions that nobody uses, last first."""
    found = [(op, arg.index) for op in _with_bodies(root) for arg in _entry(op).args if arg.first_use is None]
    return found[::-1]


def _entry(function: Operation) -> Block:
    block = function.regions[0].first_block
    assert block is not None
    return block


def _drop_arguments(root: Operation, targets: Sequence[tuple[Operation, int]], chosen: Collection[int]) -> None:
    for number in sorted(chosen):
        op, index = targets[number]
        block = _entry(op)
        block.erase_arg(block.args[index])
        attributes = op.properties.get("arg_attrs")
        if isinstance(attributes, ArrayAttr):
            op.properties["arg_attrs"] = ArrayAttr([*attributes.data[:index], *attributes.data[index + 1 :]])  # pyright: ignore
        _set_type(op, inputs=[argument.type for argument in block.args])


def _results(root: Operation) -> list[tuple[Operation, int]]:
    found: list[tuple[Operation, int]] = []
    for op in _with_bodies(root):
        kind = op.properties.get("function_type")
        if isinstance(kind, FunctionType):
            found += [(op, index) for index in range(len(kind.outputs))]
    return found[::-1]


def _drop_results(root: Operation, targets: Sequence[tuple[Operation, int]], chosen: Collection[int]) -> None:
    for number in sorted(chosen):
        op, index = targets[number]
        outputs: list[Attribute] = []
        for block in op.regions[0].blocks:
            last = block.last_op
            if last is not None and last.name == "func.return":
                last.operands = [*last.operands[:index], *last.operands[index + 1 :]]
                outputs = [value.type for value in last.operands]
        op.properties.pop("res_attrs", None)
        _set_type(op, outputs=outputs)


def _set_type(op: Operation, *, inputs: Sequence[Attribute] | None = None, outputs: Sequence[Attribute] | None = None) -> None:
    kind = op.properties["function_type"]
    assert isinstance(kind, FunctionType)
    op.properties["function_type"] = FunctionType.from_lists(
        list(kind.inputs) if inputs is None else list(inputs), list(kind.outputs) if outputs is None else list(outputs)
    )


# ---- attributes and types -----------------------------------------------------------------------------------------------------------


def _attributes(root: Operation) -> list[tuple[Operation, str]]:
    return [(op, name) for op in root.walk() for name in op.attributes]


def _drop_attributes(root: Operation, targets: Sequence[tuple[Operation, str]], chosen: Collection[int]) -> None:
    for number in chosen:
        op, name = targets[number]
        del op.attributes[name]


def _extents(root: Operation) -> list[tuple[int, int]]:
    """An extent of some type and a smaller one to put in its place, everywhere at once."""
    extents: set[int] = set()
    for op in root.walk():
        values: list[SSAValue] = [*op.results, *(argument for region in op.regions for block in region.blocks for argument in block.args)]
        for value in values:
            kind: Any = value.type
            if isinstance(kind, SHAPED):
                extents.update(extent for extent in kind.get_shape() if extent > 1)  # pyright: ignore
    return [
        (extent, smaller) for extent in sorted(extents, reverse=True) for smaller in sorted({1, 2, extent // 2}) if 0 < smaller < extent
    ]


def _shrink_extents(root: Operation, targets: Sequence[tuple[int, int]], chosen: Collection[int]) -> None:
    for number in chosen:
        extent, smaller = targets[number]
        for op in root.walk():
            for value in [*op.results, *(a for region in op.regions for block in region.blocks for a in block.args)]:
                value._type = _shrunk(value.type, extent, smaller)  # pyright: ignore[reportPrivateUsage]
            for table in (op.properties, op.attributes):
                for name, attribute in list(table.items()):
                    table[name] = _shrunk(attribute, extent, smaller)


def _shrunk(attribute: Attribute, extent: int, smaller: int) -> Attribute:
    """The same with every extent of that size made smaller."""
    match attribute:
        case TensorType() | VectorType():
            shape = [smaller if n == extent else n for n in attribute.get_shape()]
            rest = (attribute.scalable_dims,) if isinstance(attribute, VectorType) else (attribute.encoding,)
            return type(attribute)(attribute.element_type, shape, *rest)  # pyright: ignore
        case MemRefType():
            shape = [smaller if n == extent else n for n in attribute.get_shape()]
            return MemRefType(attribute.element_type, shape, attribute.layout, attribute.memory_space)  # pyright: ignore
        case FunctionType():
            lists = ([_shrunk(kind, extent, smaller) for kind in kinds] for kinds in (attribute.inputs, attribute.outputs))
            return FunctionType.from_lists(*lists)
        case DenseIntOrFPElementsAttr():
            kind = _shrunk(attribute.type, extent, smaller)  # pyright: ignore
            return attribute if kind == attribute.type else DenseIntOrFPElementsAttr.from_list(kind, [0])  # pyright: ignore
        case DenseArrayBase():
            return DenseArrayBase.from_list(attribute.elt_type, [smaller if n == extent else n for n in attribute.get_values()])  # pyright: ignore
        case ArrayAttr():
            return ArrayAttr([_shrunk(item, extent, smaller) for item in attribute.data])  # pyright: ignore
        case DictionaryAttr():
            return DictionaryAttr({name: _shrunk(item, extent, smaller) for name, item in attribute.data.items()})
        case _:
            return attribute


REDUCTIONS = (
    Reduction("functions", _symbols, _erase),
    Reduction("bodies of functions", _with_bodies, _drop_bodies),
    Reduction("operations", _erasable, _erase),
    Reduction("regions", _wrappers, _unwrap),
    Reduction("branches", _edges, _keep_edge),
    Reduction("results", _results, _drop_results),
    Reduction("arguments", _arguments, _drop_arguments),
    Reduction("attributes", _attributes, _drop_attributes),
    Reduction("extents", _extents, _shrink_extents),
)
"""From the coarsest to the finest."""
