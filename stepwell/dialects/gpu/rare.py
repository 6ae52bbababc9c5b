"""The `gpu` operations beyond kernels, launches and copies, as rows of a table.

Communication in a subgroup, matrices of a subgroup, binaries, sparse linear algebra.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    VectorType,
)
from xdsl.dialects.gpu import AsyncTokenType
from xdsl.ir import Attribute, Data, Operation, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import IRDLOperation, irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.attr_table import Item, body, enumeration
from stepwell.dialects.gpu.rules import RULES, has_unit_stride
from stepwell.dialects.op_table import FIXED_TYPES, KINDS, Reading, Writing, define
from stepwell.ir.rules import Kind, fail, holds, is_float, is_signless, shown, width

TOKEN = AsyncTokenType()
FIXED_INDEX = IndexType()
PURE = (Pure(),)

# ---- types and attributes -----------------------------------------------------------------------------------------------------------


@irdl_attr_definition
class MMAMatrixType(Data[tuple[tuple[int, int], Attribute, str]], TypeAttribute):
    """`!gpu.mma_matrix<16x16xf16, "AOp">`: a matrix that a subgroup holds."""

    name = "gpu.mma_matrix"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[tuple[int, int], Attribute, str]:
        with parser.in_angle_brackets():
            shape: list[int] = []
            while (extent := parser.parse_optional_integer(allow_boolean=False, allow_negative=False)) is not None:
                shape.append(extent)
                parser.parse_shape_delimiter()
            element = parser.parse_type()
            parser.parse_punctuation(",")
            operand = parser.parse_str_literal()
            if len(shape) != 2:
                parser.raise_error("MMAMatrixType must have exactly two dimensions")
            fits = isinstance(element, (Float16Type, Float32Type, Float64Type)) or width(element) in (8, 32)
            if not fits or (width(element) == 8 and is_signless(element)):
                parser.raise_error("MMAMatrixType elements must be SI8, UI8, I32, F16, F32, or F64")
            if operand not in ("AOp", "BOp", "COp"):
                parser.raise_error("operand expected to be one of AOp, BOp or COp")
        return (shape[0], shape[1]), element, operand

    def print_parameter(self, printer: Printer) -> None:
        (rows, columns), element, operand = self.data
        printer.print_string(f"<{rows}x{columns}x")
        printer.print_attribute(element)
        printer.print_string(f', "{operand}">')


def _handle(name: str) -> type[ParametrizedAttribute]:
    fields = {"name": f"gpu.{name}", "__doc__": f"`!gpu.{name}`"}
    return irdl_attr_definition(type(name.replace(".", "_"), (ParametrizedAttribute, TypeAttribute), fields))


NamedBarrierType = _handle("named_barrier")
HANDLES = {name: _handle(f"sparse.{name}") for name in ("dntensor_handle", "spmat_handle", "spgemmop_handle")}


def _check_table(parser: AttrParser, items: tuple[Item, ...]) -> None:
    names = [str(item.data[0]) for item in items if isinstance(item, Data) and item.name == "gpu.kernel_metadata" and item.data]
    if len(set(names)) != len(names):
        parser.raise_error("expected all kernels to be uniquely named")


REDUCTIONS = "add mul minui minsi minnumf maxui maxsi maxnumf and or xor minimumf maximumf"
ELEMENTWISE = "addf mulf subf maxf minf divf addi muli subi divs divu negatef negates extf truncf"
ATTRIBUTES: list[type[Attribute]] = [
    enumeration("gpu.all_reduce_op", REDUCTIONS, spaced=True, label="::mlir::gpu::AllReduceOperation"),
    enumeration("gpu.shuffle_mode", "xor down up idx", spaced=True, label="::mlir::gpu::ShuffleMode"),
    enumeration("gpu.mma_element_wise", ELEMENTWISE, spaced=True, label="::mlir::gpu::MMAElementwiseOp"),
    enumeration("gpu.prune_2to4_spmat_flag", "NONE PRUNE_ONLY PRUNE_AND_CHECK", spaced=True),
    enumeration("gpu.mat_transpose_mode", "NON_TRANSPOSE TRANSPOSE CONJUGATE_TRANSPOSE", spaced=True),
    enumeration("gpu.spgemm_work_estimation_or_compute_kind", "WORK_ESTIMATION COMPUTE", spaced=True),
    enumeration("gpu.broadcast_type", "first_active_lane any_lane specific_lane", spaced=True),
    enumeration("gpu.barrier_scope", "workgroup cluster subgroup", label="::mlir::gpu::BarrierScope"),
    body("gpu.object"),
    body("gpu.select_object"),
    body("gpu.kernel_metadata"),
    body("gpu.kernel_table", _check_table),
    MMAMatrixType,
    NamedBarrierType,
    *HANDLES.values(),
]

# ---- kinds of types -----------------------------------------------------------------------------------------------------------------


def _number(type: Attribute) -> bool:
    return is_float(type) or is_signless(type)


def _number_or_vector(type: Attribute) -> bool:
    if isinstance(type, VectorType):
        return type.get_num_dims() == 1 and not type.get_num_scalable_dims() and _number(cast(Attribute, type.element_type))
    return _number(type)


def _mma_memref(type: Attribute) -> bool:
    if not isinstance(type, MemRefType):
        return False
    held = cast("MemRefType[Any]", type).element_type
    if isinstance(held, VectorType):
        return held.get_num_dims() == 1 and isinstance(held.element_type, (Float16Type, Float32Type, Float64Type))
    return isinstance(held, (Float16Type, Float32Type, Float64Type)) or width(held) in (8, 32)


_ELEMENTS = "8-bit signless integer or 32-bit signless integer or 16-bit float or 32-bit float or 64-bit float"
KINDS.update(
    {
        "number": Kind("Integer or Float", _number),
        "numbers": Kind("Integer or Float or fixed-length vector of Integer or Float values of ranks 1", _number_or_vector),
        "matrix": Kind("MMAMatrix type", lambda t: isinstance(t, MMAMatrixType)),
        "mmamemref": Kind(
            f"memref of {_ELEMENTS} or vector of 16-bit float or 32-bit float or 64-bit float values of ranks 1", _mma_memref
        ),
        "bytes1d": Kind(
            "1D memref of 8-bit signless integer values",
            lambda t: isinstance(t, MemRefType) and len(t.get_shape()) == 1 and width(cast("MemRefType[Any]", t).element_type) == 8,
        ),
        "namedbarrier": Kind("named barrier type", lambda t: t.name == "gpu.named_barrier"),
        "signless": Kind("signless integer", is_signless),
        "gputoken": Kind("async token type", lambda t: isinstance(t, AsyncTokenType)),
        **{name: Kind(f"{name} type", lambda t, cls=cls: isinstance(t, cls)) for name, cls in HANDLES.items()},
    }
)
FIXED_TYPES.update({"namedbarrier": NamedBarrierType(), "gputoken": TOKEN, **{name: cls() for name, cls in HANDLES.items()}})

# ---- verifiers ----------------------------------------------------------------------------------------------------------------------

_FLOATS_ONLY = frozenset("minnumf maxnumf minimumf maximumf".split())
_INTEGERS_ONLY = frozenset("minsi minui maxsi maxui and or xor".split())


def _check_reduction(kind: Any, type: Attribute, whole: Attribute) -> None:
    name = kind.data
    if (name in _FLOATS_ONLY and not is_float(type)) or (name in _INTEGERS_ONLY and not isinstance(type, IntegerType)):
        raise VerifyException(f"`{name}` reduction operation is not compatible with type '{shown(whole)}'")


def _verify_all_reduce(op: Any) -> None:
    blocks, kind, type = op.body.blocks, op.properties.get("op"), op.results[0].type
    if bool(blocks) == (kind is not None):
        raise VerifyException("expected either an op attribute or a non-empty body")
    if not blocks:
        _check_reduction(kind, type, type)
        return
    if len(blocks[0].args) != 2:
        raise VerifyException("expected two region arguments")
    if any(argument.type != type for argument in blocks[0].args):
        raise VerifyException("incorrect region argument type")
    yields = [block.last_op for block in blocks if block.last_op is not None and block.last_op.name == "gpu.yield"]
    for found in yields:
        if len(found.operands) != 1:
            raise VerifyException("expected one gpu.yield operand")
        if found.operands[0].type != type:
            raise VerifyException("incorrect gpu.yield type")
    if not yields:
        raise VerifyException("expected gpu.yield op in region")


def _integer(op: Operation, name: str, default: int | None = None) -> int | None:
    value = op.properties.get(name)
    return cast("IntegerAttr[Any]", value).value.data if isinstance(value, IntegerAttr) else default


def _verify_subgroup_reduce(op: Any) -> None:
    type = op.results[0].type
    _check_reduction(op.properties["op"], type.element_type if isinstance(type, VectorType) else type, type)
    size, stride = _integer(op, "cluster_size"), _integer(op, "cluster_stride", 1) or 0
    if size is not None and (size <= 0 or size & (size - 1)):
        raise VerifyException(f"cluster size {size} is not a power of two")
    if stride != 1 and size is None:
        raise VerifyException("cluster stride can only be specified if cluster size is specified")
    if stride <= 0 or stride & (stride - 1):
        raise VerifyException(f"cluster stride {stride} is not a power of two")


def _verify_rotate(op: Any) -> None:
    offset, width_ = _integer(op, "offset", 0) or 0, _integer(op, "width", 1) or 0
    if offset < 0:
        fail("attribute 'offset' failed to satisfy constraint: 32-bit signless integer attribute whose minimum value is 0")
    if width_ <= 0 or width_ & (width_ - 1):
        fail("attribute 'width' failed to satisfy constraint: 32-bit signless integer attribute whose value is a power of two > 0")
    if offset >= width_:
        fail(f"offset must be in the range [0, {width_})")


RULES["gpu.shuffle"] = (
    holds("failed to verify that all of {value, shuffleResult} have same type", lambda op: op.operands[0].type == op.results[0].type),
)
RULES["gpu.rotate"] = (
    holds("failed to verify that all of {value, rotateResult} have same type", lambda op: op.operands[0].type == op.results[0].type),
)


def _verify_load(op: Any) -> None:
    if not has_unit_stride(op.operands[0].type):
        raise VerifyException("expected source memref most minor dim must have unit stride")


def _verify_store(op: Any) -> None:
    if not has_unit_stride(op.dstMemref.type):
        raise VerifyException("expected destination memref most minor dim must have unit stride")
    if op.src.type.data[2] != "COp":
        raise VerifyException("expected the operand matrix being stored to have 'COp' operand type")


def _verify_compute(op: Any) -> None:
    a, b, c = (value.type.data for value in op.operands)
    if (a[2], b[2], c[2]) != ("AOp", "BOp", "COp"):
        raise VerifyException("operands must be in the order AOp, BOp, COp")
    if a[0][1] != b[0][0] or a[0][0] != c[0][0] or b[0][1] != c[0][1]:
        raise VerifyException("operand shapes do not satisfy matmul constraints")


def _verify_shared(op: Any) -> None:
    type = op.results[0].type
    if getattr(type.memory_space, "data", None) != "workgroup":
        raise VerifyException("address space must be address_space<workgroup>")
    if DYNAMIC_INDEX not in type.get_shape():
        raise VerifyException("result memref type must be memref<?xi8, #gpu.address_space<workgroup>>")


def _verify_binary(op: Any) -> None:
    objects = op.objects
    if (
        not isinstance(objects, ArrayAttr)
        or not len(objects)
        or any(item.name != "gpu.object" for item in cast("ArrayAttr[Attribute]", objects))
    ):
        fail("attribute 'objects' failed to satisfy constraint: an array of GPU object attributes with at least 1 elements")
    handler = op.offloadingHandler
    if handler is not None and isinstance(handler, (IntegerAttr, StringAttr, ArrayAttr)):
        fail("attribute 'offloadingHandler' failed to satisfy constraint: any attribute with the `OffloadingTranslationAttrTrait` trait.")


def _verify_barrier(op: Any) -> None:
    if op.named_barrier is not None and op.scope is not None and op.scope.data != "workgroup":
        raise VerifyException("named barriers require workgroup scope")


def _closest_module(op: Operation) -> Operation | None:
    around = op.parent_op()
    while around is not None and around.name != "builtin.module":
        around = around.parent_op()
    return around


def _verify_launch_func(op: Any) -> None:
    if op.asyncDependencies and op.asyncToken is None:
        raise VerifyException("dependency operands require the dependency-based async model i.e. returning a token")
    if op.asyncObject is not None and op.asyncToken is not None:
        raise VerifyException("stream-based and dependency-based async models are mutually exclusive")
    module = _closest_module(op)
    if module is None:
        raise VerifyException("expected to belong to a module")
    if "gpu.container_module" not in module.attributes:
        raise VerifyException("expected the closest surrounding module to have the 'gpu.container_module' attribute")
    kernel: Any = op.kernel
    container = kernel.root_reference.data
    found: Any = SymbolTable.lookup_symbol(module, StringAttr(container))
    if found is None:
        raise VerifyException(f"kernel container '{container}' is undefined")
    if found.name == "gpu.binary":
        return
    if found.name != "gpu.module":
        raise VerifyException(f"kernel module '{container}' is undefined")
    function: Any = next((o for o in found.body.block.ops if _symbol(o) == kernel.nested_references.data[-1].data), None)
    if function is None:
        raise VerifyException(f"kernel function '{shown(kernel)}' is undefined")
    if function.name not in ("gpu.func", "llvm.func", "func.func", "spirv.func"):
        raise VerifyException(f"referenced kernel '{shown(kernel)}' is not a function")
    if not any(key in function.attributes or key in function.properties for key in ("gpu.kernel", "kernel", "nvvm.kernel", "rocdl.kernel")):
        raise VerifyException("kernel function is missing the 'gpu.kernel' attribute")
    if function.name == "gpu.func":
        inputs = function.function_type.inputs.data
        given = [value.type for value in op.kernelOperands]
        if len(given) != len(inputs):
            raise VerifyException(f"got {len(given)} kernel operands but expected {len(inputs)}")
        for index, (wanted, type) in enumerate(zip(inputs, given, strict=True)):
            if wanted != type:
                raise VerifyException(f"type of function argument {index} does not match")


def _symbol(op: Operation) -> str:
    value = op.properties.get("sym_name") or op.attributes.get("sym_name")
    return value.data if isinstance(value, StringAttr) else ""


# ---- formats by hand ----------------------------------------------------------------------------------------------------------------


def _async() -> tuple[Any, Any]:
    """`async [%t]`: a token for when it is done, tokens of what comes before."""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        is_async = parser.parse_optional_keyword("async") is not None
        tokens = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_unresolved_operand) or []
        reading.values["asyncDependencies"], reading.types["asyncDependencies"] = list(tokens), [TOKEN] * len(tokens)
        reading.types["asyncToken"] = [TOKEN] if is_async else []

    def write(writing: Writing, _: Any) -> None:
        op: Any = writing.op
        if op.asyncToken is not None:
            writing.word("async")
        if op.asyncDependencies:
            writing.gap()
            writing.printer.print_string("[")
            writing.printer.print_list(op.asyncDependencies, writing.printer.print_ssa_value)
            writing.printer.print_string("]")

    return read, write


def _kernel() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        found = reading.parser.parse_attribute()
        if found.name != "symbol_ref":
            reading.parser.raise_error("invalid kind of attribute specified")
        reading.attributes["kernel"] = found

    def write(writing: Writing, _: Any) -> None:
        writing.gap()
        writing.printer.print_attribute(cast(Any, writing.op).kernel)
        writing.said.add("kernel")

    return read, write


_SIZES = [f"{what}Size{axis}" for what in ("grid", "block", "cluster") for axis in "XYZ"]


def _sizes() -> tuple[Any, Any]:
    """`clusters in (...) blocks in (...) threads in (...) : i64`"""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser

        def group(names: list[str]) -> None:
            parser.parse_keyword("in")
            found = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
            for name, value in zip(names, found, strict=True):
                reading.values[name] = [value]

        if parser.parse_optional_keyword("clusters"):
            group(_SIZES[6:])
        parser.parse_keyword("blocks")
        group(_SIZES[:3])
        parser.parse_keyword("threads")
        group(_SIZES[3:6])
        type = parser.parse_type() if parser.parse_optional_punctuation(":") else FIXED_INDEX
        for name in _SIZES:
            reading.types[name] = [type] * len(reading.values.get(name, ()))

    def write(writing: Writing, _: Any) -> None:
        op, printer = cast(Any, writing.op), writing.printer

        def group(keyword: str, names: list[str]) -> None:
            printer.print_string(f" {keyword} in (")
            printer.print_list([getattr(op, name) for name in names], printer.print_ssa_value)
            printer.print_string(")")

        if op.clusterSizeX is not None:
            group("clusters", _SIZES[6:])
        group("blocks", _SIZES[:3])
        group("threads", _SIZES[3:6])
        if op.gridSizeX.type != FIXED_INDEX:
            printer.print_string(" : ")
            printer.print_attribute(op.gridSizeX.type)

    return read, write


def _arguments() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        reading.values["kernelOperands"], reading.types["kernelOperands"] = [], []

        def one() -> None:
            reading.values["kernelOperands"].append(parser.parse_unresolved_operand())
            parser.parse_punctuation(":")
            reading.types["kernelOperands"].append(parser.parse_type())

        if parser.parse_optional_keyword("args") is None:
            return
        parser.parse_punctuation("(")
        if parser.parse_optional_punctuation(")"):
            return
        one()
        while parser.parse_optional_punctuation(","):
            one()
        if parser.parse_optional_punctuation(")") is None:
            parser.raise_error("expected ')' in argument list")

    def write(writing: Writing, _: Any) -> None:
        printer = writing.printer
        for index, value in enumerate(cast(Any, writing.op).kernelOperands):
            printer.print_string(", " if index else " args(")
            printer.print_ssa_value(value)
            printer.print_string(" : ")
            printer.print_attribute(value.type)
        if cast(Any, writing.op).kernelOperands:
            printer.print_string(")")

    return read, write


def _handler() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        if parser.parse_optional_punctuation("<"):
            found = parser.parse_optional_attribute()
            if found is None:
                parser.raise_error("expected attribute value")
            reading.attributes["offloadingHandler"] = found
            parser.parse_punctuation(">")

    def write(writing: Writing, _: Any) -> None:
        handler = cast(Any, writing.op).offloadingHandler
        if handler is not None:
            writing.printer.print_string(" <")
            writing.printer.print_attribute(handler)
            writing.printer.print_string(">")
        writing.said.add("offloadingHandler")

    return read, write


def _reduction() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        cls: Any = parser.ctx.get_optional_attr("gpu.all_reduce_op")
        word = parser.parse_optional_keyword_in(cls.CASES)
        if word is not None:
            reading.attributes["op"] = cls(word)
        elif not parser._current_token.text.startswith("%"):  # pyright: ignore[reportPrivateUsage]
            parser.raise_error("invalid op kind")

    def write(writing: Writing, _: Any) -> None:
        kind = writing.op.properties.get("op")
        if kind is not None:
            writing.word(cast(Any, kind).data)
        writing.said.add("op")

    return read, write


def _barrier() -> tuple[Any, Any]:
    """`named(%b : type) memfence [...] scope <subgroup>`, in any order."""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        while True:
            if parser.parse_optional_keyword("named"):
                with parser.in_parens():
                    reading.values["named_barrier"] = [parser.parse_unresolved_operand()]
                    parser.parse_punctuation(":")
                    reading.types["named_barrier"] = [parser.parse_type()]
            elif parser.parse_optional_keyword("memfence"):
                reading.attributes["address_spaces"] = parser.parse_attribute()
            elif parser.parse_optional_keyword("scope"):
                cls: Any = parser.ctx.get_optional_attr("gpu.barrier_scope")
                scope = cls(cls.parse_parameter(parser))
                if scope.data != "workgroup":
                    reading.attributes["scope"] = scope
            else:
                return

    def write(writing: Writing, _: Any) -> None:
        op, printer = cast(Any, writing.op), writing.printer
        if op.named_barrier is not None:
            printer.print_string(" named(")
            printer.print_ssa_value(op.named_barrier)
            printer.print_string(" : ")
            printer.print_attribute(op.named_barrier.type)
            printer.print_string(")")
        if op.address_spaces is not None:
            printer.print_string(" memfence ")
            printer.print_attribute(op.address_spaces)
        if op.scope is not None and op.scope.data != "workgroup":
            printer.print_string(f" scope <{op.scope.data}>")
        writing.said |= {"address_spaces", "scope"}

    return read, write


# ---- the table ----------------------------------------------------------------------------------------------------------------------


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"gpu.{name}", *row, rules=RULES, **more)


def stream(name: str, ins: str, outs: str, attrs: str, format: str) -> type[IRDLOperation]:
    """An operation in order with a stream: it waits for tokens and may give one."""
    outs = f"{outs}, asyncToken?: gputoken" if outs else "asyncToken?: gputoken"
    return op(name, f"asyncDependencies*: gputoken, {ins}", outs, attrs, f"custom<Async>() {format}", custom={"Async": _async()})


_MODES = "modeA?: enum(gpu.mat_transpose_mode), modeB?: enum(gpu.mat_transpose_mode)"
_A, _B = "(`{` $modeA^ `}`)?", "(`{` $modeB^ `}`)?"
_CREATE = {
    "coo": "rowIdxs colIdxs values",
    "coo_aos": "idxs values",
    "csr": "rowPos colIdxs values",
    "csc": "colPos rowIdxs values",
}


def _create(name: str, buffers: list[str]) -> type[IRDLOperation]:
    names = ", ".join(f"{buffer}: memref" for buffer in buffers)
    types = " `,` ".join(f"type(${buffer})" for buffer in buffers)
    values = " `,` ".join(f"${buffer}" for buffer in buffers)
    ins = f"rows: index, cols: index, nnz: index, {names}"
    return stream(f"create_{name}", ins, "spmat: spmat_handle", "", f"$rows `,` $cols `,` $nnz `,` {values} attr-dict `:` {types}")


BarrierOp = op(
    "barrier",
    "named_barrier?: namedbarrier",
    "",
    "address_spaces?, scope?",
    "custom<Parts>() attr-dict",
    custom={"Parts": _barrier()},
    verify=_verify_barrier,
)
OPS: list[type[IRDLOperation]] = [
    BarrierOp,
    op(
        "all_reduce",
        "value: number",
        "result: number",
        "op?, uniform: unit",
        "custom<Op>() $value (`uniform` $uniform^)? $body attr-dict `:` functional-type(operands, results)",
        regions="body",
        custom={"Op": _reduction()},
        verify=_verify_all_reduce,
    ),
    op(
        "subgroup_reduce",
        "value: numbers",
        "result: numbers",
        "op: any, uniform: unit, cluster_size?: i32, cluster_stride: i32=1",
        "custom<Op>() $value (`uniform` $uniform^)? (`cluster` `(` `size` `=` $cluster_size^ (`,` `stride` `=` $cluster_stride^)? `)`)?"
        " attr-dict `:` functional-type(operands, results)",
        custom={"Op": _reduction()},
        verify=_verify_subgroup_reduce,
        traits=PURE,
    ),
    op(
        "shuffle",
        "value: numbers, offset: i32, width: i32",
        "shuffleResult: =value, valid: i1",
        "mode: enum(gpu.shuffle_mode)",
        "$mode $value `,` $offset `,` $width attr-dict `:` type($value)",
    ),
    op(
        "rotate",
        "value: numbers",
        "rotateResult: =value, valid: i1",
        "offset: i32, width: i32",
        "$value `,` $offset `,` $width attr-dict `:` type($value)",
        verify=_verify_rotate,
    ),
    op(
        "subgroup_broadcast",
        "src: =result, lane?: i32",
        "result: any",
        "broadcast_type: enum(gpu.broadcast_type)",
        "$src `,` $broadcast_type ($lane^)? attr-dict `:` type($result)",
    ),
    op("ballot", "predicate: i1", "result: signless", "", "$predicate attr-dict `:` type($result)"),
    op("dynamic_shared_memory", "", "resultMemref: bytes1d", "", "attr-dict `:` type($resultMemref)", verify=_verify_shared, traits=PURE),
    op(
        "initialize_named_barrier",
        "member_count: i32",
        "result: namedbarrier",
        "",
        "$member_count attr-dict `:` type($member_count) `->` type($result)",
    ),
    op(
        "binary",
        "",
        "",
        "sym_name: symname, offloadingHandler?: any, objects: any",
        "$sym_name custom<Handler>() attr-dict $objects",
        custom={"Handler": _handler()},
        verify=_verify_binary,
        traits=(SymbolOpInterface(),),
    ),
    op("host_register", "value", "", "", "$value attr-dict `:` type($value)"),
    op("host_unregister", "value", "", "", "$value attr-dict `:` type($value)"),
    op("set_default_device", "devIndex: i32", "", "", "attr-dict $devIndex"),
    op(
        "launch_func",
        "asyncDependencies*: gputoken, gridSizeX, gridSizeY, gridSizeZ, blockSizeX, blockSizeY, blockSizeZ, clusterSizeX?, clusterSizeY?,"
        " clusterSizeZ?, dynamicSharedMemorySize?: i32, kernelOperands*, asyncObject?",
        "asyncToken?: gputoken",
        "kernel: any, cooperative: unit",
        "custom<Async>() (`<` $asyncObject^ `:` type($asyncObject) `>`)? custom<Kernel>() custom<Sizes>()"
        " (`dynamic_shared_memory_size` $dynamicSharedMemorySize^)? (`cooperative` $cooperative^)? custom<Arguments>() attr-dict",
        custom={"Async": _async(), "Kernel": _kernel(), "Sizes": _sizes(), "Arguments": _arguments()},
        verify=_verify_launch_func,
    ),
    # matrices of a subgroup
    op(
        "subgroup_mma_load_matrix",
        "srcMemref: mmamemref, indices*: index",
        "res: matrix",
        "leadDimension: index, transpose: unit",
        "$srcMemref `` `[` $indices `]` attr-dict `:` type($srcMemref) `->` type($res)",
        verify=_verify_load,
        traits=(MemoryReadEffect(),),
    ),
    op(
        "subgroup_mma_store_matrix",
        "src: matrix, dstMemref: mmamemref, indices*: index",
        "",
        "leadDimension: index, transpose: unit",
        "$src `,` $dstMemref `` `[` $indices `]` attr-dict `:` type($src) `,` type($dstMemref)",
        verify=_verify_store,
        traits=(MemoryWriteEffect(),),
    ),
    op(
        "subgroup_mma_compute",
        "opA: matrix, opB: matrix, opC: =res",
        "res: matrix",
        "a_transpose: unit, b_transpose: unit",
        "$opA `,` $opB `,` $opC attr-dict `:` type($opA) `,` type($opB) `->` type($res)",
        verify=_verify_compute,
        traits=PURE,
    ),
    op("subgroup_mma_constant_matrix", "value: element_of(res)", "res: matrix", "", "$value attr-dict `:` type($res)", traits=PURE),
    op(
        "subgroup_mma_extract_thread_local",
        "matrix: matrix, indices*: index",
        "res: number",
        "",
        "$matrix `` `[` $indices `]` attr-dict `:` type($matrix) `->` type($res)",
        traits=PURE,
    ),
    op(
        "subgroup_mma_insert_thread_local",
        "value: number, matrix: matrix, indices*: index",
        "res: matrix",
        "",
        "$value `,` $matrix `` `[` $indices `]` attr-dict `:` type($value) `,` type($matrix) `->` type($res)",
        traits=PURE,
    ),
    op(
        "subgroup_mma_elementwise",
        "args*: matrix",
        "res: matrix",
        "opType: enum(gpu.mma_element_wise)",
        "$opType $args attr-dict `:` functional-type($args, $res)",
        traits=PURE,
    ),
    # sparse linear algebra
    stream(
        "create_dn_tensor",
        "memref: memref, dims*: index",
        "dnTensor: dntensor_handle",
        "",
        "$memref `,` $dims attr-dict `:` type($dims) `into` type($memref)",
    ),
    stream("destroy_dn_tensor", "dnTensor: dntensor_handle", "", "", "$dnTensor attr-dict"),
    *(_create(name, buffers.split()) for name, buffers in _CREATE.items()),
    stream(
        "create_bsr",
        "brows: index, bcols: index, bnnz: index, rBlockSize: index, cBlockSize: index, bRowPos: memref, bColIdxs: memref, values: memref",
        "spmat: spmat_handle",
        "",
        "$brows `,` $bcols `,` $bnnz `,` $rBlockSize `,` $cBlockSize `,` $bRowPos `,` $bColIdxs `,` $values attr-dict `:`"
        " type($bRowPos) `,` type($bColIdxs) `,` type($values)",
    ),
    stream(
        "create_2to4_spmat",
        "rows: index, cols: index, memref: memref",
        "spMat: spmat_handle",
        "pruneFlag: enum(gpu.prune_2to4_spmat_flag)",
        "`{` $pruneFlag `}` $rows `,` $cols `,` $memref attr-dict `:` type($memref)",
    ),
    stream("destroy_sp_mat", "spmat: spmat_handle", "", "", "$spmat attr-dict"),
    stream(
        "spmv_buffer_size",
        "spmatA: spmat_handle, dnX: dntensor_handle, dnY: dntensor_handle",
        "bufferSz: index",
        "modeA?: enum(gpu.mat_transpose_mode), computeType: type",
        f"$spmatA {_A} `,` $dnX `,` $dnY attr-dict `into` $computeType",
    ),
    stream(
        "spmv",
        "spmatA: spmat_handle, dnX: dntensor_handle, dnY: dntensor_handle, buffer: memref",
        "",
        "modeA?: enum(gpu.mat_transpose_mode), computeType: type",
        f"$spmatA {_A} `,` $dnX `,` $dnY `,` $buffer attr-dict `:` type($buffer) `into` $computeType",
    ),
    stream(
        "spmm_buffer_size",
        "spmatA: spmat_handle, dnmatB: dntensor_handle, dnmatC: dntensor_handle",
        "bufferSzs*: index",
        f"{_MODES}, computeType: type",
        f"$spmatA {_A} `,` $dnmatB {_B} `,` $dnmatC attr-dict `:` type($bufferSzs) `into` $computeType",
    ),
    stream(
        "spmm",
        "spmatA: spmat_handle, dnmatB: dntensor_handle, dnmatC: dntensor_handle, buffers*: memref",
        "",
        f"{_MODES}, computeType: type",
        f"$spmatA {_A} `,` $dnmatB {_B} `,` $dnmatC `,` $buffers attr-dict `:` type($buffers) `into` $computeType",
    ),
    stream(
        "sddmm_buffer_size",
        "dnmatA: dntensor_handle, dnmatB: dntensor_handle, spmatC: spmat_handle",
        "bufferSz: index",
        f"{_MODES}, computeType: type",
        f"$dnmatA {_A} `,` $dnmatB {_B} `,` $spmatC attr-dict `into` $computeType",
    ),
    stream(
        "sddmm",
        "dnmatA: dntensor_handle, dnmatB: dntensor_handle, spmatC: spmat_handle, buffer: memref",
        "",
        f"{_MODES}, computeType: type",
        f"$dnmatA {_A} `,` $dnmatB {_B} `,` $spmatC `,` $buffer attr-dict `:` type($buffer) `into` $computeType",
    ),
    stream("spgemm_create_descr", "", "desc: spgemmop_handle", "", "attr-dict"),
    stream("spgemm_destroy_descr", "desc: spgemmop_handle", "", "", "$desc attr-dict"),
    stream(
        "spgemm_work_estimation_or_compute",
        "desc: spgemmop_handle, spmatA: spmat_handle, spmatB: spmat_handle, spmatC: spmat_handle, bufferSz: index, buffer: memref",
        "bufferSzNew: index",
        f"{_MODES}, computeType: type, kind: enum(gpu.spgemm_work_estimation_or_compute_kind)",
        f"`{{` $kind `}}` $spmatA {_A} `,` $spmatB {_B} `,` $spmatC `,` $desc `,` $bufferSz `,` $buffer attr-dict `:` $computeType `into`"
        " type($buffer)",
    ),
    stream(
        "spgemm_copy",
        "desc: spgemmop_handle, spmatA: spmat_handle, spmatB: spmat_handle, spmatC: spmat_handle",
        "",
        f"{_MODES}, computeType: type",
        f"$spmatA {_A} `,` $spmatB {_B} `,` $spmatC `,` $desc attr-dict `:` $computeType",
    ),
    stream("spmat_get_size", "spmat: spmat_handle", "rows: index, cols: index, nnz: index", "", "$spmat attr-dict"),
    stream(
        "set_csr_pointers",
        "spmat: spmat_handle, positions: memref, coordinates: memref, values: memref",
        "",
        "",
        "$spmat `,` $positions `,` $coordinates `,` $values attr-dict `:` type($positions) `,` type($coordinates) `,` type($values)",
    ),
]
RARE = (OPS, ATTRIBUTES)
