"""`finalize-memref-to-llvm`: buffers become descriptors, access to them pointers.

Sizes and strides are known from the type or read from the descriptor. What allocates calls `malloc`, what frees `free`, which are declared
where they are not yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    UnrankedMemRefType,
    i32,
    i64,
)
from xdsl.dialects.llvm import LinkageAttr
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.traits import SymbolTable

from stepwell.dialects import llvm
from stepwell.dialects.llvm.calls import NO_FLAGS, NO_SIZES, NO_TAIL
from stepwell.dialects.llvm.linkage import C_CONVENTION
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, convert_partially
from stepwell.lowering.machine.to_llvm_types import (
    address_space,
    constant,
    extract,
    insert,
    layout_of,
    llvm_types,
    pointer,
    poison,
)

INDEX = IndexType()
NO_WRAP = IntegerAttr(0, i32)


def index_type(rewriter: Conversion) -> Attribute:
    """The integer that an index becomes."""
    found = rewriter.types.convert(INDEX)
    assert found is not None
    return found


def number(rewriter: Conversion, value: int) -> SSAValue:
    """`llvm.mlir.constant(value : index)`"""
    return constant(rewriter, value, index_type(rewriter), like=INDEX)


def binary(rewriter: Conversion, kind: type[Operation], a: SSAValue, b: SSAValue, flags: Attribute = NO_WRAP) -> SSAValue:
    """An integer operation that may wrap, or may not."""
    properties = {"overflowFlags": flags} if kind in (llvm.AddOp, llvm.SubOp, llvm.MulOp) else {}
    return rewriter.create(kind, (a, b), (a.type,), properties=properties).results[0]


def call(rewriter: Conversion, name: str, operands: Sequence[SSAValue], results: Sequence[Attribute]) -> SSAValue | None:
    """Call a function of the C library, declared in the module around."""
    assert rewriter.place is not None
    module = rewriter.place
    while module is not None and module.name != "builtin.module" and not module.has_trait(SymbolTable, value_if_unregistered=False):
        module = module.parent_op()
    assert module is not None
    if SymbolTable.lookup_symbol(module, StringAttr(name)) is None:
        type = llvm.LLVMFunctionType([value.type for value in operands], results[0] if results else None)
        block = module.regions[0].block
        made = llvm.FuncOp(name, type, LinkageAttr("external"))
        first = block.first_op
        if first is None:
            block.add_op(made)
        else:
            block.insert_op_before(made, first)
    properties: dict[str, Attribute] = {
        "callee": SymbolRefAttr(name),
        "fastmathFlags": NO_FLAGS,
        "CConv": C_CONVENTION,
        "TailCallKind": NO_TAIL,
        "op_bundle_sizes": NO_SIZES,
        "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(operands), 0]),
    }
    made = rewriter.create(llvm.CallOp, operands, results, properties=properties)
    return made.results[0] if results else None


def address(
    rewriter: Conversion,
    type: MemRefType[Any],
    descriptor: SSAValue,
    indices: Sequence[SSAValue],
    *,
    inbounds: bool = True,
    unsigned: bool = False,
) -> SSAValue:
    """The address of an element: aligned pointer, offset, and each index times its stride. `inbounds`: it is inside of the buffer;
    `unsigned`: neither does it wrap around as a number without a sign."""
    strides, offset = layout_of(type) or ([], 0)
    flags = IntegerAttr(inbounds + 2 * unsigned, i32)
    element = rewriter.types.convert(type.element_type)
    assert element is not None
    base = extract(rewriter, descriptor, 1)
    if offset != 0:
        start = extract(rewriter, descriptor, 2) if offset is None else number(rewriter, offset)
        base = _gep(rewriter, base, start, element, inbounds=False)
    total: SSAValue | None = None
    for dim, (index, stride) in enumerate(zip(indices, strides, strict=True)):
        term = index
        if stride != 1:
            factor = extract(rewriter, descriptor, 4, dim) if stride is None else number(rewriter, stride)
            term = binary(rewriter, llvm.MulOp, index, factor, flags)
        total = term if total is None else binary(rewriter, llvm.AddOp, total, term, flags)
    return base if total is None else _gep(rewriter, base, total, element, inbounds=inbounds, unsigned=unsigned)


def _gep(rewriter: Conversion, base: SSAValue, index: SSAValue, element: Attribute, *, inbounds: bool, unsigned: bool = False) -> SSAValue:
    properties: dict[str, Attribute] = {
        "elem_type": element,
        "rawConstantIndices": DenseArrayBase.from_list(i32, [llvm.GEP_USE_SSA_VAL]),
    }
    if inbounds or unsigned:
        properties["noWrapFlags"] = IntegerAttr(3 * inbounds + 4 * unsigned, i32)
    return rewriter.create(llvm.GEPOp, (base, index), (base.type,), properties=properties).results[0]


def sizes_and_strides(
    rewriter: Conversion, type: MemRefType[Any], dynamic: Sequence[SSAValue]
) -> tuple[list[SSAValue], list[SSAValue], SSAValue]:
    """Of a new buffer without gaps: sizes, strides, and how many elements there are."""
    values = iter(dynamic)
    shape = type.get_shape()
    sizes = [next(values) if extent == DYNAMIC_INDEX else number(rewriter, extent) for extent in shape]
    one = number(rewriter, 1)
    strides: list[SSAValue] = [one] * len(shape)
    product: int | None = 1
    running: SSAValue = one
    for dim in range(len(shape) - 1, -1, -1):
        if dim < len(shape) - 1:
            strides[dim] = running
        known = product is not None and shape[dim] != DYNAMIC_INDEX
        if known and product is not None:
            product *= shape[dim]
            running = sizes[dim] if running is one else number(rewriter, product)
        else:
            running = sizes[dim] if running is one else binary(rewriter, llvm.MulOp, running, sizes[dim])
            product = None
    return sizes, strides, running


def describe(
    rewriter: Conversion, type: Attribute, base: SSAValue, aligned: SSAValue, parts: tuple[list[SSAValue], list[SSAValue]]
) -> SSAValue:
    """The descriptor of a new buffer."""
    value = insert(rewriter, poison(rewriter, type), base, 0)
    value = insert(rewriter, value, aligned, 1)
    value = insert(rewriter, value, number(rewriter, 0), 2)
    for which, values in ((3, parts[0]), (4, parts[1])):
        for dim, part in enumerate(values):
            value = insert(rewriter, value, part, which, dim)
    return value


def _alignment(op: Any) -> int | None:
    value = op.properties.get("alignment")
    return cast("IntegerAttr[Any]", value).value.data if isinstance(value, IntegerAttr) else None


class ConvertAllocation(ConversionPattern):
    """`memref.alloc(%n) : memref<?xf32>` -> `malloc` of `%n` elements and a descriptor; `memref.alloca` -> `llvm.alloca`."""

    names = ("memref.alloc", "memref.alloca")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = cast("MemRefType[Any]", op.results[0].type)
        new, element = rewriter.types.convert(type), rewriter.types.convert(type.element_type)
        if new is None or element is None or list(type.get_shape()).count(DYNAMIC_INDEX) != len(operands):
            return Declined(f"the type {type} has no converted type")
        held = pointer(address_space(type.memory_space) or 0)
        sizes, strides, count = sizes_and_strides(rewriter, type, operands)
        alignment = _alignment(op)
        if op.name == "memref.alloca":
            properties: dict[str, Attribute] = {"elem_type": element}
            if alignment is not None:
                properties["alignment"] = IntegerAttr(alignment, i64)
            base = rewriter.create(llvm.AllocaOp, (count,), (held,), properties=properties).results[0]
            return (describe(rewriter, new, base, base, (sizes, strides)),)
        if held != pointer(0):
            return Declined("only buffers of memory space 0 are allocated")
        null = rewriter.create(llvm.ZeroOp, (), (held,)).results[0]
        size = _to_integer(rewriter, _gep(rewriter, null, count, element, inbounds=False))
        align: SSAValue | None = None
        if alignment is not None:
            align = number(rewriter, alignment)
            size = binary(rewriter, llvm.AddOp, size, align)
        base = call(rewriter, "malloc", (size,), (held,))
        assert base is not None
        aligned = base
        if align is not None:
            address_ = _to_integer(rewriter, base)
            bump = binary(rewriter, llvm.SubOp, align, number(rewriter, 1))
            bumped = binary(rewriter, llvm.AddOp, address_, bump)
            rest = rewriter.create(llvm.URemOp, (bumped, align), (bumped.type,)).results[0]
            start = binary(rewriter, llvm.SubOp, bumped, rest)
            aligned = rewriter.create(llvm.IntToPtrOp, (start,), (held,)).results[0]
        return (describe(rewriter, new, base, aligned, (sizes, strides)),)


def _to_integer(rewriter: Conversion, value: SSAValue) -> SSAValue:
    return rewriter.create(llvm.PtrToIntOp, (value,), (index_type(rewriter),)).results[0]


class ConvertDeallocation(ConversionPattern):
    """`memref.dealloc %m` -> `free` of the allocated pointer"""

    names = ("memref.dealloc",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        held = op.operands[0].type
        if isinstance(held, UnrankedMemRefType):
            inner = extract(rewriter, operands[0], 1)
            base = rewriter.create(llvm.LoadOp, (inner,), (pointer(0),), properties={"ordering": IntegerAttr(0, i64)}).results[0]
        else:
            base = extract(rewriter, operands[0], 0)
        call(rewriter, "free", (base,), ())
        return ()


class ConvertAccess(ConversionPattern):
    """`memref.load %m[%i]` -> `llvm.load` of the element's address; `memref.store` alike."""

    names = ("memref.load", "memref.store")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        is_load = op.name == "memref.load"
        values = list(operands) if is_load else list(operands[1:])
        type = cast("MemRefType[Any]", op.operands[0 if is_load else 1].type)
        place = address(rewriter, type, values[0], values[1:])
        properties: dict[str, Attribute] = {"ordering": IntegerAttr(0, i64)}
        nontemporal = op.properties.get("nontemporal") or op.attributes.get("nontemporal")
        if isinstance(nontemporal, (IntegerAttr, UnitAttr)) and (
            isinstance(nontemporal, UnitAttr) or cast("IntegerAttr[Any]", nontemporal).value.data
        ):
            properties["nontemporal"] = UnitAttr()
        if (alignment := _alignment(op)) is not None:
            properties["alignment"] = IntegerAttr(alignment, i64)
        if is_load:
            element = rewriter.types.convert(op.results[0].type)
            assert element is not None
            return list(rewriter.create(llvm.LoadOp, (place,), (element,), properties=properties).results)
        rewriter.create(llvm.StoreOp, (operands[0], place), (), properties=properties)
        return ()


class ConvertPrefetch(ConversionPattern):
    """`memref.prefetch %m[%i], read, locality<3>, data` -> `llvm.intr.prefetch` of the element's address"""

    names = ("memref.prefetch",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        place = address(rewriter, cast("MemRefType[Any]", op.operands[0].type), operands[0], operands[1:], inbounds=False)
        properties = {
            "rw": IntegerAttr(int(bool(op.isWrite.value.data)), i32),
            "hint": IntegerAttr(op.localityHint.value.data, i32),
            "cache": IntegerAttr(int(bool(op.isDataCache.value.data)), i32),
        }
        from stepwell.lowering.machine.to_llvm_types import CLASSES

        rewriter.create(CLASSES["llvm.intr.prefetch"], (place,), (), properties=properties)
        return ()


class ConvertDim(ConversionPattern):
    """`memref.dim %m, %c` -> the size, a constant where it is static"""

    names = ("memref.dim",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = op.operands[0].type
        if not isinstance(type, MemRefType):
            return Declined("the rank is not known")
        owner = op.operands[1].owner
        owner = owner if isinstance(owner, Operation) else None
        value: Any = None if owner is None else owner.properties.get("value")
        if (
            owner is None
            or owner.name not in ("arith.constant", "llvm.mlir.constant", "index.constant")
            or not isinstance(value, IntegerAttr)
        ):
            return Declined("the dimension is not a constant")
        index = cast("IntegerAttr[Any]", value).value.data
        shape = cast("MemRefType[Any]", type).get_shape()
        if not 0 <= index < len(shape):
            return Declined("the dimension is out of bounds")
        if shape[index] != DYNAMIC_INDEX:
            return (number(rewriter, shape[index]),)
        return (extract(rewriter, operands[0], 3, index),)


class ConvertCast(ConversionPattern):
    """`memref.cast` between ranked types -> nothing: descriptors of equal rank are alike."""

    names = ("memref.cast",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        if not all(isinstance(value.type, MemRefType) for value in (op.operands[0], op.results[0])):
            return Declined("a cast from or to an unranked buffer has to be resolved first")
        if rewriter.types.convert(op.results[0].type) != operands[0].type:
            return Declined("the descriptors differ")
        return (operands[0],)


class ConvertGlobal(ConversionPattern):
    """`memref.global "private" constant @g : memref<2xf32> = dense<..>` -> `llvm.mlir.global private constant @g(dense<..>)`"""

    names = ("memref.global",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = cast("MemRefType[Any]", op.properties["type"])
        held = _data_type(type, rewriter)
        if held is None:
            return Declined(f"the type {type} has no converted type")
        visibility = op.properties.get("sym_visibility")
        is_private = isinstance(visibility, StringAttr) and visibility.data == "private"
        initial = op.properties.get("initial_value")
        value: Attribute | None = None
        if isinstance(initial, DenseIntOrFPElementsAttr):
            dense = cast("DenseIntOrFPElementsAttr[Any]", initial)
            value = next(iter(dense.get_attrs())) if not type.get_shape() else dense
        made = llvm.GlobalOp(
            held,
            op.properties["sym_name"],
            "private" if is_private else "external",
            addr_space=address_space(type.memory_space) or 0,
            constant="constant" in op.properties,
            value=value,
            alignment=_alignment(op),
            body=Region(),
        )
        rewriter.insert(made)
        if isinstance(initial, UnitAttr):
            from xdsl.ir import Block

            undefined = llvm.UndefOp(held)
            made.body.add_block(Block([undefined, llvm.ReturnOp(undefined.res)]))
        return ()


def _data_type(type: MemRefType[Any], rewriter: Conversion) -> Attribute | None:
    found = rewriter.types.convert(type.element_type)
    if found is None:
        return None
    for extent in reversed(type.get_shape()):
        found = llvm.LLVMArrayType(extent, found)
    return found


class ConvertGetGlobal(ConversionPattern):
    """`memref.get_global @g` -> a descriptor around `llvm.mlir.addressof @g`; what must not be freed is allocated at 0xdeadbeef"""

    names = ("memref.get_global",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = cast("MemRefType[Any]", op.results[0].type)
        new, held = rewriter.types.convert(type), _data_type(type, rewriter)
        if new is None or held is None or DYNAMIC_INDEX in type.get_shape():
            return Declined(f"the type {type} has no converted type")
        sizes, strides, _ = sizes_and_strides(rewriter, type, ())
        where = pointer(address_space(type.memory_space) or 0)
        properties: dict[str, Attribute] = {"global_name": op.properties["name"]}
        base = rewriter.create(llvm.AddressOfOp, (), (where,), properties=properties).results[0]
        constants = [0] * (len(type.get_shape()) + 1)
        found = {"elem_type": held, "rawConstantIndices": DenseArrayBase.from_list(i32, constants)}
        start = rewriter.create(llvm.GEPOp, (base,), (where,), properties=found).results[0]
        marker = rewriter.create(llvm.IntToPtrOp, (number(rewriter, 0xDEADBEEF),), (where,)).results[0]
        return (describe(rewriter, new, marker, start, (sizes, strides)),)


class ConvertPointer(ConversionPattern):
    """`memref.extract_aligned_pointer_as_index %m` -> `llvm.ptrtoint` of the aligned pointer"""

    names = ("memref.extract_aligned_pointer_as_index",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        if not isinstance(op.operands[0].type, MemRefType):
            return Declined("the rank is not known")
        return (_to_integer(rewriter, extract(rewriter, operands[0], 1)),)


class ConvertReinterpret(ConversionPattern):
    """`memref.reinterpret_cast %m to offset: [%o], sizes: [4], strides: [%s]` -> a descriptor with these numbers"""

    names = ("memref.reinterpret_cast",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        if not isinstance(op.operands[0].type, MemRefType):
            return Declined("the rank is not known")
        new = rewriter.types.convert(op.results[0].type)
        if new is None:
            return Declined(f"the type {op.results[0].type} has no converted type")
        values = iter(operands[1:])
        numbers = {
            name: [None if v == DYNAMIC_INDEX else int(v) for v in getattr(op, f"static_{name}").get_values()]
            for name in ("offsets", "sizes", "strides")
        }
        dynamic = {name: [next(values) if value is None else value for value in listed] for name, listed in numbers.items()}
        found = insert(rewriter, poison(rewriter, new), extract(rewriter, operands[0], 0), 0)
        found = insert(rewriter, found, extract(rewriter, operands[0], 1), 1)

        def value(item: SSAValue | int) -> SSAValue:
            return item if isinstance(item, SSAValue) else number(rewriter, item)

        found = insert(rewriter, found, value(dynamic["offsets"][0]), 2)
        for dim, (size, stride) in enumerate(zip(dynamic["sizes"], dynamic["strides"], strict=True)):
            found = insert(rewriter, found, value(size), 3, dim)
            found = insert(rewriter, found, value(stride), 4, dim)
        return (found,)


def memref_patterns() -> list[ConversionPattern]:
    """How buffers are converted."""
    return [
        *(ConvertAllocation(), ConvertDeallocation(), ConvertAccess(), ConvertPrefetch(), ConvertDim(), ConvertCast()),
        *(ConvertGlobal(), ConvertGetGlobal(), ConvertPointer(), ConvertReinterpret()),
    ]


@dataclass(frozen=True)
class FinalizeMemrefToLlvm(Pass):
    """Buffers become descriptors and pointers. Views (`memref.subview`, `expand_shape`, ...) are expanded before.

    ```mlir
    %v = memref.load %m[%i] : memref<?xf32>  ->  %p = llvm.extractvalue %m[1], %a = llvm.getelementptr inbounds|nuw %p[%i], llvm.load %a
    ```
    """

    name: ClassVar = "finalize-memref-to-llvm"
    index_bitwidth: int = 0
    """How many bits an index has; 0 for 64."""

    def run(self, op: Operation, ctx: Context) -> None:
        target = Target(dialects=frozenset({"llvm"}))
        convert_partially(op, target, memref_patterns(), llvm_types(self.index_bitwidth or 64), name=self.name)
