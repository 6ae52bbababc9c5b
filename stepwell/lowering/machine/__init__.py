"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "convert-vector-to-llvm": "stepwell.lowering.machine.convert_vector_to_llvm:ConvertVectorToLlvm",
}
