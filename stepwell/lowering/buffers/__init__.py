"""The passes of this room by name, imported only when used: name -> "module:class". Tensors of any program become buffers."""

PASSES: dict[str, str] = {
    "one-shot-bufferize": "stepwell.lowering.buffers.one_shot:OneShotBufferize",
    "drop-equivalent-buffer-results": "stepwell.lowering.buffers.drop_results:DropEquivalentBufferResults",
    "buffer-loop-hoisting": "stepwell.lowering.buffers.hoist:BufferLoopHoisting",
}
