"""Who frees a buffer: every allocation gets its deallocation, by ownership that is passed along with the buffers as an `i1`.

`insert` puts `bufferization.dealloc` at the end of every block, with all that the block may own; `simplify` takes out of them what is
known of where buffers come from (`stepwell.lowering.buffers.origins`); `lower` makes plain `memref.dealloc` of them, under a condition
where ownership is only known when the program runs. The scheme, its order and its messages are upstream's ownership-based buffer
deallocation.
"""
