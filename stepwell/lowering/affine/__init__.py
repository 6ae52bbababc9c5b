"""The passes of this room by name, imported only when used: name -> "module:class". Affine loops of any program."""

PASSES: dict[str, str] = {
    "affine-loop-coalescing": "stepwell.lowering.affine.coalescing:AffineLoopCoalescing",
    "affine-loop-invariant-code-motion": "stepwell.lowering.affine.hoist:AffineLoopInvariantCodeMotion",
    "affine-loop-tile": "stepwell.lowering.affine.tiling:AffineLoopTiling",
    "affine-loop-unroll": "stepwell.lowering.affine.unroll:AffineLoopUnroll",
    "affine-loop-unroll-jam": "stepwell.lowering.affine.unroll_jam:AffineLoopUnrollJam",
    "affine-parallelize": "stepwell.lowering.affine.parallelize:AffineParallelize",
    "affine-simplify-structures": "stepwell.lowering.affine.simplify_structures:SimplifyAffineStructures",
}
