"""The primitive `cache_read`."""

from __future__ import annotations

from xdsl.dialects.builtin import DenseArrayBase, MemRefType, StringAttr, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import affine, memref
from stepwell.dialects.gpu.mappings import AddressSpace, AddressSpaceAttr
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index
from stepwell.lowering.schedule.nest import (
    constant_extent,
    element_type,
    index_attr,
    induction_variable,
    loop_block,
    loop_name,
    loops_named,
    lower_bound,
    make_load,
    make_loop,
    make_store,
    memref_of,
    set_subscripts,
    step_of,
    subscripts,
    upper_bound,
)

WORKGROUP = AddressSpaceAttr(AddressSpace.WORKGROUP)
_NO_SEGMENTS = DenseArrayBase.from_list(i32, [0, 0])


def cache_read(func: FuncOp, operand: int, name: str, padding: int = 0) -> None:
    """What an iteration of a loop reads of an argument is copied at its start into memory that the threads of a block share.

    The copy has a dimension for each loop inside of `name` that the subscripts mention, in the order in which they do. `padding` elements
    are left free at the end of every row, so that a column lies in different banks.

    before: ["cache_read", 0, "k"]
    ```mlir
    func.func @k(%x: memref<?x?xf32>, %y: memref<?xf32>, %m: index, %K: index) {
      affine.for %k = 0 to %K step 8 {
        affine.for %kr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%k)[%K] {
          affine.for %mr = 0 to 4 {
            %v = affine.load %x[%m + %mr, %k + %kr] : memref<?x?xf32>
            affine.store %v, %y[%mr] : memref<?xf32>
          } {loop = "mr", vector = 4 : index}
        } {loop = "kr"}
      } {loop = "k"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?x?xf32>, %y: memref<?xf32>, %m: index, %K: index) {
      affine.for %k = 0 to %K step 8 {
        %x_shared = memref.alloca() : memref<4x8xf32, #gpu.address_space<workgroup>>
        affine.for %mr = 0 to 4 {
          affine.for %kr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%k)[%K] {
            %v = affine.load %x[%m + %mr, %k + %kr] : memref<?x?xf32>
            affine.store %v, %x_shared[%mr, %kr] : memref<4x8xf32, #gpu.address_space<workgroup>>
          } {loop = "kr_0", iterator = "parallel", vector = 8 : index}
        } {loop = "mr_0", iterator = "parallel", vector = 4 : index}
        affine.for %kr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%k)[%K] {
          affine.for %mr = 0 to 4 {
            %v = affine.load %x_shared[%mr, %kr] : memref<4x8xf32, #gpu.address_space<workgroup>>
            affine.store %v, %y[%mr] : memref<?xf32>
          } {loop = "mr", vector = 4 : index}
        } {loop = "kr"}
      } {loop = "k"}
      func.return
    }
    ```
    Legal: the argument is only read, always by the same subscripts; the loops inside have constant extents and bounds that are known
    outside of them.
    """
    arguments = func.body.block.args
    if not 0 <= operand < len(arguments) or not isinstance(arguments[operand].type, MemRefType):
        raise CompileError(f"kernel @{func.sym_name.data} has no memref as argument {operand}")
    argument = arguments[operand]
    if any(isinstance(use.operation, affine.StoreOp) for use in argument.uses):
        raise CompileError(f"argument {operand} of kernel @{func.sym_name.data} is written: a copy would not know")
    for loop in loops_named(func, name):
        _stage(func, loop, argument, operand, padding)


def _stage(func: FuncOp, outer: affine.ForOp, argument: SSAValue, operand: int, padding: int) -> None:
    loads = [op for op in outer.body.walk() if isinstance(op, affine.LoadOp) and memref_of(op) is argument]
    if not loads:
        raise CompileError(f"loop '{loop_name(outer)}' of kernel @{func.sym_name.data} does not read argument {operand}")
    index = subscripts(loads[0])
    if any(subscripts(other) != index for other in loads[1:]):
        raise CompileError(f"argument {operand} of kernel @{func.sym_name.data} is read in different places")
    inside = _loops_between(loads[0], outer)
    variables: list[SSAValue] = []
    for value in (value for part in index for value in part.values()):
        if value in inside and value not in variables:
            variables.append(value)
    if not variables:
        raise CompileError(f"argument {operand} does not depend on loops inside of '{loop_name(outer)}'")
    extents = [_extent(inside[variable], set(inside)) for variable in variables]

    shape = [*extents[:-1], extents[-1] + padding]
    type = MemRefType(element_type(argument), shape, memory_space=WORKGROUP)
    buffer = memref.AllocaOp.create(result_types=[type], properties={"operandSegmentSizes": _NO_SEGMENTS})
    buffer.results[0].name_hint = f"{argument.name_hint or 'operand'}_shared"
    blocks = [loop_block(variable.name_hint) for variable in variables]
    own = {variable: Index.of(block.args[0]) for variable, block in zip(variables, blocks, strict=True)}
    load = make_load(argument, [part.replace(own) for part in index])
    blocks[-1].add_op(load)
    blocks[-1].add_op(make_store(load.results[0], buffer.results[0], [own[variable] for variable in variables]))
    nest: Operation = load
    for position in reversed(range(len(variables))):
        loop = inside[variables[position]]
        attributes = {
            "loop": StringAttr(f"{loop_name(loop)}_{operand}"),
            "iterator": StringAttr("parallel"),
            "vector": index_attr(extents[position]),
        }
        nest = make_loop(upper_bound(loop), blocks[position], attributes)
        if position:
            blocks[position - 1].add_op(nest)
    first = outer.body.block.first_op
    assert first is not None
    outer.body.block.insert_op_before(buffer, first)
    outer.body.block.insert_op_before(nest, first)
    for read in loads:
        set_subscripts(read, [Index.of(variable) for variable in variables], buffer.results[0])


def _loops_between(op: Operation, outer: affine.ForOp) -> dict[SSAValue, affine.ForOp]:
    """The loops around an operation that stand inside of another, by variable."""
    found: dict[SSAValue, affine.ForOp] = {}
    parent = op.parent_op()
    while parent is not None and parent is not outer:
        if isinstance(parent, affine.ForOp):
            found[induction_variable(parent)] = parent
        parent = parent.parent_op()
    return found


def _extent(loop: affine.ForOp, inside: set[SSAValue]) -> int:
    extent, lower = constant_extent(loop), lower_bound(loop)
    starts = len(lower) == 1 and lower[0] == Index({}) and step_of(loop) == 1
    if extent is None or not starts or any(value in inside for bound in upper_bound(loop) for value in bound.values()):
        raise CompileError(f"loop '{loop_name(loop)}' has no constant extent that is known outside of it", hint="split it before")
    return extent
