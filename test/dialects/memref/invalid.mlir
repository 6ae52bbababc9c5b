// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @subview_type(%m: memref<8x8xf32>, %i: index) {
  // expected-error @below {{expected result type to be 'memref<4x4xf32, strided<[8, 1], offset: ?>>' or a rank-reduced version. (mismatch of result layout)}}
  %s = memref.subview %m[%i, 0] [4, 4] [1, 1] : memref<8x8xf32> to memref<4x4xf32>
  func.return
}

// -----

func.func @subview_bounds(%m: memref<8x8xf32>) {
  // expected-error @below {{slice along dimension 0 runs out-of-bounds: 9 >= 8}}
  %s = memref.subview %m[6, 0] [4, 4] [1, 1] : memref<8x8xf32> to memref<4x4xf32, strided<[8, 1], offset: 48>>
  func.return
}

// -----

func.func @cast_stride(%m: memref<8x8xf32>) {
  // expected-error @below {{are cast incompatible}}
  %s = memref.cast %m : memref<8x8xf32> to memref<8x8xf32, strided<[9, 1]>>
  func.return
}

// -----

func.func @cast_shape(%m: memref<8x8xf32>) {
  // expected-error @below {{are cast incompatible}}
  %s = memref.cast %m : memref<8x8xf32> to memref<4x?xf32>
  func.return
}

// -----

func.func @copy(%a: memref<4xf32>, %b: memref<5xf32>) {
  // expected-error @below {{requires the same shape for all operands}}
  memref.copy %a, %b : memref<4xf32> to memref<5xf32>
  func.return
}

// -----

func.func @collapse(%m: memref<4x4xf32, strided<[8, 1]>>) {
  // expected-error @below {{invalid source layout map or collapsing non-contiguous dims}}
  %c = memref.collapse_shape %m [[0, 1]] : memref<4x4xf32, strided<[8, 1]>> into memref<16xf32, strided<[1]>>
  func.return
}

// -----

func.func @expand(%m: memref<16xf32>) {
  // expected-error @below {{collapsed dim size (16) must equal reassociation group size (20)}}
  %c = memref.expand_shape %m [[0, 1]] output_shape [4, 5] : memref<16xf32> into memref<4x5xf32>
  func.return
}

// -----

func.func @reinterpret(%m: memref<?xf32>) {
  // expected-error @below {{expected result type with size = 4 instead of 5 in dim = 0}}
  %c = memref.reinterpret_cast %m to offset: [0], sizes: [4], strides: [1] : memref<?xf32> to memref<5xf32>
  func.return
}

// -----

func.func @prefetch(%m: memref<?x?xf32>, %i: index) {
  // expected-error @below {{invalid number of indices for accessed memref, expected 2 but got 1}}
  memref.prefetch %m[%i], read, locality<3>, data : memref<?x?xf32>
  func.return
}

// -----

func.func @subview_sizes(%m: memref<8x8xf32>) {
  // expected-error @below {{or a rank-reduced version. (mismatch of result sizes)}}
  %s = memref.subview %m[0, 0] [4, 4] [1, 1] : memref<8x8xf32> to memref<4x5xf32, strided<[8, 1]>>
  func.return
}

// -----

func.func @alloc_sizes(%n: index) {
  // expected-error @below {{incorrect number of dynamic sizes, has 0, expected 1}}
  %a = memref.alloc() : memref<?xf32>
  func.return
}

// -----

func.func @alloc_alignment() {
  // expected-error @below {{attribute 'alignment' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive and whose value is a power of two > 0}}
  %a = memref.alloc() {alignment = 48} : memref<4xf32>
  func.return
}

// -----

func.func @no_global() {
  // expected-error @below {{'nowhere' does not reference a valid global memref}}
  %a = memref.get_global @nowhere : memref<4xf32>
  func.return
}

// -----

memref.global "private" @g : memref<4xf32>
func.func @global_type() {
  // expected-error @below {{result type 'memref<5xf32>' does not match type 'memref<4xf32>' of the global memref @g}}
  %a = memref.get_global @g : memref<5xf32>
  func.return
}

// -----

func.func @dma(%m: memref<4xf32>, %n: memref<4xf32, 1>, %t: memref<1xi32>, %i: index, %x: f32) {
  // expected-error @below {{expected num elements to be of index type}}
  "memref.dma_start"(%m, %i, %n, %i, %x, %t, %i) : (memref<4xf32>, index, memref<4xf32, 1>, index, f32, memref<1xi32>, index) -> ()
  func.return
}

// -----

func.func @atomic(%m: memref<4xf32>, %i: index) {
  // expected-error @below {{should contain only operations with no side effects}}
  %x = memref.generic_atomic_rmw %m[%i] : memref<4xf32> {
  ^bb0(%old: f32):
    memref.store %old, %m[%i] : memref<4xf32>
    memref.atomic_yield %old : f32
  }
  func.return
}
