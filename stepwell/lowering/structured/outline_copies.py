"""Data movement that `@main` cannot avoid becomes kernels, scheduled and shared like all others.

In: `@main` in destination form, with `linalg.copy`, `linalg.fill` and `linalg.pack`. Out: calls of private kernels `@copy`, `@fill_zero`,
`@pack_32`, ...

Dimensions that are contiguous on both sides are joined first, so that few variants exist and the innermost loop is long. A kernel wants
an innermost stride of 1; where there is none, an extent of 1 is added innermost.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    FunctionType,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, linalg, tensor
from stepwell.dialects.linalg import IteratorTypeAttr
from stepwell.dialects.scf import ForOp, IfOp, WhileOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.structured.control import body_of, branches_of
from stepwell.lowering.structured.kernels import (
    SymbolTable,
    callers,
    erase_dead,
    insert_before,
    location_of,
    mark_packed,
    module_of,
    shape_of,
)
from stepwell.lowering.structured.static_layouts import Groups, Layout, collapse, contiguous, expand
from stepwell.lowering.structured.view_layouts import propagate


@dataclass(frozen=True)
class OutlineCopies(Pass):
    """Make kernels of the copies, fills and packings in `@main`.

    ```mlir
    %r = linalg.copy ins(%x : tensor<1x4x8xf32>) outs(%e : tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
    ```
    becomes
    ```mlir
    %xc = tensor.collapse_shape %x [[0, 1, 2]] : tensor<1x4x8xf32> into tensor<32xf32>
    %ec = tensor.collapse_shape %e [[0, 1, 2]] : tensor<1x4x8xf32> into tensor<32xf32>
    %rc = func.call @copy(%xc, %ec) : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
    %r = tensor.expand_shape %rc [[0, 1, 2]] output_shape [1, 4, 8] : tensor<32xf32> into tensor<1x4x8xf32>
    func.func private @copy(%x: tensor<32xf32>, %out: tensor<32xf32>) -> tensor<32xf32> attributes {kernel} { ... }
    ```
    """

    name: ClassVar[str] = "outline-copies"

    def run(self, op: Operation, ctx: Context) -> None:
        outliner = _Outliner(module_of(op))
        for function in callers(op):
            block = function.body.block
            outliner.outline(block, {arg: contiguous(shape_of(arg)) for arg in block.args})


class _Outliner:
    def __init__(self, module: ModuleOp) -> None:
        self._module = module
        self._symbols: SymbolTable | None = None
        self._made: dict[Hashable, str] = {}

    def outline(self, block: Block, layouts: dict[SSAValue, Layout]) -> None:
        for op in list(block.ops):
            if isinstance(op, IfOp):
                for branch in branches_of(op):
                    self.outline(branch, layouts)
            propagate(op, layouts)
            if isinstance(op, linalg.CopyOp):
                self._outline_copy(op, layouts)
            elif isinstance(op, linalg.FillOp):
                self._outline_fill(op, layouts)
            elif isinstance(op, linalg.PackOp):
                self._outline_pack(op, layouts)
            elif isinstance(op, (ForOp, WhileOp)):
                self.outline(body_of(op), layouts)
        erase_dead(block, (arith.ConstantOp, tensor.EmptyOp))

    def _outline_copy(self, op: linalg.CopyOp, layouts: dict[SSAValue, Layout]) -> None:
        source, dest = op.operands
        sides = [layouts.get(v) or contiguous(shape_of(v)) for v in (source, dest)]
        views = _Views(op, sides)
        source, dest = views.apply(source), views.apply(dest)
        type = cast(TensorType[Any], dest.type)
        name = self._kernel(("copy", type), "copy", lambda: _copy_kernel(type))
        self._call(op, name, [source, dest], views, layouts)

    def _outline_fill(self, op: linalg.FillOp, layouts: dict[SSAValue, Layout]) -> None:
        constant = op.inputs[0].owner
        if not isinstance(constant, arith.ConstantOp):
            raise CompileError("'linalg.fill' outside of a kernel needs a constant", location=location_of(op))
        value = cast(Attribute, constant.value)
        dest = op.outputs[0]
        views = _Views(op, [layouts.get(dest) or contiguous(shape_of(dest))])
        dest = views.apply(dest)
        type = cast(TensorType[Any], dest.type)
        name = self._kernel(("fill", value, type), f"fill_{_describe(value)}", lambda: _fill_kernel(value, type))
        self._call(op, name, [dest], views, layouts)

    def _outline_pack(self, op: linalg.PackOp, layouts: dict[SSAValue, Layout]) -> None:
        source, dest = op.operands[0], op.operands[1]
        positions = list(op.inner_dims_pos.get_values())
        tiles = list(op.static_inner_tiles.get_values())
        rank = len(shape_of(source))
        order = list(op.outer_dims_perm.get_values()) if op.outer_dims_perm else list(range(rank))
        if len(positions) != 1 or tiles[0] <= 0:
            raise CompileError("'linalg.pack' of several dimensions is not supported outside of a kernel", location=location_of(op))
        dimension, tile = int(positions[0]), int(tiles[0])
        padding = op.padding_value.owner if op.padding_value is not None else None
        is_ragged = shape_of(source)[dimension] % tile != 0
        if is_ragged and not isinstance(padding, arith.ConstantOp):
            raise CompileError("'linalg.pack' outside of a kernel needs a constant to pad with", location=location_of(op))
        value = cast(Attribute, padding.value) if is_ragged and isinstance(padding, arith.ConstantOp) else None
        types = cast(TensorType[Any], source.type), cast(TensorType[Any], dest.type)
        key = ("pack", types, dimension, tile, tuple(order), value)
        name = self._kernel(key, f"pack_{tile}", lambda: _pack_kernel(*types, dimension, tile, order, value))
        self._call(op, name, [source, dest], None, layouts)

    def _kernel(self, key: Hashable, wish: str, build: Any) -> str:
        """The name of the kernel of that key, made when it is first asked for."""
        if key not in self._made:
            self._symbols = self._symbols or SymbolTable(self._module)
            name = self._symbols.fresh(wish)
            kernel = cast(func.FuncOp, build())
            kernel.properties["sym_name"] = StringAttr(name)
            self._module.body.block.add_op(kernel)
            self._made[key] = name
        return self._made[key]

    def _call(self, op: Operation, name: str, operands: Sequence[SSAValue], views: _Views | None, layouts: dict[SSAValue, Layout]) -> None:
        call = func.CallOp.create(
            operands=operands, result_types=[operands[-1].type], properties={"callee": SymbolRefAttr(name)}, location=op.location
        )
        insert_before(op, call)
        result = views.undo(call.results[0]) if views else call.results[0]
        layouts[result] = layouts[op.results[0]]
        op.results[0].replace_all_uses_with(result)
        Rewriter.erase_op(op)


# ---- fewer dimensions -----------------------------------------------------------------------------------------------------------


class _Views:
    """The views through which a kernel sees the operands of a copy: contiguous dimensions joined, a unit extent added where the
    innermost stride is not 1."""

    def __init__(self, op: Operation, sides: Sequence[Layout]) -> None:
        self._op = op
        self._shape = sides[0].shape
        self._groups = _joined(sides)
        joined = [cast(Layout, side.collapse(self._groups)) if self._groups else side for side in sides]
        if self._groups and not all(side.is_readable for side in joined) and self._shape[-1] == 1 and len(self._groups[-1]) > 1:
            # There is an innermost extent of 1 already: it stays.
            self._groups = (*self._groups[:-1], self._groups[-1][:-1], self._groups[-1][-1:])
            joined = [cast(Layout, side.collapse(self._groups)) for side in sides]
        self._joined_shape = joined[0].shape
        rank = len(self._joined_shape)
        self._needs_unit = rank == 0 or not all(side.is_readable for side in joined)
        self._unit_groups: Groups = tuple((d,) for d in range(rank - 1)) + (((rank - 1, rank),) if rank else ())

    def apply(self, value: SSAValue) -> SSAValue:
        if len(self._joined_shape) < len(self._shape):
            value = self._insert(collapse(value, self._groups))
        if self._needs_unit:
            value = self._insert(expand(value, self._unit_groups, (*self._joined_shape, 1)))
        return value

    def undo(self, value: SSAValue) -> SSAValue:
        if self._needs_unit:
            value = self._insert(collapse(value, self._unit_groups))
        if len(self._joined_shape) < len(self._shape):
            value = self._insert(expand(value, self._groups, self._shape))
        return value

    def _insert(self, op: Operation) -> SSAValue:
        insert_before(self._op, op)
        return op.results[0]


def _joined(sides: Sequence[Layout]) -> Groups:
    """The dimensions in groups that are contiguous on every side; extents of 1 go with their neighbours."""
    shape = sides[0].shape
    groups: list[list[int]] = []
    last: int | None = None
    for d, extent in enumerate(shape):
        previous, last = last, d if extent != 1 else last
        is_contiguous = previous is None or extent == 1 or all(s.strides[previous] == s.strides[d] * extent for s in sides)
        if groups and is_contiguous:
            groups[-1].append(d)
        else:
            groups.append([d])
    return tuple(tuple(g) for g in groups)


# ---- the kernels ----------------------------------------------------------------------------------------------------------------


def _kernel(inputs: Sequence[TensorType[Any]], out: TensorType[Any]) -> tuple[func.FuncOp, Block]:
    """An empty kernel of these inputs and one destination."""
    block = Block(arg_types=[*inputs, out])
    for arg, hint in zip(block.args, [*("x" for _ in inputs), "out"], strict=True):
        arg.name_hint = hint
    writable = DictionaryAttr({"bufferization.writable": BoolAttr.from_bool(True)})
    kernel = func.FuncOp.create(
        properties={
            "sym_name": StringAttr(""),
            "function_type": FunctionType.from_lists([*inputs, out], [out]),
            "sym_visibility": StringAttr("private"),
            "arg_attrs": ArrayAttr([*(DictionaryAttr({}) for _ in inputs), writable]),
        },
        attributes={"kernel": UnitAttr()},
        regions=[Region(block)],
    )
    return kernel, block


def _generic(source: SSAValue, dest: SSAValue, read: AffineMap, written: AffineMap) -> linalg.GenericOp:
    """A generic that moves every element."""
    type = cast(TensorType[Any], dest.type)
    body = Block(arg_types=[type.element_type, type.element_type])
    body.add_op(linalg.YieldOp(body.args[0]))
    return linalg.GenericOp.create(
        operands=[source, dest],
        result_types=[type],
        properties={
            "indexing_maps": ArrayAttr([AffineMapAttr(read), AffineMapAttr(written)]),
            "iterator_types": ArrayAttr([IteratorTypeAttr.parallel()] * read.num_dims),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [1, 1]),
        },
        regions=[Region(body)],
    )


def _copy_kernel(type: TensorType[Any]) -> func.FuncOp:
    kernel, block = _kernel([type], type)
    identity = AffineMap.identity(type.get_num_dims())
    copy = _generic(block.args[0], block.args[1], identity, identity)
    block.add_ops([copy, func.ReturnOp(copy.results[0])])
    return kernel


def _fill_kernel(value: Attribute, type: TensorType[Any]) -> func.FuncOp:
    kernel, block = _kernel([], type)
    constant = arith.ConstantOp.create(properties={"value": value}, result_types=[type.element_type])
    fill = linalg.FillOp([constant.results[0]], [block.args[0]], [type])
    block.add_ops([constant, fill, func.ReturnOp(fill.results[0])])
    return kernel


def _pack_kernel(
    source: TensorType[Any], dest: TensorType[Any], dimension: int, tile: int, order: Sequence[int], padding: Attribute | None
) -> func.FuncOp:
    """One loop per dimension of the source. What lies beyond its end is filled first; without `padding` there is nothing of the kind."""
    kernel, block = _kernel([source], dest)
    mark_packed(kernel, 1)
    out: SSAValue = block.args[1]
    if padding is not None:
        constant = arith.ConstantOp.create(properties={"value": padding}, result_types=[source.element_type])
        fill = linalg.FillOp([constant.results[0]], [out], [dest])
        block.add_ops([constant, fill])
        out = fill.results[0]
    read = AffineMap.identity(source.get_num_dims())
    outer = [read.results[d] // tile if d == dimension else read.results[d] for d in order]
    pack = _generic(block.args[0], out, read, AffineMap(read.num_dims, 0, (*outer, read.results[dimension] % tile)))
    block.add_ops([pack, func.ReturnOp(pack.results[0])])
    return kernel


def _describe(value: Attribute) -> str:
    """A word for a constant, for names."""
    if isinstance(value, (FloatAttr, IntegerAttr)):
        number = float(cast(Any, value).value.data)
        if number == 0:
            return "zero"
        if number == 1:
            return "one"
        if number < -1e4:
            return "lowest"
    return "value"
