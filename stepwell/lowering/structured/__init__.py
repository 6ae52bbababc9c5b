"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "check-bounds": "stepwell.lowering.structured.check_bounds:CheckBounds",
    "convert-nn-to-linalg": "stepwell.lowering.structured.convert_nn_to_linalg:ConvertNnToLinalg",
    "linalg-fuse-pointwise": "stepwell.lowering.structured.fuse_pointwise:FusePointwise",
    "linalg-generalize-named-ops": "stepwell.lowering.structured.generalize_named_ops:GeneralizeNamedOps",
    "linalg-inline-scalar-operands": "stepwell.lowering.structured.inline_scalar_operands:InlineScalarOperands",
    "linalg-specialize-generic-ops": "stepwell.lowering.structured.specialize_generic_ops:SpecializeGenericOps",
    "pack-operands": "stepwell.lowering.structured.pack_operands:PackOperands",
    "plan-views": "stepwell.lowering.structured.plan_views:PlanViews",
    "outline-copies": "stepwell.lowering.structured.outline_copies:OutlineCopies",
    "generalize-extents": "stepwell.lowering.structured.generalize_extents:GeneralizeExtents",
    "deduplicate-kernels": "stepwell.lowering.structured.deduplicate_kernels:DeduplicateKernels",
}
