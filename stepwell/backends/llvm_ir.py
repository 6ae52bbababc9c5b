"""The llvm dialect as LLVM IR text: every op is given to the text sink, so that both ways to level 5 write alike.

`emit_llvm_ir` and `Target` are the library's own way, straight from level 4 to text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import FloatAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import llvm
from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.text.narrow import as_array, as_dense
from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir as emit_llvm_ir
from stepwell.lowering.machine.dialect_sink import is_constant, parameter_text
from stepwell.lowering.machine.layout import vector_text
from stepwell.lowering.machine.llvm_types import text_of_type
from stepwell.lowering.machine.sink import Token, scalar_literal, splat_literal, text_of_module, vector_literal
from stepwell.lowering.machine.target import Target as Target
from stepwell.lowering.machine.text_sink import LlvmTextSink, TextBlock, TextFunction

_SHORT = {"float": "f32", "double": "f64", "half": "f16", "bfloat": "bf16", "ptr": "p0"}


def print_llvm_ir(module: ModuleOp) -> str:
    """LLVM IR text of a module of llvm.func and llvm.mlir.global ops. Raises CompileError for ops that it does not know."""
    sink = _NamedSink()
    triple = module.attributes.get("llvm.target_triple")
    attributes = ""
    for op in module.ops:
        if isinstance(op, llvm.GlobalOp):
            _print_global(sink, op)
        elif isinstance(op, llvm.FuncOp):
            if op.body.blocks:
                attributes = _attributes(op) or attributes
                _print_function(sink, op)
            else:
                inputs = [text_of_type(t) for t in op.function_type.inputs]
                sink.declare(op.sym_name.data, inputs, text_of_type(op.function_type.output))
        else:
            raise CompileError(f"'{op.name}' cannot stand in a module of level 5", hint="run convert-kernels-to-llvm")
    defined = {function.name for function in sink.functions}
    return text_of_module(
        triple.data if isinstance(triple, StringAttr) else "",
        attributes,
        list(sink.data.values()),
        [function.render() for function in sink.functions],
        ["\n".join(line for name, line in sorted(sink.declarations.items()) if name not in defined)],
    )


class _NamedSink(LlvmTextSink):
    """A text sink that is told the name of the next value."""

    def __init__(self) -> None:
        super().__init__(Target("", ""))
        self.next_name = ""

    def _value(self, text: str) -> Token:
        self._lines.append(f"  {self.next_name} = {text}")
        return self.next_name


def _attributes(op: llvm.FuncOp) -> str:
    words: list[str] = []
    held = op.passthrough or op.attributes.get("passthrough")  # xDSL's parser leaves it among the attributes
    for item in as_array(held) or ():
        pair = as_array(item)
        words.append(item.data if pair is None else "=".join(f'"{part.data}"' for part in pair))
    return " ".join(words)


def _print_global(sink: _NamedSink, op: llvm.GlobalOp) -> None:
    kind = op.global_type
    if not isinstance(kind, llvm.LLVMArrayType):
        raise CompileError(f"a global of type {kind} is not printed")
    value = as_dense(op.value)
    data = array_of(value).tobytes() if value is not None else None
    if value is None and op.value is not None:
        raise CompileError(f"a global of value {op.value} is not printed")
    sink.declare_data(op.sym_name.data, int(kind.size.data), data)


class _Values:
    """Names of the values of one function: their hints where these are free."""

    def __init__(self) -> None:
        self._names: dict[SSAValue, str] = {}
        self._taken: set[str] = set()

    def define(self, value: SSAValue, name: str | None = None) -> str:
        wanted = name or f"%{value.name_hint or 't'}"
        unique, count = wanted, 0
        while unique in self._taken:
            unique, count = f"{wanted}.{count}", count + 1
        self._taken.add(unique)
        self._names[value] = unique
        return unique

    def __getitem__(self, value: SSAValue) -> str:
        op = value.owner
        if isinstance(op, Operation) and is_constant(op):
            return _literal(op)
        found = self._names.get(value)
        if found is None:
            raise CompileError("a value is used before its definition")
        return found


def _literal(op: Operation) -> str:
    if isinstance(op, llvm.PoisonOp):
        return "poison"
    if isinstance(op, llvm.UndefOp):
        return "undef"
    if isinstance(op, llvm.ZeroOp):
        return "zeroinitializer"
    if isinstance(op, llvm.AddressOfOp):
        return f"@{op.global_name.root_reference.data}"
    assert isinstance(op, llvm.ConstantOp)
    value = op.value
    if (held := as_dense(value)) is not None:
        element = text_of_type(held.get_element_type())
        numbers = array_of(held).reshape(-1)
        if is_splat(held):
            return splat_literal(element, numbers[0].item())
        return vector_literal(element, numbers.tolist())
    assert isinstance(value, IntegerAttr | FloatAttr)
    return scalar_literal(text_of_type(op.result.type), value.value.data)


def _convention(op: llvm.FuncOp) -> str:
    """LLVM's word for a calling convention, none for C's."""
    return "" if op.CConv.data == "ccc" else op.CConv.data.removesuffix("cc")


def _print_function(sink: _NamedSink, op: llvm.FuncOp) -> None:
    values = _Values()
    entry = op.body.blocks[0]
    given: list[Any] = list(op.arg_attrs) if op.arg_attrs is not None else [None] * len(entry.args)
    parameters = [
        (parameter_text(argument.type, extra), values.define(argument)) for argument, extra in zip(entry.args, given, strict=True)
    ]
    internal = op.linkage.linkage.data in ("internal", "private")
    function = TextFunction(op.sym_name.data, parameters, text_of_type(op.function_type.output), internal, _convention(op))
    sink.functions.append(function)
    blocks: dict[Block, TextBlock] = {}
    for block in op.body.blocks:
        arguments = () if block is entry else block.args
        names = [values.define(argument) for argument in arguments]
        blocks[block] = TextBlock(function, [text_of_type(argument.type) for argument in arguments], names)
    # All names first: a phi may mention what a later block makes.
    for block in op.body.blocks:
        for inner in block.ops:
            for result in inner.results:
                if not is_constant(inner):
                    values.define(result)
    for block in op.body.blocks:
        function.blocks.append(blocks[block])
        sink.move_to(blocks[block])
        for inner in block.ops:
            if not is_constant(inner):
                _print_op(sink, inner, values, blocks)


def _print_op(sink: _NamedSink, op: Operation, values: _Values, blocks: dict[Block, TextBlock]) -> None:
    if op.results:
        sink.next_name = values[op.results[0]]
    if isinstance(op, llvm.BrOp):
        sink.branch(blocks[op.successor], [values[v] for v in op.arguments])
    elif isinstance(op, llvm.CondBrOp):
        if op.then_block is op.else_block or op.then_arguments:
            raise CompileError("a conditional branch that passes values to its first target is not printed")
        sink.conditional_branch(values[op.cond], blocks[op.then_block], blocks[op.else_block], [values[v] for v in op.else_arguments])
    elif isinstance(op, llvm.ReturnOp):
        operand = op.operands[0] if op.operands else None
        sink.ret("void" if operand is None else text_of_type(operand.type), None if operand is None else values[operand])
    elif isinstance(op, llvm.AllocaOp):
        align = op.alignment.value.data if op.alignment is not None else 1
        sink.block.function.stack.append(
            f"  {sink.next_name} = alloca {text_of_type(op.elem_type)}, {text_of_type(op.size.type)} {values[op.size]}, align {align}"
        )
    else:
        printer = _PRINTERS.get(op.name)
        tokens = [values[operand] for operand in op.operands]
        if printer is not None:
            printer(sink, op, tokens)
        elif op.name.startswith("llvm.intr."):
            _print_intrinsic(sink, op, tokens)
        else:
            raise CompileError(f"'{op.name}' cannot be printed as LLVM IR")


# ---- one printer for each op ----------------------------------------------------------------------------------------------------

Printer = Callable[[_NamedSink, Any, list[str]], Any]
_PRINTERS: dict[str, Printer] = {}


def _type(op: Operation, operand: int = 0) -> str:
    return text_of_type(op.operands[operand].type)


def _result(op: Operation) -> str:
    return text_of_type(op.results[0].type) if op.results else "void"


def _binary(opcode: str) -> Printer:
    return lambda sink, op, v: sink.binary(opcode + _flags(op), _type(op), v[0], v[1])


def _flags(op: Any) -> str:
    """nsw, nuw, exact and fast-math flags, each with a space before."""
    words: list[str] = []
    overflow = op.properties.get("overflowFlags")
    if isinstance(overflow, IntegerAttr):
        words += [word for bit, word in ((1, "nsw"), (2, "nuw")) if overflow.value.data & bit]
    for name in ("isExact", "isDisjoint"):
        if name in op.properties:
            words.append(name[2:].lower())
    words += _fast_math(op)
    return "".join(f" {word}" for word in words)


def _fast_math(op: Any) -> list[str]:
    held = op.properties.get("fastmathFlags")
    return [str(flag.value) for flag in held.data] if held is not None else []


def _cast(opcode: str) -> Printer:
    return lambda sink, op, v: sink.cast(opcode, _type(op), v[0], _result(op))


for _name in ("add", "sub", "mul", "sdiv", "udiv", "srem", "urem", "and", "or", "xor", "shl", "lshr", "ashr"):
    _PRINTERS[f"llvm.{_name}"] = _binary(_name)
for _name in ("fadd", "fsub", "fmul", "fdiv", "frem"):
    _PRINTERS[f"llvm.{_name}"] = _binary(_name)
for _name in ("zext", "sext", "trunc", "fpext", "fptrunc", "sitofp", "uitofp", "fptosi", "fptoui", "bitcast", "ptrtoint", "inttoptr"):
    _PRINTERS[f"llvm.{_name}"] = _cast(_name)
_PRINTERS["llvm.addrspacecast"] = _cast("addrspacecast")
_PRINTERS["llvm.fneg"] = lambda sink, op, v: sink.negate(_type(op), v[0])
_PRINTERS["llvm.freeze"] = lambda sink, op, v: sink._value(f"freeze {_type(op)} {v[0]}")  # pyright: ignore[reportPrivateUsage]
_PRINTERS["llvm.select"] = lambda sink, op, v: sink.select(_type(op), v[0], _type(op, 1), v[1], v[2])
_PRINTERS["llvm.insertelement"] = lambda sink, op, v: sink.insert(_type(op), v[0], _type(op, 1), v[1], int(v[2]))
_PRINTERS["llvm.extractelement"] = lambda sink, op, v: sink.extract_at(_type(op), v[0], v[1])
_PRINTERS["llvm.shufflevector"] = lambda sink, op, v: sink.shuffle(_type(op), v[0], v[1], list(op.mask.iter_values()))


def _print_icmp(sink: _NamedSink, op: Any, v: list[str]) -> None:
    sink.compare("icmp", llvm.ICmpPredicateFlag.from_int(op.predicate.value.data).value, _type(op), v[0], v[1])


def _print_fcmp(sink: _NamedSink, op: Any, v: list[str]) -> None:
    predicate: str = op.predicate_name
    sink.compare("fcmp", predicate.removeprefix("_"), _type(op), v[0], v[1])


def _print_load(sink: _NamedSink, op: Any, v: list[str]) -> None:
    sink.load(_result(op), v[0], _alignment(op, op.results[0].type))


def _print_store(sink: _NamedSink, op: Any, v: list[str]) -> None:
    sink.store(_type(op), v[0], v[1], _alignment(op, op.operands[0].type))


def _alignment(op: Any, type: Attribute) -> int:
    if op.alignment is None:
        raise CompileError(f"'{op.name}' of {type} does not say its alignment")
    return int(op.alignment.value.data)


def _print_gep(sink: _NamedSink, op: Any, v: list[str]) -> None:
    indices = op.mixed_indices()
    if len(indices) != 1 or op.inbounds:
        texts = iter(v[1:])
        types = iter(text_of_type(i.type) for i in op.ssa_indices)
        parts = [f"i32 {i}" if isinstance(i, int) else f"{next(types)} {next(texts)}" for i in indices]
        inbounds = "inbounds " if op.inbounds else ""
        sink._value(f"getelementptr {inbounds}{text_of_type(op.elem_type)}, {_type(op)} {v[0]}, {', '.join(parts)}")  # pyright: ignore[reportPrivateUsage]
        return
    index = indices[0]
    element = text_of_type(op.elem_type)
    if isinstance(index, int):
        sink.address(element, v[0], index)
    elif _type(op, 1).startswith("<"):
        sink.addresses(element, v[0], _type(op, 1), v[1], 0)
    else:
        sink.address(element, v[0], v[1])


def _print_call(sink: _NamedSink, op: Any, v: list[str]) -> None:
    if op.callee is None:
        raise CompileError("an indirect call is not printed")
    types = [text_of_type(operand.type) for operand in op.operands]
    sink.call(op.callee.root_reference.data, _result(op), types, v)


def _print_call_intrinsic(sink: _NamedSink, op: Any, v: list[str]) -> None:
    types = [text_of_type(operand.type) for operand in op.operands]
    sink.intrinsic(op.intrin.data, _result(op), types, v, " ".join(_fast_math(op)))


_PRINTERS["llvm.icmp"] = _print_icmp
_PRINTERS["llvm.fcmp"] = _print_fcmp
_PRINTERS["llvm.load"] = _print_load
_PRINTERS["llvm.store"] = _print_store
_PRINTERS["llvm.getelementptr"] = _print_gep
_PRINTERS["llvm.call"] = _print_call
_PRINTERS["llvm.call_intrinsic"] = _print_call_intrinsic

# ---- intrinsics -----------------------------------------------------------------------------------------------------------------


def _mangled(type: str) -> str:
    if type.startswith("<"):
        lanes, _, element = type[1:-1].partition(" x ")
        return f"v{lanes}{_SHORT.get(element, element)}"
    return _SHORT.get(type, type)


def _print_intrinsic(sink: _NamedSink, op: Any, v: list[str]) -> None:
    """`llvm.intr.x` is a call of `llvm.x` with its types mangled into the name; attributes that are arguments of LLVM's come last."""
    name = op.name.removeprefix("llvm.intr.")
    types = [text_of_type(operand.type) for operand in op.operands]
    alignment = op.properties.get("alignment")
    if isinstance(alignment, IntegerAttr):
        place = 1 if name in ("masked.store", "masked.scatter") else 0
        types[place] += f" align {alignment.value.data}"
    if name == "prefetch":
        types += ["i32"] * 3
        v = [*v, *(str(op.properties[p].value.data) for p in ("rw", "hint", "cache"))]
        suffix = "p0"
    elif name in ("memcpy", "memset"):
        types.append("i1")
        v = [*v, scalar_literal("i1", op.isVolatile.value.data)]
        suffix = ".".join(_mangled(t) for t in ([types[0], types[1], types[2]] if name == "memcpy" else [types[0], types[2]]))
    elif name in ("masked.load", "masked.store"):
        suffix = f"{_mangled(_result(op) if op.results else types[0])}.p0"
    elif name in ("masked.gather", "masked.scatter"):
        data = _result(op) if op.results else types[0]
        suffix = f"{_mangled(data)}.{_mangled(vector_text(int(data[1:].split(' ')[0]), 'ptr'))}"
    elif name.startswith("vector.reduce."):
        suffix = _mangled(types[-1])
    else:
        suffix = _mangled(_result(op))
        for flag in ("is_int_min_poison", "is_zero_poison"):
            if flag in op.properties:
                types.append("i1")
                v = [*v, scalar_literal("i1", op.properties[flag].value.data)]
    sink.intrinsic(f"llvm.{name}.{suffix}", _result(op), types, v, " ".join(_fast_math(op)))
