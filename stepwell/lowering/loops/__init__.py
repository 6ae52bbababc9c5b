"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "bufferize-kernels": "stepwell.lowering.loops.bufferize_kernels:BufferizeKernels",
    "convert-linalg-to-affine": "stepwell.lowering.loops.convert_linalg_to_affine:ConvertLinalgToAffine",
    "bufferize-main": "stepwell.lowering.loops.bufferize_main:BufferizeMain",
    "plan-memory": "stepwell.lowering.loops.plan_memory:PlanMemory",
}
