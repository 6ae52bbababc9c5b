"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "convert-vector-to-scf": "stepwell.lowering.vectors.convert_vector_to_scf:ConvertVectorToScf",
    "expand-math": "stepwell.lowering.vectors.expand_math:ExpandMath",
    "lower-vector-multi-reduction": "stepwell.lowering.vectors.lower_multi_reduction:LowerVectorMultiReduction",
    "unroll-loops": "stepwell.lowering.vectors.unroll_loops:UnrollLoops",
    "vectorize": "stepwell.lowering.vectors.vectorize:Vectorize",
}
