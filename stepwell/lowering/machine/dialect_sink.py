"""The sink that shows level 5 as IR: ops of the `llvm` dialect, for `mlopt`. The library path writes text instead, which is quicker.

Constants stand at the beginning of a function, each once. Values carry the names that the text sink would give them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import (
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    UnitAttr,
    VectorType,
    i32,
    i64,
)
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.ir import Block as IRBlock

from stepwell.dialects import llvm
from stepwell.dialects.llvm.intrinsics import INTRINSICS
from stepwell.dialects.llvm.linkage import CallingConventionAttr
from stepwell.ir.constants import dense, dtype_of, splat
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.llvm_types import text_of_type, type_of_text
from stepwell.lowering.machine.sink import Block, Parameter, Sink, Token
from stepwell.lowering.machine.target import Target

NO_FLAGS = llvm.FastMathAttr(None)
_BINARY: dict[str, type[Operation]] = {
    "add": llvm.AddOp,
    "sub": llvm.SubOp,
    "mul": llvm.MulOp,
    "sdiv": llvm.SDivOp,
    "udiv": llvm.UDivOp,
    "srem": llvm.SRemOp,
    "urem": llvm.URemOp,
    "and": llvm.AndOp,
    "or": llvm.OrOp,
    "xor": llvm.XOrOp,
    "shl": llvm.ShlOp,
    "lshr": llvm.LShrOp,
    "ashr": llvm.AShrOp,
    "fadd": llvm.FAddOp,
    "fsub": llvm.FSubOp,
    "fmul": llvm.FMulOp,
    "fdiv": llvm.FDivOp,
    "frem": llvm.FRemOp,
}
_CASTS: dict[str, type[Operation]] = {
    "zext": llvm.ZExtOp,
    "sext": llvm.SExtOp,
    "trunc": llvm.TruncOp,
    "fpext": llvm.FPExtOp,
    "fptrunc": llvm.FPTruncOp,
    "sitofp": llvm.SIToFPOp,
    "uitofp": llvm.UIToFPOp,
    "fptosi": llvm.FPToSIOp,
    "fptoui": llvm.FPToUIOp,
    "bitcast": llvm.BitcastOp,
}
_INTRINSICS: dict[str, type[Any]] = {cls.name.removeprefix("llvm.intr."): cls for cls in INTRINSICS}
_NO_OVERFLOW: dict[str, Attribute] = {"overflowFlags": IntegerAttr(0, i32)}
_WITH_OVERFLOW = frozenset({"add", "sub", "mul", "shl"})


@cache
def intrinsic_class(name: str) -> type[Any] | None:
    """The op of an intrinsic `llvm.fma.v16f32`; None if the dialect has none of its own."""
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        found = _INTRINSICS.get(".".join(parts[:length]))
        if found is not None:
            return found
    return None


class _Function:
    def __init__(self, entry: IRBlock) -> None:
        self.entry = entry
        self.constants: dict[tuple[str, Any], SSAValue] = {}
        self.last_stack: Operation | None = None
        self.next_value = 0


class LlvmDialectSink(Sink):
    """Appends `llvm.func`s to a module. See `Sink`."""

    def __init__(self, target: Target, module: ModuleOp) -> None:
        self.target = target
        self.module = module
        self._functions: dict[IRBlock, _Function] = {}
        self._defined: set[str] = set()
        self._declared: dict[str, llvm.LLVMFunctionType] = {}
        self._first_function: Operation | None = None

    def finish(self) -> None:
        """Declare what was called but not defined, and name the target."""
        for name, type in sorted(self._declared.items()):
            if name not in self._defined:
                self.module.body.block.add_op(llvm.FuncOp(name, type, llvm.LinkageAttr("external")))
        self.module.attributes["llvm.target_triple"] = StringAttr(self.target.triple)

    # ---- functions and blocks

    def function(
        self, name: str, parameters: Sequence[Parameter], result: str, *, internal: bool, convention: str = "", threads: int = 0
    ) -> tuple[Block, list[Token]]:
        types = [type_of_text(p.type) for p in parameters]
        entry = IRBlock(arg_types=types)
        for i, argument in enumerate(entry.args):
            argument.name_hint = f"a{i}"
        attributes: list[Attribute] = [
            StringAttr("nounwind"),
            ArrayAttr([StringAttr("target-cpu"), StringAttr(self.target.cpu)]),
            ArrayAttr([StringAttr("target-features"), StringAttr(self.target.feature_string)]),
        ]
        if threads:
            attributes.append(ArrayAttr([StringAttr("nvvm.maxntid"), StringAttr(str(threads))]))
        properties: dict[str, Attribute | None] = {"passthrough": ArrayAttr(attributes)}
        if convention:
            properties["CConv"] = CallingConventionAttr(f"{convention}cc")
        if any(p.attributes for p in parameters):
            properties["arg_attrs"] = ArrayAttr(DictionaryAttr({f"llvm.{a}": UnitAttr() for a in p.attributes}) for p in parameters)
        linkage = llvm.LinkageAttr("internal" if internal else "external")
        type = llvm.LLVMFunctionType(types, type_of_text(result))
        function = llvm.FuncOp(name, type, linkage, body=Region([entry]), other_props=properties)
        self.module.body.block.add_op(function)
        self._defined.add(name)
        if self._first_function is None:
            self._first_function = function
        self._functions[entry] = _Function(entry)
        self.move_to(entry)
        return entry, list(entry.args)

    def declare(self, name: str, parameters: Sequence[str], result: str) -> None:
        if name not in self._declared:
            self._declared[name] = llvm.LLVMFunctionType([type_of_text(t) for t in parameters], type_of_text(result))

    def declare_data(self, name: str, size: int, data: bytes | None) -> None:
        if name in self._defined:
            return
        self._defined.add(name)
        value = None if data is None else dense(np.frombuffer(data, np.int8))
        linkage = "external" if data is None else "private"
        made = llvm.GlobalOp(type_of_text(f"[{size} x i8]"), name, linkage, constant=True, value=value, alignment=64, body=Region())
        block = self.module.body.block
        if block.first_op is None:
            block.add_op(made)
        else:
            block.insert_op_before(made, self._first_function or block.first_op)

    def shared(self, name: str, element: str, count: int, align: int) -> Token:
        raise CompileError("kernels of a GPU become text only", hint="stop a level before, or ask for LLVM IR")

    def new_block(self, types: Sequence[str] = ()) -> Block:
        block = IRBlock(arg_types=[type_of_text(t) for t in types])
        for argument in block.args:
            self._name(argument)
        self._functions[block] = self._function
        return block

    def start(self, block: Block) -> None:
        region = self._functions[block].entry.parent
        assert region is not None
        region.add_block(block)
        self.move_to(block)

    def move_to(self, block: Block) -> None:
        self.block = block
        self._function = self._functions[block]
        last = block.last_op
        self._terminator = last if isinstance(last, llvm.BrOp | llvm.CondBrOp | llvm.ReturnOp) else None

    def branch(self, target: Block, args: Sequence[Token] = ()) -> None:
        self._end(llvm.BrOp(target, *args))

    def conditional_branch(self, condition: Token, then: Block, otherwise: Block, otherwise_args: Sequence[Token] = ()) -> None:
        self._end(llvm.CondBrOp(condition, then, (), otherwise, otherwise_args))

    def ret(self, type: str = "void", value: Token = None) -> None:
        self._end(llvm.ReturnOp.create(operands=[] if value is None else [value]))

    def _end(self, op: Operation) -> None:
        self.block.add_op(op)
        self._terminator = op

    def _name(self, value: SSAValue) -> None:
        value.name_hint = f"v{self._function.next_value}"
        self._function.next_value += 1

    def _add(self, op: Operation) -> Any:
        if self._terminator is None:
            self.block.add_op(op)
        else:
            self.block.insert_op_before(op, self._terminator)
        if not op.results:
            return None
        self._name(op.results[0])
        return op.results[0]

    # ---- constants

    def _constant(self, type: str, key: Any, make: Any) -> Token:
        function = self._function
        found = function.constants.get((type, key))
        if found is None:
            op: Operation = make(type_of_text(type))
            first = function.entry.first_op
            if first is None:
                function.entry.add_op(op)
            else:
                function.entry.insert_op_before(op, first)
            found = function.constants[type, key] = op.results[0]
        return found

    def integer(self, type: str, value: int) -> Token:
        def make(t: Any) -> Operation:
            return llvm.ConstantOp(IntegerAttr(value, t), t)

        return self._constant(type, value, make)

    def float(self, type: str, value: float) -> Token:
        def make(t: Any) -> Operation:
            return llvm.ConstantOp(FloatAttr(value, t), t)

        return self._constant(type, repr(value), make)

    def splat(self, lanes: int, type: str, value: float) -> Token:
        if not lanes:
            return self.integer(type, int(value)) if type[0] == "i" else self.float(type, value)

        def make(t: Any) -> Operation:
            return llvm.ConstantOp(splat(value, t), t)

        return self._constant(f"<{lanes} x {type}>", repr(value), make)

    def vector(self, type: str, values: Sequence[float]) -> Token:
        def make(t: Any) -> Operation:
            return llvm.ConstantOp(dense(np.array(list(values), dtype_of(t.element_type)), t), t)

        return self._constant(f"<{len(values)} x {type}>", repr(list(values)), make)

    def poison(self, type: str) -> Token:
        return self._constant(type, "poison", llvm.PoisonOp)

    def symbol(self, name: str) -> Token:
        def make(t: Any) -> Operation:
            return llvm.AddressOfOp(name, t)

        return self._constant("ptr", f"@{name}", make)

    # ---- instructions

    def binary(self, opcode: str, type: str, a: Token, b: Token) -> Token:
        properties: dict[str, Attribute] = {}
        if opcode in _WITH_OVERFLOW:
            properties = _NO_OVERFLOW.copy()
        elif opcode[0] == "f":
            properties = {"fastmathFlags": NO_FLAGS}
        return self._add(_BINARY[opcode].create(operands=[a, b], result_types=[a.type], properties=properties))

    def negate(self, type: str, a: Token) -> Token:
        return self._add(llvm.FNegOp.create(operands=[a], result_types=[a.type], properties={"fastmathFlags": NO_FLAGS}))

    def cast(self, opcode: str, source: str, a: Token, result: str) -> Token:
        return self._add(_CASTS[opcode].create(operands=[a], result_types=[type_of_text(result)]))

    def compare(self, opcode: str, predicate: str, type: str, a: Token, b: Token) -> Token:
        if opcode == "fcmp":
            return self._add(llvm.FCmpOp(a, b, "_false" if predicate == "false" else "_true" if predicate == "true" else predicate))
        return self._add(llvm.ICmpOp(a, b, IntegerAttr(llvm.ICmpPredicateFlag(predicate).to_int(), i64)))

    def select(self, condition_type: str, condition: Token, type: str, a: Token, b: Token) -> Token:
        return self._add(llvm.SelectOp(condition, a, b))

    def intrinsic(self, name: str, result: str, types: Sequence[str], args: Sequence[Token], flags: str = "") -> Token:
        results = [] if result == "void" else [type_of_text(result)]
        cls = intrinsic_class(name)
        if cls is None:
            return self._add(llvm.CallIntrinsicOp(name, args, results))
        known = cls.get_irdl_definition().properties
        operands = list(args)
        properties: dict[str, Attribute] = {}
        if "fastmathFlags" in known:
            properties["fastmathFlags"] = llvm.FastMathAttr([llvm_flag(f) for f in flags.split()]) if flags else NO_FLAGS
        if "alignment" in known:
            align = next(int(t.rpartition(" ")[2]) for t in types if " align " in t)
            properties["alignment"] = IntegerAttr(align, i32)
        for flag in ("is_int_min_poison", "is_zero_poison", "isVolatile"):
            if flag in known:
                properties[flag] = BoolAttr.from_bool(bool(_constant_value(operands.pop())))
        if "hint" in known:
            for property in ("cache", "hint", "rw"):
                properties[property] = IntegerAttr(_constant_value(operands.pop()), i32)
        return self._add(cls.create(operands=operands, result_types=results, properties=properties))

    def call(self, name: str, result: str, types: Sequence[str], args: Sequence[Token]) -> Token:
        self.declare(name, types, result)
        return self._add(llvm.CallOp(name, *args, return_type=None if result == "void" else type_of_text(result)))

    def load(self, type: str, pointer: Token, align: int) -> Token:
        return self._add(llvm.LoadOp(pointer, type_of_text(type), alignment=align))

    def store(self, type: str, value: Token, pointer: Token, align: int) -> None:
        self._add(llvm.StoreOp(value, pointer, alignment=align))

    def address(self, element: str, pointer: Token, index: Token | int) -> Token:
        if isinstance(index, int) and not -(2**31) < index < 2**31:
            index = self.integer("i64", index)
        return self._add(llvm.GEPOp(pointer, [index], type_of_text(element)))

    def addresses(self, element: str, pointer: Token, type: str, indices: Token, lanes: int) -> Token:
        return self._add(llvm.GEPOp(pointer, [indices], type_of_text(element)))

    def stack(self, element: str, count: int, align: int) -> Token:
        function = self._function
        size = self.integer("i64", count)
        op = llvm.AllocaOp(size, type_of_text(element), align)
        if function.last_stack is not None:
            function.entry.insert_op_after(op, function.last_stack)
        else:
            after = next((o for o in function.entry.ops if not is_constant(o)), None)
            if after is None:
                function.entry.add_op(op)
            else:
                function.entry.insert_op_before(op, after)
        function.last_stack = op
        self._name(op.res)
        return op.res

    def insert(self, type: str, vector: Token, element: str, value: Token, lane: int) -> Token:
        return self._add(llvm.InsertElementOp(vector, value, self.integer("i64", lane)))

    def extract(self, type: str, vector: Token, lane: int) -> Token:
        return self._add(llvm.ExtractElementOp(vector, self.integer("i64", lane)))

    def extract_at(self, type: str, vector: Token, lane: Token) -> Token:
        return self._add(llvm.ExtractElementOp(vector, lane))

    def shuffle(self, type: str, a: Token, b: Token, lanes: Sequence[int]) -> Token:
        vector: VectorType[Any] = a.type
        result = VectorType(vector.element_type, [len(lanes)])
        return self._add(llvm.ShuffleVectorOp(a, b, DenseArrayBase.from_list(i32, list(lanes)), result))


def llvm_flag(flag: str) -> Any:
    """A fast-math flag by its name in LLVM."""
    return {"reassoc": FastMathFlag.REASSOC, "contract": FastMathFlag.ALLOW_CONTRACT}[flag]


def is_constant(op: Operation) -> bool:
    """Whether an op is a constant, which has no name of its own in LLVM IR."""
    return isinstance(op, llvm.ConstantOp | llvm.PoisonOp | llvm.AddressOfOp | llvm.UndefOp | llvm.ZeroOp)


def _constant_value(token: SSAValue) -> int:
    op = token.owner
    assert isinstance(op, llvm.ConstantOp)
    value: Any = op.value
    assert isinstance(value, IntegerAttr)
    return int(cast("Any", value).value.data)


def parameter_text(type: Attribute, attributes: DictionaryAttr | None) -> str:
    """A parameter with its attributes, as LLVM writes it."""
    names = [name.removeprefix("llvm.") for name in attributes.data] if attributes is not None else []
    return " ".join((text_of_type(type), *names))
