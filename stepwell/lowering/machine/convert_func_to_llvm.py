"""`convert-func-to-llvm`: functions and calls become LLVM's; a buffer is passed as the parts of its descriptor."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolRefAttr,
    UnrankedMemRefType,
)
from xdsl.dialects.llvm import LinkageAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import llvm
from stepwell.dialects.llvm.calls import NO_FLAGS, NO_SIZES, NO_TAIL
from stepwell.dialects.llvm.linkage import C_CONVENTION, EXTERNAL, ZERO
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, convert_partially
from stepwell.lowering.machine.to_llvm_types import (
    descriptor_types,
    extract,
    insert,
    llvm_types,
    pack_descriptor,
    poison,
    unpack_descriptor,
)

BUFFERS = (MemRefType, UnrankedMemRefType)
_RESERVED = frozenset(("sym_name", "function_type", "arg_attrs", "res_attrs", "llvm.linkage", "func.varargs", "CConv"))


@dataclass(frozen=True)
class Convention:
    """How buffers are passed: as the parts of a descriptor, or as one pointer (`use-bare-ptr-memref-call-conv`)."""

    bare: bool = False

    def argument_types(self, type: Attribute, rewriter: Conversion) -> list[Attribute] | None:
        """The types of what is passed for a value of an old type."""
        new = rewriter.types.convert(type)
        if new is None:
            return None
        if not isinstance(type, BUFFERS):
            return [new]
        if self.bare and isinstance(type, MemRefType):
            return [cast(Any, new).types.data[0]]
        return list(cast(Any, new).types.data) if isinstance(type, UnrankedMemRefType) else descriptor_types(new)

    def receive(self, type: Attribute, values: Sequence[SSAValue], rewriter: Conversion) -> SSAValue:
        """The value of an old type from what was passed for it."""
        new = rewriter.types.convert(type)
        assert new is not None
        if not isinstance(type, BUFFERS):
            return values[0]
        if isinstance(type, UnrankedMemRefType):
            held = poison(rewriter, new)
            return insert(rewriter, insert(rewriter, held, values[0], 0), values[1], 1)
        return pack_descriptor(rewriter, new, values)

    def send(self, type: Attribute, value: SSAValue, rewriter: Conversion) -> list[SSAValue]:
        """What is passed for a converted value of an old type."""
        if isinstance(type, MemRefType):
            if self.bare:
                return [extract(rewriter, value, 1)]
            return unpack_descriptor(rewriter, value, len(cast("MemRefType[Any]", type).get_shape()))
        if isinstance(type, UnrankedMemRefType):
            return [extract(rewriter, value, 0), extract(rewriter, value, 1)]
        return [value]

    def result_type(self, types: Sequence[Attribute], rewriter: Conversion) -> Attribute | Declined | None:
        """The one type that a function returns, None for nothing."""
        new = rewriter.types.convert_all(types)
        if new is None:
            return Declined("a result type has no converted type")
        if not new:
            return None
        return new[0] if len(new) == 1 else llvm.LLVMStructType.from_type_list(new)


class ConvertFunction(ConversionPattern):
    """`func.func @f(%m: memref<?xf32>) -> index` -> `llvm.func @f(%base: !llvm.ptr, %aligned: !llvm.ptr, %offset: i64, ...) -> i64`"""

    names = ("func.func",)

    def __init__(self, convention: Convention) -> None:
        self._convention = convention

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        inputs: list[list[Attribute]] = []
        for index, type in enumerate(op.function_type.inputs):
            found = self._convention.argument_types(type, rewriter)
            if found is None:
                return Declined(f"the type of argument #{index}, {type}, has no converted type")
            inputs.append(found)
        if self._convention.bare and any(isinstance(type, UnrankedMemRefType) for type in op.function_type.inputs):
            return Declined("an unranked buffer cannot be passed as a bare pointer")
        output = self._convention.result_type(list(op.function_type.outputs), rewriter)
        if isinstance(output, Declined):
            return output
        linkage = op.attributes.get("llvm.linkage")
        if linkage is not None and not isinstance(linkage, LinkageAttr):
            return Declined("Contains llvm.linkage attribute not of type LLVM::LinkageAttr")
        varargs = op.attributes.get("func.varargs")
        is_variadic = isinstance(varargs, IntegerAttr) and bool(cast("IntegerAttr[Any]", varargs).value.data)
        type = llvm.LLVMFunctionType([t for group in inputs for t in group], output, is_variadic)
        body = rewriter.take_region(op.body)
        properties: dict[str, Attribute] = {
            "sym_name": op.sym_name,
            "function_type": type,
            "CConv": op.attributes.get("CConv", C_CONVENTION),
            "linkage": linkage or EXTERNAL,
            "visibility_": ZERO,
            **_attributes(op, inputs, output),
        }
        if op.sym_visibility is not None:
            properties["sym_visibility"] = op.sym_visibility
        known = llvm.FuncOp.get_irdl_definition().properties
        attributes: dict[str, Attribute] = {}
        for name, value in op.attributes.items():
            short = name.removeprefix("llvm.")
            if name in _RESERVED:
                continue
            if short in known and short != "passthrough":
                properties[short] = value
            else:
                attributes[name] = value
        made = llvm.FuncOp.create(properties=properties, attributes=attributes, regions=[body])
        rewriter.insert(made)
        if body.blocks:
            self._convert_entry(next(iter(body.blocks)), inputs, list(op.function_type.inputs), rewriter)
            for block in list(body.blocks)[1:]:
                rewriter.convert_block(block)
        return ()

    def _convert_entry(self, entry: Block, inputs: list[list[Attribute]], types: list[Attribute], rewriter: Conversion) -> None:
        arguments = list(entry.args)
        point = rewriter.at_start_of(entry)
        for argument, old, new in zip(arguments, types, inputs, strict=True):
            if new == [old]:
                continue
            if len(new) == 1 and not isinstance(old, BUFFERS):
                rewriter.retype_argument(argument, new[0])
                continue
            made = [entry.insert_arg(type, argument.index) for type in new]
            if self._convention.bare and isinstance(old, MemRefType):
                value = _bare_descriptor(cast("MemRefType[Any]", old), made[0], rewriter)
            else:
                value = self._convention.receive(old, made, rewriter)
            rewriter.replace_argument(argument, value)
        rewriter.go_back(point)


def _bare_descriptor(type: MemRefType[Any], pointer: SSAValue, rewriter: Conversion) -> SSAValue:
    """A descriptor of a buffer of static shape and layout from its pointer."""
    from stepwell.lowering.machine.to_llvm_types import constant, layout_of

    new: Any = rewriter.types.convert(type)
    index = new.types.data[2]
    strides, offset = layout_of(type) or ([], 0)
    value = poison(rewriter, new)
    value = insert(rewriter, insert(rewriter, value, pointer, 0), pointer, 1)
    value = insert(rewriter, value, constant(rewriter, offset or 0, index), 2)
    for dim, (extent, stride) in enumerate(zip(type.get_shape(), strides, strict=True)):
        value = insert(rewriter, value, constant(rewriter, extent, index), 3, dim)
        value = insert(rewriter, value, constant(rewriter, stride or 0, index), 4, dim)
    return value


def _attributes(op: Any, inputs: list[list[Attribute]], output: Attribute | None) -> dict[str, Attribute]:
    """Attributes of arguments and results; those of a buffer that becomes several arguments are dropped."""
    found: dict[str, Attribute] = {}
    if op.arg_attrs is not None:
        listed: list[DictionaryAttr] = []
        for held, types in zip(op.arg_attrs, inputs, strict=True):
            listed.extend([held] if len(types) == 1 else [DictionaryAttr({})] * len(types))
        if any(held.data for held in listed):
            found["arg_attrs"] = ArrayAttr(listed)
    if op.res_attrs is not None and output is not None and len(op.res_attrs) == 1:
        found["res_attrs"] = op.res_attrs
    return found


class ConvertCall(ConversionPattern):
    """`func.call @f(%m)` -> `llvm.call @f(%base, %aligned, ...)`; several results are taken out of a struct."""

    names = ("func.call", "func.call_indirect")

    def __init__(self, convention: Convention) -> None:
        self._convention = convention

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        output = self._convention.result_type([result.type for result in op.results], rewriter)
        if isinstance(output, Declined):
            return output
        if any(isinstance(result.type, UnrankedMemRefType) for result in op.results):
            return Declined("an unranked buffer as a result has to be copied")
        indirect = op.name == "func.call_indirect"
        passed: list[SSAValue] = [operands[0]] if indirect else []
        for value, old in list(zip(operands, op.operands, strict=True))[1 if indirect else 0 :]:
            passed.extend(self._convention.send(old.type, value, rewriter))
        from xdsl.dialects.builtin import DenseArrayBase, i32

        properties: dict[str, Attribute] = {
            "fastmathFlags": NO_FLAGS,
            "CConv": C_CONVENTION,
            "TailCallKind": NO_TAIL,
            "op_bundle_sizes": NO_SIZES,
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(passed), 0]),
        }
        if not indirect:
            callee = op.callee
            properties["callee"] = callee if isinstance(callee, SymbolRefAttr) else SymbolRefAttr(cast(StringAttr, callee))
        for name in ("arg_attrs", "res_attrs", "no_inline"):
            if name in op.properties:
                properties[name] = op.properties[name]
        call = rewriter.create(
            llvm.CallOp, passed, () if output is None else (output,), properties=properties, attributes=dict(op.attributes)
        )
        if len(op.results) < 2:
            return list(call.results)
        return [extract(rewriter, call.results[0], index) for index in range(len(op.results))]


class ConvertReturn(ConversionPattern):
    """`func.return %a, %b` -> a struct of both, and `llvm.return`"""

    names = ("func.return",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        around = op.parent_op()
        if around is not None and around.name == "func.func":
            return Declined("its function was not converted")
        if any(isinstance(value.type, UnrankedMemRefType) for value in op.operands):
            return Declined("an unranked buffer as a result has to be copied")
        values = list(operands)
        if len(values) > 1:
            packed = poison(rewriter, llvm.LLVMStructType.from_type_list([value.type for value in values]))
            for index, value in enumerate(values):
                packed = insert(rewriter, packed, value, index)
            values = [packed]
        rewriter.create(llvm.ReturnOp, values, (), attributes=dict(op.attributes))
        return ()


class ConvertFunctionConstant(ConversionPattern):
    """`func.constant @f : () -> ()` -> `llvm.mlir.addressof @f : !llvm.ptr`"""

    names = ("func.constant",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        made = rewriter.create(llvm.AddressOfOp, (), (llvm.LLVMPointerType(),), properties={"global_name": op.properties["value"]})
        return list(made.results)


def func_patterns(*, bare: bool = False) -> list[ConversionPattern]:
    """How functions are converted."""
    convention = Convention(bare)
    return [ConvertFunction(convention), ConvertCall(convention), ConvertReturn(), ConvertFunctionConstant()]


@dataclass(frozen=True)
class ConvertFuncToLlvm(Pass):
    """Functions, calls and returns become LLVM's.

    ```mlir
    func.func @f(%i: index) -> (index, f32) {  ->  llvm.func @f(%i: i64) -> !llvm.struct<(i64, f32)> {
      return %i, %x : index, f32                     ... llvm.return %s : !llvm.struct<(i64, f32)>
    }                                              }
    ```
    """

    name: ClassVar = "convert-func-to-llvm"
    use_bare_ptr_memref_call_conv: bool = False
    """Pass a buffer of static shape as one pointer."""
    index_bitwidth: int = 0
    """How many bits an index has; 0 for 64."""

    def run(self, op: Operation, ctx: Context) -> None:
        patterns = func_patterns(bare=self.use_bare_ptr_memref_call_conv)
        target = Target(dialects=frozenset({"llvm"}), illegal_dialects=frozenset({"func"}))
        convert_partially(op, target, patterns, llvm_types(self.index_bitwidth or 64), name=self.name)
