"""What xDSL lacks as infrastructure: passes and their manager, rewrite drivers, reading, printing and verifying IR, diagnostics."""

PASSES: dict[str, str] = {
    "canonicalize": "stepwell.ir.canonicalize:Canonicalize",
    "cse": "stepwell.ir.cse:CommonSubexpressionElimination",
}
"""The passes of this room, which know no dialect: name -> "module:class"."""
