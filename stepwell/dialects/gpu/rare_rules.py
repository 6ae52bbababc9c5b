"""What must hold of rare `gpu` operations beyond what their rows say."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    VectorType,
)
from xdsl.ir import Attribute, Operation
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.gpu.rules import RULES, has_unit_stride
from stepwell.ir.rules import fail, holds, is_float, shown

_FLOATS_ONLY = frozenset("minnumf maxnumf minimumf maximumf".split())
_INTEGERS_ONLY = frozenset("minsi minui maxsi maxui and or xor".split())


def _check_reduction(kind: Any, type: Attribute, whole: Attribute) -> None:
    name = kind.data
    if (name in _FLOATS_ONLY and not is_float(type)) or (name in _INTEGERS_ONLY and not isinstance(type, IntegerType)):
        raise VerifyException(f"`{name}` reduction operation is not compatible with type '{shown(whole)}'")


def verify_all_reduce(op: Any) -> None:
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


def verify_subgroup_reduce(op: Any) -> None:
    type = op.results[0].type
    _check_reduction(op.properties["op"], type.element_type if isinstance(type, VectorType) else type, type)
    size, stride = _integer(op, "cluster_size"), _integer(op, "cluster_stride", 1) or 0
    if size is not None and (size <= 0 or size & (size - 1)):
        raise VerifyException(f"cluster size {size} is not a power of two")
    if stride != 1 and size is None:
        raise VerifyException("cluster stride can only be specified if cluster size is specified")
    if stride <= 0 or stride & (stride - 1):
        raise VerifyException(f"cluster stride {stride} is not a power of two")


def verify_rotate(op: Any) -> None:
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


def verify_load(op: Any) -> None:
    if not has_unit_stride(op.operands[0].type):
        raise VerifyException("expected source memref most minor dim must have unit stride")


def verify_store(op: Any) -> None:
    if not has_unit_stride(op.dstMemref.type):
        raise VerifyException("expected destination memref most minor dim must have unit stride")
    if op.src.type.data[2] != "COp":
        raise VerifyException("expected the operand matrix being stored to have 'COp' operand type")


def verify_compute(op: Any) -> None:
    a, b, c = (value.type.data for value in op.operands)
    if (a[2], b[2], c[2]) != ("AOp", "BOp", "COp"):
        raise VerifyException("operands must be in the order AOp, BOp, COp")
    if a[0][1] != b[0][0] or a[0][0] != c[0][0] or b[0][1] != c[0][1]:
        raise VerifyException("operand shapes do not satisfy matmul constraints")


def verify_shared(op: Any) -> None:
    type = op.results[0].type
    if getattr(type.memory_space, "data", None) != "workgroup":
        raise VerifyException("address space must be address_space<workgroup>")
    if DYNAMIC_INDEX not in type.get_shape():
        raise VerifyException("result memref type must be memref<?xi8, #gpu.address_space<workgroup>>")


def verify_binary(op: Any) -> None:
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


def verify_barrier(op: Any) -> None:
    if op.named_barrier is not None and op.scope is not None and op.scope.data != "workgroup":
        raise VerifyException("named barriers require workgroup scope")


def _closest_module(op: Operation) -> Operation | None:
    around = op.parent_op()
    while around is not None and around.name != "builtin.module":
        around = around.parent_op()
    return around


def verify_launch_func(op: Any) -> None:
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
