"""The passes of this room by name, imported only when used: name -> "module:class". Tensors of any program become buffers."""

PASSES: dict[str, str] = {
    "one-shot-bufferize": "stepwell.lowering.buffers.one_shot:OneShotBufferize",
    "drop-equivalent-buffer-results": "stepwell.lowering.buffers.drop_results:DropEquivalentBufferResults",
    "ownership-based-buffer-deallocation": "stepwell.lowering.buffers.deallocation.insert:OwnershipBasedBufferDeallocation",
    "buffer-deallocation-simplification": "stepwell.lowering.buffers.deallocation.simplify:BufferDeallocationSimplification",
    "bufferization-lower-deallocations": "stepwell.lowering.buffers.deallocation.lower:LowerDeallocations",
    "expand-realloc": "stepwell.lowering.buffers.expand_realloc:ExpandRealloc",
    "buffer-hoisting": "stepwell.lowering.buffers.hoist:BufferHoisting",
    "promote-buffers-to-stack": "stepwell.lowering.buffers.hoist:PromoteBuffersToStack",
    "buffer-results-to-out-params": "stepwell.lowering.buffers.out_params:BufferResultsToOutParams",
    "expand-strided-metadata": "stepwell.lowering.buffers.expand_strided_metadata:ExpandStridedMetadata",
    "fold-memref-alias-ops": "stepwell.lowering.buffers.fold_alias_ops:FoldMemrefAliasOps",
    "memref-expand": "stepwell.lowering.buffers.expand_reshape:ExpandReshape",
    "buffer-loop-hoisting": "stepwell.lowering.buffers.hoist:BufferLoopHoisting",
}
