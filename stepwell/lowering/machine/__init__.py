"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "convert-arith-to-llvm": "stepwell.lowering.machine.convert_arith_to_llvm:ConvertArithToLlvm",
    "convert-cf-to-llvm": "stepwell.lowering.machine.convert_cf_to_llvm:ConvertCfToLlvm",
    "convert-func-to-llvm": "stepwell.lowering.machine.convert_func_to_llvm:ConvertFuncToLlvm",
    "convert-to-llvm": "stepwell.lowering.machine.convert_to_llvm:ConvertToLlvm",
    "convert-index-to-llvm": "stepwell.lowering.machine.convert_index_to_llvm:ConvertIndexToLlvm",
    "convert-math-to-llvm": "stepwell.lowering.machine.convert_math_to_llvm:ConvertMathToLlvm",
    "finalize-memref-to-llvm": "stepwell.lowering.machine.finalize_memref_to_llvm:FinalizeMemrefToLlvm",
    "convert-kernels-to-llvm": "stepwell.lowering.machine.convert_kernels_to_llvm:ConvertKernelsToLlvm",
    "convert-vector-to-llvm": "stepwell.lowering.machine.convert_vector_to_llvm:ConvertVectorToLlvm",
}
