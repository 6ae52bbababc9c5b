"""What must hold of `scf` operations, as rows of a table with MLIR's words; in `REGIONS`, what is asked once everything inside is in order.

Values that flow between an operation and its regions are judged along the edges of control flow, as upstream does: `along control flow
edge from Operation scf.yield to Region #0: ...`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import IndexType, IntegerAttr, UnregisteredOp
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.ir.rules import Complete, Kind, Rule, fail, is_signless, number_of_results, operand, operands, shown, width
from stepwell.ir.verify import op_error

INDEX = Kind("index", lambda t: isinstance(t, IndexType))
BOOL = Kind("1-bit signless integer", lambda t: is_signless(t) and width(t) == 1)
COUNTER = Kind("signless integer or index", lambda t: isinstance(t, IndexType) or is_signless(t))


# ---- regions ------------------------------------------------------------------------------------------------------------------------


def _single_blocks(op: Operation) -> None:
    """Each region that is there has one block, with something in it."""
    for number, region in enumerate(op.regions):
        if region.first_block is not region.last_block:
            fail(f"expects region #{number} to have 0 or 1 blocks")
        if region.first_block is not None and region.first_block.last_op is None:
            fail("expects a non-empty block")


def _regions(count: int) -> Rule:
    def rule(op: Operation) -> None:
        if len(op.regions) != count:
            fail("requires one region" if count == 1 else f"expected {count} regions")

    return rule


def _filled(*names: str) -> Rule:
    """The regions of these names are there."""

    def rule(op: Operation) -> None:
        for number, (name, region) in enumerate(zip(names, op.regions, strict=False)):
            if region.first_block is None:
                fail(f"region #{number} ('{name}') failed to verify constraint: region with 1 blocks")

    return rule


def _no_region_arguments(op: Operation) -> None:
    for number, region in enumerate(op.regions):
        if any(block.args for block in region.blocks):
            fail(f"region #{number} should have no arguments")


def _parent(*names: str) -> Rule:
    wanted = f"expects parent op '{names[0]}'" if len(names) == 1 else f"expects parent op to be one of '{', '.join(names)}'"

    def rule(op: Operation) -> None:
        parent = op.parent_op()
        if parent is None or parent.name not in names:
            fail(wanted)

    return rule


def _edge(source: str, values: Sequence[SSAValue], target: str, inputs: Sequence[SSAValue]) -> None:
    """What flows along an edge is as many values as are taken in, of the same types."""
    if len(values) != len(inputs):
        counts = f"region branch point has {len(values)} operands, but region successor needs {len(inputs)} inputs"
        fail(f"along control flow edge from {source} to {target}: {counts}")
    for index, (value, taken) in enumerate(zip(values, inputs, strict=True)):
        if value.type != taken.type:
            types = (
                f"successor operand type #{index} '{shown(value.type)}' should match successor input type #{index} '{shown(taken.type)}'"
            )
            fail(f"along control flow edge from {source} to {target}: {types}")


def _operation(op: Operation) -> str:
    return f"Operation {op.name}"


# ---- for ----------------------------------------------------------------------------------------------------------------------------


def _for_types(op: Any) -> None:
    if not op.lb.type == op.ub.type == op.step.type:
        fail("failed to verify that all of {lowerBound, upperBound, step} have same type")
    if len(op.results) != len(op.operands) - 3:
        fail("mismatch in number of loop-carried values and defined values")


def _for_operands(op: Operation) -> None:
    if len(op.operands) < 3:
        fail(f"expected 3 or more operands, but found {len(op.operands)}")


def _for_regions(op: Any) -> None:
    arguments = op.body.block.args
    inits = op.operands[3:]
    if not arguments:
        fail("expected body to have at least 1 argument(s) for the induction variable, but got 0")
    if arguments[0].type != op.operands[0].type:
        if not COUNTER.has(arguments[0].type):
            fail(f"0-th induction variable has invalid type: '{shown(arguments[0].type)}'")
        fail("expected induction variable to be same type as bounds and step")
    carried, end = arguments[1:], op.body.block.last_op
    if len(inits) != len(carried):
        fail(f"different number of inits and region iter_args: {len(inits)} != {len(carried)}")
    if end.name != "scf.yield" and not isinstance(end, UnregisteredOp):
        fail(f"expects regions to end with 'scf.yield', found '{end.name}'")
    if len(end.operands) != len(carried):
        fail(f"different number of region iter_args and yielded values: {len(carried)} != {len(end.operands)}")
    _edge("parent", inits, "Region #0", carried)
    _edge("parent", inits, _operation(op), op.results)
    _edge(_operation(end), end.operands, "Region #0", carried)
    _edge(_operation(end), end.operands, _operation(op), op.results)


# ---- if, index_switch, execute_region ------------------------------------------------------------------------------------------------


def _if_else(op: Operation) -> None:
    if op.results and op.regions[1].first_block is None:
        fail("must have an else block if defining values")


def _choice_regions(op: Operation) -> None:
    """What the last operation of each block passes on are the results."""
    for region in op.regions:
        for block in region.blocks:
            end = block.last_op
            if end is not None and end.name == "scf.yield":
                _edge(_operation(end), end.operands, _operation(op), op.results)
            elif end is not None and not end.successors and op.name == "scf.if" and not isinstance(end, UnregisteredOp):
                fail(f"expects regions to end with 'scf.yield', found '{end.name}'")


def _execute_region(op: Any) -> None:
    if op.region.first_block is None:
        fail("region needs to have at least one block")
    if op.region.first_block.args:
        fail("region cannot have any arguments")


def _switch(op: Any) -> None:
    values = [int(value) for value in op.cases.get_values()]
    regions = op.regions[1:]
    if len(values) != len(regions):
        fail(f"has {len(regions)} case regions but {len(values)} case values")
    for number, value in enumerate(values):
        if value in values[:number]:
            fail(f"has duplicate case value: {value}")
    for name, region in zip(("default region", *(f"case region #{n}" for n in range(len(regions)))), op.regions, strict=True):
        end = region.block.last_op
        if end.name != "scf.yield":
            fail(f"expected region to end with scf.yield, but got {end.name}")
        if len(end.operands) != len(op.results):
            fail(f"expected each region to return {len(op.results)} values, but {name} returns {len(end.operands)}")
        for index, (given, result) in enumerate(zip(end.operands, op.results, strict=True)):
            if given.type != result.type:
                fail(f"expected result #{index} of each region to be '{shown(result.type)}'")


# ---- while --------------------------------------------------------------------------------------------------------------------------


def _while_ends(op: Any) -> None:
    for region, name, end in ((op.regions[0], "before", "scf.condition"), (op.regions[1], "after", "scf.yield")):
        if region.block.last_op.name != end:
            fail(f"expects the '{name}' region to terminate with '{end}'")


def _while_regions(op: Any) -> None:
    before, after = op.regions[0].block, op.regions[1].block
    condition, end = before.last_op, after.last_op
    _edge("parent", op.operands, "Region #0", before.args)
    _edge(_operation(condition), condition.operands[1:], "Region #1", after.args)
    _edge(_operation(condition), condition.operands[1:], _operation(op), op.results)
    _edge(_operation(end), end.operands, "Region #0", before.args)


# ---- parallel -----------------------------------------------------------------------------------------------------------------------


def _parallel(op: Any) -> None:
    loops, arguments = len(op.step), op.body.block.args
    if not loops:
        fail("needs at least one tuple element for lowerBound, upperBound and step")
    if not len(op.lowerBound) == len(op.upperBound) == loops:
        fail(f"expects as many lower bounds ({len(op.lowerBound)}) and upper bounds ({len(op.upperBound)}) as steps ({loops})")
    for step in op.step:
        value = step.owner.properties.get("value") if isinstance(step.owner, Operation) and step.owner.name == "arith.constant" else None
        if isinstance(value, IntegerAttr) and value.value.data <= 0:
            fail("constant step operand must be positive")
    if len(arguments) != loops:
        fail(f"expects the same number of induction variables: {len(arguments)} as bound and step values: {loops}")
    if not all(isinstance(argument.type, IndexType) for argument in arguments):
        fail("expects arguments for the induction variable to be of index type")
    reduce = op.body.block.last_op
    if reduce.name != "scf.reduce":
        fail("expects body to terminate with 'scf.reduce'")
    results, reductions, inits = len(op.results), len(reduce.regions), len(op.initVals)
    if results != reductions:
        fail(f"expects number of results: {results} to be the same as number of reductions: {reductions}")
    if results != inits:
        fail(f"expects number of results: {results} to be the same as number of initial values: {inits}")
    if len(reduce.operands) == inits:
        for index, (result, joined) in enumerate(zip(op.results, reduce.operands, strict=True)):
            if result.type != joined.type:
                given = f"expects type of {index}-th reduction operand: '{shown(joined.type)}'"
                raise op_error(reduce, f"{given} to be the same as the {index}-th result type: '{shown(result.type)}'")


def _reduce(op: Any) -> None:
    if len(op.regions) != len(op.operands):
        fail(f"expects number of reduction regions: {len(op.regions)} to be the same as number of reduction operands: {len(op.operands)}")


def _reduce_regions(op: Any) -> None:
    for index, (value, region) in enumerate(zip(op.operands, op.regions, strict=True)):
        type: Attribute = value.type
        if region.block.last_op is None:
            fail(f"{index}-th reduction has an empty body")
        if tuple(region.block.arg_types) != (type, type):
            fail(f"expected two block arguments with type '{shown(type)}' in the {index}-th reduction region")
        if region.block.last_op.name != "scf.reduce.return":
            fail("reduction bodies must be terminated with an 'scf.reduce.return' op")


def _reduce_return(op: Operation) -> None:
    reduce = op.parent_op()
    region = op.parent_region()
    if reduce is None or region is None:
        return
    number = reduce.get_region_index(region)
    type = reduce.operands[number].type if number < len(reduce.operands) else None
    if type is not None and op.operands[0].type != type:
        fail(f"must have type '{shown(type)}' (the type of the reduction inputs)")


# ---- forall -------------------------------------------------------------------------------------------------------------------------


def _in_parallel(op: Any) -> None:
    forall = op.parent_op()
    for inside in op.regions[0].block.ops:
        if isinstance(inside, UnregisteredOp):
            continue
        if inside.name != "tensor.parallel_insert_slice":
            fail("expected only ParallelCombiningOpInterface ops")
        if getattr(inside.dest.owner, "parent_op", lambda: None)() is not forall or inside.dest not in forall.regions[0].block.args:
            raise op_error(inside, "may only insert into an output block argument")


def _one_mask(op: Any) -> None:
    mapping: Any = op.properties.get("mapping")
    if mapping is not None and sum(attribute.name == "gpu.mask" or "mask" in str(attribute) for attribute in mapping) > 1:
        fail('"mapping" supports at most one device masking attribute')


RULES: dict[str, Sequence[Rule]] = {
    "scf.for": Complete((_regions(1), _single_blocks, _for_operands, operands(COUNTER, 0, 3), _for_types, _filled("region"))),
    "scf.if": Complete((_regions(2), _single_blocks, _no_region_arguments, operand(0, BOOL), _filled("thenRegion"), _if_else)),
    "scf.while": Complete((_regions(2), _filled("before", "after"), _single_blocks, _while_ends)),
    "scf.index_switch": Complete((_single_blocks, operand(0, INDEX), _filled("defaultRegion", "caseRegions"), _switch)),
    "scf.execute_region": Complete((_execute_region,)),
    "scf.parallel": (_regions(1), _single_blocks, _filled("region"), _parallel),
    "scf.reduce": Complete((_parent("scf.parallel"), _reduce)),
    "scf.reduce.return": (_parent("scf.reduce"), _reduce_return),
    "scf.yield": Complete((_parent("scf.execute_region", "scf.for", "scf.if", "scf.index_switch", "scf.while"), number_of_results(0))),
    "scf.condition": (_parent("scf.while"), operand(0, BOOL)),
    "scf.forall.in_parallel": (_parent("scf.forall"), _in_parallel),
    "scf.forall": (_one_mask,),
}

REGIONS: dict[str, Callable[[Any], None]] = {
    "scf.for": _for_regions,
    "scf.if": _choice_regions,
    "scf.execute_region": _choice_regions,
    "scf.while": _while_regions,
    "scf.reduce": _reduce_regions,
}
"""By operation: what is asked of its regions."""
