"""The passes of this room by name, imported only when used: name -> "module:class". Structured loops of any program."""

PASSES: dict[str, str] = {
    "scf-for-loop-canonicalization": "stepwell.lowering.scf.canonicalize_loops:ForLoopCanonicalization",
    "scf-for-loop-peeling": "stepwell.lowering.scf.peeling:ForLoopPeeling",
    "scf-for-loop-range-folding": "stepwell.lowering.scf.for_loops:ForLoopRangeFolding",
    "scf-for-loop-specialization": "stepwell.lowering.scf.specialization:ForLoopSpecialization",
    "scf-for-to-while": "stepwell.lowering.scf.for_loops:ForToWhile",
    "scf-forall-to-for": "stepwell.lowering.scf.parallel_loops:ForallToFor",
    "scf-forall-to-parallel": "stepwell.lowering.scf.parallel_loops:ForallToParallel",
    "scf-parallel-for-to-nested-fors": "stepwell.lowering.scf.parallel_loops:ParallelForToNestedFors",
    "scf-parallel-loop-fusion": "stepwell.lowering.scf.parallel_fusion:ParallelLoopFusion",
    "scf-parallel-loop-specialization": "stepwell.lowering.scf.specialization:ParallelLoopSpecialization",
    "scf-parallel-loop-tiling": "stepwell.lowering.scf.parallel_tiling:ParallelLoopTiling",
}
