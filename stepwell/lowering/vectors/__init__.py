"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "vectorize": "stepwell.lowering.vectors.vectorize:Vectorize",
}
