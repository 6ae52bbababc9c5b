"""The `llvm` operations that few programs use, as rows of a table: exceptions, atomics, module-level symbols and most intrinsics.

They are defined when the parser first meets a name that the common part lacks.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolRefAttr,
    UnregisteredAttr,
    VectorType,
    i1,
    i32,
)
from xdsl.ir import Attribute, Block, Operation
from xdsl.irdl import IRDLOperation
from xdsl.traits import (
    IsolatedFromAbove,
    IsTerminator,
    MemoryReadEffect,
    MemoryWriteEffect,
    NoTerminator,
    Pure,
    SymbolOpInterface,
    SymbolTable,
)
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.attr_table import Body
from stepwell.dialects.llvm import metadata as llvm_metadata
from stepwell.dialects.llvm.kinds import is_llvm_float, is_pointer, scalar
from stepwell.dialects.llvm.rules import RULES
from stepwell.dialects.llvm.symbols import SYMBOL_OPS
from stepwell.dialects.llvm.types import LLVMStructType
from stepwell.dialects.op_table import Reading, Writing, define
from stepwell.ir.rules import Rule, holds, shown, width

ORDERING = "ienum(not_atomic unordered monotonic _ acquire release acq_rel seq_cst)"
BIN_OPS = (
    "ienum(xchg add sub _and nand _or _xor max min umax umin fadd fsub fmax fmin uinc_wrap udec_wrap usub_cond usub_sat fmaximum fminimum"
    " fmaximumnum fminimumnum)"
)
MEMORY_ATTRIBUTES = "access_groups?, alias_scopes?, noalias_scopes?, tbaa?"
PURE = (Pure(),)


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"llvm.{name}", *row, rules=RULES, **more)


def intrinsic(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return op(f"intr.{name}", *row, **more)


CALL = "`(` operands `)` attr-dict `:` functional-type(operands, results)"
FLAGS = "fastmathFlags: any=?"

# ---- verifiers --------------------------------------------------------------------------------------------------------------------


def is_atomic(type: Attribute) -> bool:
    """A type that one atomic access can hold: at least a byte, a power of two of bits."""
    if is_pointer(type):
        return True
    bits = width(type)
    return (isinstance(type, IntegerType) or is_llvm_float(type)) and bits >= 8 and bits & (bits - 1) == 0


def _integer(op: Operation, name: str) -> int:
    value = op.properties.get(name)
    return cast("IntegerAttr[Any]", value).value.data if isinstance(value, IntegerAttr) else 0


def _verify_rmw(op: Any) -> None:
    kind, type = _integer(op, "bin_op"), op.val.type
    if kind in (11, 12, 13, 14, 19, 20, 21, 22):
        if isinstance(type, VectorType):
            if not is_llvm_float(scalar(cast(Attribute, type))):
                raise VerifyException("expected LLVM IR floating point type for vector element")
        elif not is_llvm_float(type):
            raise VerifyException("expected LLVM IR floating point type")
    elif kind == 0:
        if not is_atomic(type):
            raise VerifyException("unexpected LLVM IR type for 'xchg' bin_op")
    elif not isinstance(type, IntegerType) or width(type) not in (8, 16, 32, 64):
        raise VerifyException("expected LLVM IR integer type")
    if _integer(op, "ordering") < 2:
        raise VerifyException("expected at least 'monotonic' ordering")


def _verify_cmpxchg(op: Any) -> None:
    if not is_atomic(op.val.type):
        raise VerifyException("unexpected LLVM IR type")
    success, failure = _integer(op, "success_ordering"), _integer(op, "failure_ordering")
    if min(success, failure) < 2:
        raise VerifyException("ordering must be at least 'monotonic'")
    if failure in (5, 6):
        raise VerifyException("failure ordering cannot be 'release' or 'acq_rel'")


def _verify_fence(op: Any) -> None:
    if _integer(op, "ordering") < 4:
        raise VerifyException("can be given only acquire, release, acq_rel, and seq_cst orderings")


def _same(first: str, second: str, a: int, b: int, *, result: bool = False) -> Rule:
    def condition(op: Operation) -> bool:
        left = op.results[a].type if result else op.operands[a].type
        return left == op.operands[b].type

    return holds(f"failed to verify that {first} and {second} have the same type", condition)


def _struct_of(*types: Attribute) -> Attribute:
    return LLVMStructType.from_type_list(types)


RULES["llvm.atomicrmw"] = (*RULES["llvm.atomicrmw"], _same("result #0", "operand #1", 0, 1, result=True))
RULES["llvm.cmpxchg"] = (
    *RULES["llvm.cmpxchg"],
    _same("operand #1", "operand #2", 1, 2),
    holds(
        "failed to verify that result #0 has an LLVM struct type consisting of the type of operand #2 and a bool",
        lambda op: op.results[0].type == _struct_of(op.operands[2].type, i1),
    ),
)


def _verify_address(op: Any) -> None:
    from stepwell.dialects.dlti import pointer_width

    bits, type = pointer_width(op, op.operands[0].type), scalar(op.results[0].type)
    if width(type) != bits:
        what = f"bit-width of integer result type '{shown(type)}' must match the pointer bitwidth ({bits}) specified in the datalayout"
        raise VerifyException(what)


def _verify_sincos(op: Any) -> None:
    type, result = op.operands[0].type, op.results[0].type
    if not isinstance(result, LLVMStructType) or tuple(result.types) != (type, type):
        raise VerifyException("expected result type to be an homogeneous struct with two elements matching the operand type")


def _bits(type: Any) -> int:
    return type.get_shape()[0] * width(type.element_type)


def _scalable(type: Any) -> bool:
    return type.get_num_scalable_dims() > 0


def _vectors_fit(a: str, b: str, verb: str, into: str) -> tuple[Rule, ...]:
    def small(op: Any) -> bool:
        return max(_bits(getattr(op, a).type), _bits(getattr(op, b).type)) <= 131072

    def kind(op: Any) -> bool:
        return not _scalable(getattr(op, a).type) or _scalable(getattr(op, b).type)

    return (
        holds("failed to verify that vectors are not bigger than 2^17 bits.", small),
        holds(f"failed to verify that it is not {verb} scalable {into} fixed-length vectors.", kind),
    )


RULES["llvm.intr.vector.insert"] = _vectors_fit("srcvec", "dstvec", "inserting", "into")
RULES["llvm.intr.vector.extract"] = _vectors_fit("res", "srcvec", "extracting", "from")


def _twice(op: Any) -> bool:
    a, r = op.vec1.type, op.res.type
    return r.get_shape()[0] == 2 * a.get_shape()[0] and r.element_type == a.element_type and _scalable(r) == _scalable(a)


RULES["llvm.intr.vector.interleave2"] = (
    holds("failed to verify that all of {vec1, vec2} have same type", lambda op: op.vec1.type == op.vec2.type),
    holds("failed to verify that result has twice as many elements as 'vec1'", _twice),
)

# ---- formats by hand --------------------------------------------------------------------------------------------------------------


def _read_targets(reading: Reading, _: Any) -> None:
    parser = reading.parser
    blocks: list[Block] = []
    segments: list[int] = []

    def one() -> None:
        blocks.append(parser.parse_successor())
        values: list[Any] = []
        if parser.parse_optional_punctuation("("):
            values = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
            parser.parse_punctuation(":")
            reading.types.setdefault("succOperands", []).extend(parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type))
            parser.parse_punctuation(")")
        reading.values.setdefault("succOperands", []).extend(values)
        segments.append(len(values))

    reading.types.setdefault("succOperands", [])
    parser.parse_comma_separated_list(parser.Delimiter.SQUARE, one)
    reading.attributes["indbr_operand_segments"] = DenseArrayBase.from_list(i32, segments)
    reading.successors["successors_"] = blocks


def _write_targets(writing: Writing, _: Any) -> None:
    op: Any = writing.op
    printer = writing.printer
    values = iter(op.succOperands)
    printer.print_string(" [")
    for index, (block, count) in enumerate(zip(op.successors, op.indbr_operand_segments.get_values(), strict=True)):
        printer.print_string(",\n  " if index else "\n  ")
        printer.print_block_name(block)
        passed = [next(values) for _ in range(int(count))]
        if passed:
            printer.print_string("(")
            printer.print_list(passed, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([value.type for value in passed], printer.print_attribute)
            printer.print_string(")")
    printer.print_string("\n]" if op.successors else "]")
    writing.space = True


def _landingpad() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        reading.values["clauses"], reading.types["clauses"] = [], []
        while parser.parse_optional_punctuation("("):
            if parser.parse_optional_keyword("filter") is None:
                parser.parse_keyword("catch")
            reading.values["clauses"].append(parser.parse_unresolved_operand())
            parser.parse_punctuation(":")
            reading.types["clauses"].append(parser.parse_type())
            parser.parse_punctuation(")")

    def write(writing: Writing, _: Any) -> None:
        printer = writing.printer
        for value in writing.op.operands:
            printer.print_string(" (filter " if value.type.name == "llvm.array" else " (catch ")
            printer.print_ssa_value(value)
            printer.print_string(" : ")
            printer.print_attribute(value.type)
            printer.print_string(")")

    return read, write


def _verify_landingpad(op: Any) -> None:
    around = op.parent_op()
    while around is not None and around.name != "llvm.func":
        around = around.parent_op()
    if around is not None and "personality" not in around.properties and "personality" not in around.attributes:
        raise VerifyException("llvm.landingpad needs to be in a function with a personality")
    if op.cleanup is None and not op.operands:
        raise VerifyException("landingpad instruction expects at least one clause or cleanup attribute")
    for index, value in enumerate(op.operands):
        if value.type.name == "llvm.array":
            continue
        owner = value.owner
        if isinstance(owner, Operation) and owner.name == "llvm.bitcast":
            source = owner.operands[0].owner
            if not (isinstance(source, Operation) and source.name == "llvm.mlir.addressof"):
                raise VerifyException("constant clauses expected")
        elif not (isinstance(owner, Operation) and owner.name in ("llvm.mlir.zero", "llvm.mlir.addressof")):
            raise VerifyException(f"clause #{index} is not a known constant - null, addressof, bitcast")


def _flags(op: Any) -> list[Attribute]:
    return list(cast("ArrayAttr[Attribute]", op.flags)) if isinstance(op.flags, ArrayAttr) else []


def _verify_module_flags(op: Any) -> None:
    seen: set[str] = set()
    for flag in _flags(op):
        if isinstance(flag, Body) and flag.name == "llvm.mlir.module_flag":
            key = str(flag.data[2]).strip('"')
            if flag.data[0] == "require":
                continue
        elif flag.name == "rocdl.buffer_oob_mode_flag":
            key = "amdgpu.buffer.oob.mode"
        elif isinstance(flag, UnregisteredAttr) or ("." in flag.name and not flag.name.startswith("builtin.")):
            continue
        else:
            raise VerifyException("expected a module flag attribute")
        if key in seen:
            raise VerifyException(f"expected module flag key '{key}' to be unique for non-require flags")
        seen.add(key)


def _structors(what: str) -> Any:
    def verify(op: Any) -> None:
        names, priorities, data = (list(op.properties[key]) for key in (what, "priorities", "data"))
        if not len(names) == len(priorities) == len(data):
            raise VerifyException(f"{what}, priorities, and data must have the same number of elements")
        for item in data:
            if not isinstance(item, SymbolRefAttr) and item.name != "llvm.zero":
                raise VerifyException("data element must be symbol or #llvm.zero")
        for name in names:
            found = SymbolTable.lookup_symbol(op, name)
            if found is None or found.name != "llvm.func":
                raise VerifyException(f"'{name.root_reference.data}' does not reference a valid LLVM function")
            if not found.regions[0].blocks:
                raise VerifyException(f"'{name.root_reference.data}' does not have a definition")

    return verify


def _verify_comdat(op: Any) -> None:
    for inner in op.regions[0].walk():
        if inner.name != "llvm.comdat_selector":
            raise VerifyException("only comdat selector symbols can appear in a comdat region")


def _verify_blockaddress(op: Any) -> None:
    items = [item for item in op.block_addr.data if isinstance(item, str)]
    name = next((item[1:].strip('"') for item in items if item.startswith("@")), "")
    numbers = [item for item in items if item.isdigit()]
    found = SymbolTable.lookup_symbol(op, StringAttr(name))
    if found is not None and found.name == "llvm.func":
        for inner in found.walk():
            if inner.name == "llvm.blocktag" and numbers[-1] in cast(Any, inner).tag.data:
                return
    raise VerifyException("expects an existing block label target in the referenced function")


def _bare_body(name: str, attribute: str) -> tuple[Any, Any]:
    """An attribute in a format without its name: `<...>`."""

    def read(reading: Reading, _: Any) -> None:
        context: Any = reading.parser
        cls: Any = context.ctx.get_optional_attr(attribute)
        reading.attributes[name] = cls.new(cls.parse_parameter(reading.parser))

    def write(writing: Writing, _: Any) -> None:
        writing.gap()
        getattr(writing.op, name).print_parameter(writing.printer)
        writing.said.add(name)

    return read, write


def _bundles() -> tuple[Any, Any]:
    from stepwell.dialects.llvm.functions import NO_SIZES, parse_bundles, print_bundles

    def read(reading: Reading, _: Any) -> None:
        values, sizes, tags = parse_bundles(reading.parser)
        reading.resolved["op_bundle_operands"] = values
        reading.attributes["op_bundle_sizes"] = DenseArrayBase.from_list(i32, sizes) if sizes else NO_SIZES
        if tags:
            reading.attributes["op_bundle_tags"] = ArrayAttr(tags)

    def write(writing: Writing, _: Any) -> None:
        print_bundles(writing.printer, writing.op)
        writing.said |= {"op_bundle_sizes", "op_bundle_tags"}

    return read, write


def _debug(argument: str) -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        reading.attributes["varInfo"] = reading.parser.parse_attribute()
        expression = reading.parser.parse_optional_attribute()
        if expression is not None:
            reading.attributes["locationExpr"] = expression

    def write(writing: Writing, _: Any) -> None:
        for name in ("varInfo", "locationExpr"):
            value = writing.op.properties.get(name)
            if value is not None:
                writing.gap()
                writing.printer.print_attribute(value)
        writing.said |= {"varInfo", "locationExpr"}

    del argument
    return read, write


# ---- the table --------------------------------------------------------------------------------------------------------------------

_UNARY = "exp exp2 exp10 log log2 log10 sin cos tan asin acos atan sinh cosh tanh arithmetic.fence".split()
_ROUNDED = "lround llround lrint llrint".split()
_BINARY = "pow atan2 minimumnum maximumnum".split()
_SATURATING = "sadd.sat uadd.sat ssub.sat usub.sat sshl.sat ushl.sat".split()
_OVERFLOW = [f"{a}{b}.with.overflow" for a, b in itertools.product("su", ("add", "sub", "mul"))]
_CONSTRAINED = "fadd fsub fmul fdiv frem".split()
_ROUNDING = "roundingmode: ienum(towardzero tonearest upward downward tonearestaway _ _ dynamic)"
_EXCEPTIONS = "fpExceptionBehavior: ienum(ignore maytrap strict)"
_VP_BINARY = "add sub mul sdiv udiv srem urem ashr lshr shl or and xor smax smin umax umin fadd fsub fmul fdiv frem maxnum minnum".split()
_VP_UNARY = "fneg sqrt fabs".split()
_VP_REDUCE = [f"reduce.{name}" for name in "add mul and or xor smax smin umax umin fadd fmul fmax fmin".split()]
_VP_CAST = "fptosi fptoui sitofp uitofp trunc zext sext fptrunc fpext ptrtoint inttoptr".split()

OPS: list[type[IRDLOperation]] = [
    *SYMBOL_OPS,
    # atomics and barriers
    op(
        "atomicrmw",
        "ptr: pointer, val: atomicval",
        "res: =val",
        f"volatile_: unit, bin_op: {BIN_OPS}, ordering: {ORDERING}, syncscope?: str, alignment?, {MEMORY_ATTRIBUTES}",
        "(`volatile` $volatile_^)? $bin_op $ptr `,` $val (`syncscope` `(` $syncscope^ `)`)? $ordering attr-dict `:` type($ptr) `,`"
        " type($val)",
        verify=_verify_rmw,
        traits=(MemoryReadEffect(), MemoryWriteEffect()),
    ),
    op(
        "cmpxchg",
        "ptr: pointer, cmp: =val, val: any",
        "res",
        f"weak: unit, volatile_: unit, success_ordering: {ORDERING}, failure_ordering: {ORDERING}, syncscope?: str, alignment?,"
        f"{MEMORY_ATTRIBUTES}",
        "(`weak` $weak^)? (`volatile` $volatile_^)? $ptr `,` $cmp `,` $val (`syncscope` `(` $syncscope^ `)`)? $success_ordering"
        " $failure_ordering attr-dict `:` type($ptr) `,` type($val)",
        verify=_verify_cmpxchg,
        infer=lambda values: _struct_of(values["val"][0].type, i1),
        traits=(MemoryReadEffect(), MemoryWriteEffect()),
    ),
    op(
        "fence",
        "",
        "",
        f"ordering: {ORDERING}, syncscope?: str",
        "(`syncscope` `(` $syncscope^ `)`)? $ordering attr-dict",
        verify=_verify_fence,
    ),
    # exceptions and rare control flow
    op("resume", "value: type", "", "", "$value attr-dict `:` type($value)", traits=(IsTerminator(),)),
    op(
        "landingpad",
        "clauses*",
        "res: type",
        "cleanup: unit",
        "(`cleanup` $cleanup^)? custom<Clauses>() attr-dict `:` type($res)",
        custom={"Clauses": _landingpad()},
        verify=_verify_landingpad,
    ),
    op(
        "indirectbr",
        "addr: pointer, succOperands*",
        "",
        "indbr_operand_segments",
        "$addr `:` type($addr) `,` custom<Targets>() attr-dict",
        successors="successors_*",
        custom={"Targets": (_read_targets, _write_targets)},
        traits=(IsTerminator(),),
    ),
    op(
        "blockaddress",
        "",
        "res: pointer",
        "block_addr",
        "custom<Address>() attr-dict `:` type($res)",
        custom={"Address": _bare_body("block_addr", "llvm.blockaddress")},
        verify=_verify_blockaddress,
        traits=PURE,
    ),
    op("blocktag", "", "", "tag", "custom<Tag>() attr-dict", custom={"Tag": _bare_body("tag", "llvm.blocktag")}),
    op("va_arg", "arg: pointer", "res", "", "$arg attr-dict `:` functional-type($arg, $res)"),
    op("ptrtoaddr", "arg: vecptr", "res: vecint", "", "$arg attr-dict `:` type($arg) `to` type($res)", traits=PURE, verify=_verify_address),
    # module level
    op("module_flags", "", "", "flags: any", "$flags attr-dict", verify=_verify_module_flags),
    op("linker_options", "", "", "options: any", "$options attr-dict"),
    op("named_metadata", "", "", "metadata_name: str, nodes: any", "$metadata_name $nodes attr-dict"),
    op(
        "comdat",
        "",
        "",
        "sym_name: symname",
        "$sym_name $body attr-dict",
        regions="body",
        verify=_verify_comdat,
        traits=(NoTerminator(), SymbolTable(), SymbolOpInterface()),
    ),
    op(
        "comdat_selector",
        "",
        "",
        "sym_name: symname, comdat: enum(llvm.comdat)",
        "$sym_name $comdat attr-dict",
        traits=(SymbolOpInterface(),),
    ),
    op(
        "mlir.global_ctors",
        "",
        "",
        "ctors: any, priorities: any, data: any",
        "`ctors` `=` $ctors `,` `priorities` `=` $priorities `,` `data` `=` $data attr-dict",
        verify=_structors("ctors"),
    ),
    op(
        "mlir.global_dtors",
        "",
        "",
        "dtors: any, priorities: any, data: any",
        "`dtors` `=` $dtors `,` `priorities` `=` $priorities `,` `data` `=` $data attr-dict",
        verify=_structors("dtors"),
    ),
    op("dso_local_equivalent", "", "res: pointer", "function_name: any", "$function_name attr-dict `:` type($res)", traits=PURE),
    op("mlir.none", "", "res", "", "attr-dict `:` type($res)", traits=PURE),
    op("mlir.metadata_as_value", "", "res: metadata", "metadata: any", "$metadata attr-dict", traits=PURE),
    # intrinsics
    *(intrinsic(name, "in: vecfloat", "res: any", FLAGS, CALL, traits=PURE) for name in _UNARY),
    *(intrinsic(name, "val: vecfloat", "res: vecint", "", CALL, traits=PURE) for name in _ROUNDED),
    *(intrinsic(name, "a: vecfloat, b: vecfloat", "res: vecfloat", FLAGS, CALL, traits=PURE) for name in _BINARY),
    *(intrinsic(name, "val: vecfloat, power: vecint", "res: vecfloat", FLAGS, CALL, traits=PURE) for name in ("ldexp", "powi")),
    intrinsic("frexp", "val: vecfloat", "res", FLAGS, CALL, traits=PURE),
    intrinsic("sincos", "val: vecfloat", "res", FLAGS, CALL, traits=PURE, verify=_verify_sincos),
    *(intrinsic(name, "a: vecint, b: vecint", "res: vecint", "", CALL, traits=PURE) for name in (*_SATURATING, "scmp", "ucmp")),
    *(intrinsic(name, "a: vecint, b: vecint, c: vecint", "res: vecint", "", CALL, traits=PURE) for name in ("fshl", "fshr")),
    *(intrinsic(name, "a, b", "res", traits=PURE) for name in _OVERFLOW),
    intrinsic("is.fpclass", "in: vecfloat", "res: vecbool", "bit: i32", traits=PURE),
    *(
        intrinsic(name, "dst: pointer, src: pointer, len", "", f"isVolatile: i1, arg_attrs?, res_attrs?, {MEMORY_ATTRIBUTES}")
        for name in ("memmove",)
    ),
    intrinsic("memcpy.inline", "dst: pointer, src: pointer", "", f"len, isVolatile: i1, arg_attrs?, res_attrs?, {MEMORY_ATTRIBUTES}"),
    intrinsic("memset.inline", "dst: pointer, val: i8", "", f"len, isVolatile: i1, arg_attrs?, res_attrs?, {MEMORY_ATTRIBUTES}"),
    intrinsic("experimental.noalias.scope.decl", "", "", "scope: any", "$scope attr-dict"),
    intrinsic(
        "ptrmask", "ptr: vecptr, mask", "res: vecptr", "", "$ptr `,` $mask attr-dict `:` functional-type(operands, results)", traits=PURE
    ),
    *(intrinsic(f"lifetime.{name}", "ptr: pointer", "", "", "$ptr attr-dict `:` type($ptr)") for name in ("start", "end")),
    intrinsic("invariant.start", "ptr: pointer", "res: defaultptr", "size: i64", "$size `,` $ptr attr-dict `:` type($ptr)"),
    intrinsic("invariant.end", "start: defaultptr, ptr: pointer", "", "size: i64", "$start `,` $size `,` $ptr attr-dict `:` type($ptr)"),
    *(
        intrinsic(f"{name}.invariant.group", "ptr: pointer", "res: =ptr", "", "$ptr attr-dict `:` type($ptr)")
        for name in ("launder", "strip")
    ),
    *(
        intrinsic(
            f"experimental.constrained.{name}",
            "arg_0: vecfloat, arg_1: =arg_0",
            "res: =arg_0",
            f"{_ROUNDING}, {_EXCEPTIONS}",
            "$arg_0 `,` $arg_1 $roundingmode $fpExceptionBehavior attr-dict `:` type($arg_0)",
        )
        for name in _CONSTRAINED
    ),
    *(
        intrinsic(
            f"experimental.constrained.{name}",
            "arg_0: vecfloat, arg_1: =arg_0, arg_2: =arg_0",
            "res: =arg_0",
            f"{_ROUNDING}, {_EXCEPTIONS}",
            "$arg_0 `,` $arg_1 `,` $arg_2 $roundingmode $fpExceptionBehavior attr-dict `:` type($arg_0)",
        )
        for name in ("fma", "fmuladd")
    ),
    *(
        intrinsic(
            f"experimental.constrained.{name}",
            "arg_0",
            "res",
            f"{_ROUNDING}, {_EXCEPTIONS}",
            "$arg_0 $roundingmode $fpExceptionBehavior attr-dict `:` type($arg_0) `to` type($res)",
        )
        for name in ("uitofp", "sitofp", "fptrunc")
    ),
    intrinsic(
        "experimental.constrained.fpext",
        "arg_0",
        "res",
        _EXCEPTIONS,
        "$arg_0 $fpExceptionBehavior attr-dict `:` type($arg_0) `to` type($res)",
    ),
    intrinsic(
        "assume",
        "cond: i1, op_bundle_operands*",
        "",
        "op_bundle_sizes, op_bundle_tags?",
        "$cond custom<Bundles>() `:` type($cond) attr-dict",
        custom={"Bundles": _bundles()},
    ),
    intrinsic("fake.use", "args*", "", "", "$args attr-dict `:` type($args)"),
    intrinsic("ssa.copy", "operand", "res: =operand", "", "$operand attr-dict `:` type($operand)", traits=PURE),
    intrinsic("is.constant", "val: type", "res: i1", traits=PURE),
    intrinsic("expect", "val: int, expected: =val", "res: =val", "", "$val `,` $expected attr-dict `:` type($val)", traits=PURE),
    intrinsic(
        "expect.with.probability",
        "val: int, expected: =val",
        "res: =val",
        "prob: f64",
        "$val `,` $expected `,` $prob attr-dict `:` type($val)",
        traits=PURE,
    ),
    intrinsic("threadlocal.address", "global: pointer", "res: pointer"),
    intrinsic(
        "coro.id",
        "align: i32, promise: pointer, coroaddr: pointer, fnaddrs: pointer",
        "res",
        "",
        "$align `,` $promise `,` $coroaddr `,` $fnaddrs attr-dict `:` functional-type(operands, results)",
    ),
    intrinsic("coro.begin", "token, mem: pointer", "res", "", "$token `,` $mem attr-dict `:` functional-type(operands, results)"),
    *(intrinsic(f"coro.{name}", "", "res", "", "attr-dict `:` type($res)") for name in ("size", "align")),
    intrinsic("coro.save", "handle: pointer", "res", "", "$handle attr-dict `:` functional-type(operands, results)"),
    intrinsic("coro.suspend", "save: token_type, final: i1", "res: any", "", "$save `,` $final attr-dict `:` type($res)"),
    intrinsic(
        "coro.end",
        "handle: pointer, unwind: i1, retvals",
        "res",
        "",
        "$handle `,` $unwind `,` $retvals attr-dict `:` functional-type(operands, results)",
    ),
    intrinsic("coro.free", "id, handle: pointer", "res", "", "$id `,` $handle attr-dict `:` functional-type(operands, results)"),
    intrinsic("coro.resume", "handle: pointer", "", "", "$handle attr-dict `:` type($handle)"),
    intrinsic(
        "coro.promise",
        "handle: pointer, align: i32, from: i1",
        "res: pointer",
        "",
        "$handle `,` $align `,` $from attr-dict `:` functional-type(operands, results)",
    ),
    *(
        intrinsic(
            f"dbg.{name}",
            f"{argument}: any",
            "",
            "varInfo: any, locationExpr?: any",
            f"custom<Variable>() `=` ${argument} `:` type(${argument}) attr-dict",
            custom={"Variable": _debug(argument)},
        )
        for name, argument in (("declare", "addr"), ("value", "value"))
    ),
    intrinsic("dbg.label", "", "", "label: any", "$label attr-dict"),
    intrinsic("vastart", "arg_list: pointer", "", "", "$arg_list attr-dict `:` type($arg_list)"),
    intrinsic("vaend", "arg_list: pointer", "", "", "$arg_list attr-dict `:` type($arg_list)"),
    intrinsic("vacopy", "dest_list: pointer, src_list: pointer", "", "", "$src_list `to` $dest_list attr-dict `:` type(operands)"),
    intrinsic("eh.typeid.for", "type_info: pointer", "res", "", "$type_info attr-dict `:` functional-type(operands, results)"),
    intrinsic(
        "matrix.column.major.load",
        "data: pointer, stride: int",
        "res: vector",
        "isVolatile: i1, rows: i32, columns: i32",
        "$data `,` `<` `stride` `=` $stride `>` attr-dict `:` type($res) `from` type($data) `stride` type($stride)",
    ),
    intrinsic(
        "matrix.column.major.store",
        "matrix: vector, data: pointer, stride: int",
        "",
        "isVolatile: i1, rows: i32, columns: i32",
        "$matrix `,` $data `,` `<` `stride` `=` $stride `>` attr-dict `:` type($matrix) `to` type($data) `stride` type($stride)",
    ),
    intrinsic(
        "matrix.multiply",
        "lhs: vector, rhs: vector",
        "res: vector",
        "lhs_rows: i32, lhs_columns: i32, rhs_columns: i32",
        "$lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($res)",
        traits=PURE,
    ),
    intrinsic(
        "matrix.transpose",
        "matrix: vector",
        "res: vector",
        "rows: i32, columns: i32",
        "$matrix attr-dict `:` type($matrix) `into` type($res)",
    ),
    intrinsic(
        "get.active.lane.mask",
        "base: int, n: =base",
        "res: vector",
        "",
        "$base `,` $n attr-dict `:` type($base) `,` type($n) `to` type($res)",
    ),
    intrinsic("masked.expandload", "ptr: pointer, mask: vector, passthru: vector", "res: vector", "arg_attrs?, res_attrs?", CALL),
    intrinsic("masked.compressstore", "value: vector, ptr: pointer, mask: vector", "", "arg_attrs?, res_attrs?", CALL),
    intrinsic("vscale", "", "res: any"),
    intrinsic("stepvector", "", "res: vector", "", "attr-dict `:` type($res)", traits=PURE),
    intrinsic("experimental.vector.partial.reduce.add", "a: vector, b: vector", "res: vector", traits=PURE),
    intrinsic(
        "vector.insert",
        "dstvec: =res, srcvec: vector",
        "res: vector",
        "pos: i64",
        "$srcvec `,` $dstvec `[` $pos `]` attr-dict `:` type($srcvec) `into` type($res)",
        traits=PURE,
    ),
    intrinsic(
        "vector.extract",
        "srcvec: vector",
        "res: vector",
        "pos: i64",
        "$srcvec `[` $pos `]` attr-dict `:` type($res) `from` type($srcvec)",
        traits=PURE,
    ),
    intrinsic("vector.interleave2", "vec1: vector, vec2: vector", "res: vector", traits=PURE),
    intrinsic("vector.deinterleave2", "vec: vector", "res", traits=PURE),
    *(intrinsic(name) for name in ("trap", "debugtrap", "ubsantrap")),
    *(intrinsic(f"vp.{name}", "lhs: vector, rhs: vector, mask: vector, evl: i32", "res: vector", traits=PURE) for name in _VP_BINARY),
    *(intrinsic(f"vp.{name}", "op: vector, mask: vector, evl: i32", "res: vector", traits=PURE) for name in _VP_UNARY),
    *(
        intrinsic(f"vp.{name}", "a: vector, b: vector, c: vector, mask: vector, evl: i32", "res: vector", traits=PURE)
        for name in ("fma", "fmuladd")
    ),
    *(intrinsic(f"vp.{name}", "satrt_value, val: vector, mask: vector, evl: i32", "res", traits=PURE) for name in _VP_REDUCE),
    *(intrinsic(f"vp.{name}", "src: vector, mask: vector, evl: i32", "res: vector", traits=PURE) for name in _VP_CAST),
    *(
        intrinsic(f"vp.{name}", "cond: vector, true_val: vector, false_val: vector, evl: i32", "res: vector", traits=PURE)
        for name in ("select", "merge")
    ),
    intrinsic("vp.load", "ptr: pointer, mask: vector, evl: i32", "res: vector"),
    intrinsic("vp.store", "val: vector, ptr: pointer, mask: vector, evl: i32"),
    intrinsic("experimental.vp.strided.load", "ptr: pointer, stride: int, mask: vector, evl: i32", "res: vector"),
    intrinsic("experimental.vp.strided.store", "val: vector, ptr: pointer, stride: int, mask: vector, evl: i32"),
    *(intrinsic(name, "", "res", "annotation?") for name in ("returnaddress", "frameaddress")),
]
RARE: tuple[list[type[IRDLOperation]], Sequence[type[Attribute]]] = (OPS, llvm_metadata.ATTRIBUTES)
__all__ = ["OPS", "RARE", "IsolatedFromAbove"]
