// RUN: mlopt %s --split-input-file --verify-diagnostics --ownership-based-buffer-deallocation
// RUN: not mlopt %s --split-input-file --pass-pipeline='builtin.module(func.func(bufferization-lower-deallocations))' 2>&1 | filecheck %s

// expected-error@+1 {{Only structured control-flow loops are supported.}}
func.func @loop_of_blocks(%x: memref<4xf32>) {
  cf.br ^a
^a:
  cf.br ^a
}

// -----

func.func @freed_by_hand() {
  %m = memref.alloc() : memref<4xf32>
  // expected-error@+1 {{memory free side-effect on MemRef value not supported!}}
  memref.dealloc %m : memref<4xf32>
  return
}

// -----

func.func @freed_before(%m: memref<4xf32>, %n: memref<4xf32>, %c: i1) {
  // CHECK: error: library function required for generic lowering, but cannot be automatically inserted when operating on functions
  // expected-error@+1 {{No deallocation operations must be present when running this pass!}}
  bufferization.dealloc (%m, %n : memref<4xf32>, memref<4xf32>) if (%c, %c)
  return
}
