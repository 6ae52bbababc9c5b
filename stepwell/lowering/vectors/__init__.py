"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "unroll-loops": "stepwell.lowering.vectors.unroll_loops:UnrollLoops",
    "vectorize": "stepwell.lowering.vectors.vectorize:Vectorize",
}
