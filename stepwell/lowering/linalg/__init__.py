"""The passes of this room by name, imported only when used: name -> "module:class". Structured operations of any program."""

PASSES: dict[str, str] = {
    "linalg-fold-unit-extent-dims": "stepwell.lowering.linalg.fold_unit_extents:FoldUnitExtents",
    "linalg-fuse-elementwise-ops": "stepwell.lowering.linalg.fuse_elementwise_pass:FuseElementwise",
}
