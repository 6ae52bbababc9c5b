"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "arith-expand": "stepwell.lowering.loops.arith_expand:ArithExpand",
    "bufferize-kernels": "stepwell.lowering.loops.bufferize_kernels:BufferizeKernels",
    "convert-linalg-to-affine": "stepwell.lowering.loops.convert_linalg_to_affine:ConvertLinalgToAffine",
    "bufferize-main": "stepwell.lowering.loops.bufferize_main:BufferizeMain",
    "convert-linalg-to-loops": "stepwell.lowering.loops.linalg_to_loops:ConvertLinalgToLoops",
    "convert-linalg-to-affine-loops": "stepwell.lowering.loops.linalg_to_loops:ConvertLinalgToAffineLoops",
    "convert-linalg-to-parallel-loops": "stepwell.lowering.loops.linalg_to_loops:ConvertLinalgToParallelLoops",
    "affine-expand-index-ops": "stepwell.lowering.loops.lower_affine:ExpandIndexOps",
    "affine-loop-normalize": "stepwell.lowering.loops.affine_loop_normalize:AffineLoopNormalize",
    "convert-scf-to-cf": "stepwell.lowering.loops.scf_to_cf:ConvertScfToCf",
    "lower-affine": "stepwell.lowering.loops.lower_affine:LowerAffine",
    "plan-memory": "stepwell.lowering.loops.plan_memory:PlanMemory",
}
