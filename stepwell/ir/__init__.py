"""What xDSL lacks as infrastructure: passes and their manager, rewrite drivers, reading, printing and verifying IR, diagnostics."""

PASSES: dict[str, str] = {
    "canonicalize": "stepwell.ir.transforms.canonicalize:Canonicalize",
    "composite-fixed-point-pass": "stepwell.ir.manager.composite:CompositeFixedPointPass",
    "cse": "stepwell.ir.transforms.cse:CommonSubexpressionElimination",
    "control-flow-sink": "stepwell.ir.transforms.control_flow_sink:ControlFlowSink",
    "duplicate-function-elimination": "stepwell.ir.transforms.duplicate_functions:DuplicateFunctionElimination",
    "inline": "stepwell.ir.transforms.inlining:Inline",
    "loop-invariant-code-motion": "stepwell.ir.transforms.licm:LoopInvariantCodeMotion",
    "mem2reg": "stepwell.ir.transforms.mem2reg:Mem2Reg",
    "sccp": "stepwell.ir.transforms.sccp:Sccp",
    "sroa": "stepwell.ir.transforms.sroa:Sroa",
    "strip-debuginfo": "stepwell.ir.transforms.strip_debuginfo:StripDebuginfo",
    "remove-dead-values": "stepwell.ir.transforms.remove_dead_values:RemoveDeadValues",
    "print-op-stats": "stepwell.ir.transforms.op_stats:PrintOpStats",
    "snapshot-op-locations": "stepwell.ir.transforms.location_snapshot:SnapshotOpLocations",
    "symbol-dce": "stepwell.ir.transforms.symbol_dce:SymbolDce",
    "symbol-privatize": "stepwell.ir.transforms.symbol_dce:SymbolPrivatize",
    "topological-sort": "stepwell.ir.transforms.topological_sort:TopologicalSort",
    "via-mlir": "stepwell.ir.via_mlir:ViaMlir",
}
"""The passes of this room, which know no dialect: name -> "module:class"."""
