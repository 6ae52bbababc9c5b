"""The passes of this room by name, imported only when used: name -> "module:class". Scripts that say how to transform IR, executed."""

PASSES: dict[str, str] = {
    "transform-interpreter": "stepwell.lowering.transform.interpreter:TransformInterpreter",
}
