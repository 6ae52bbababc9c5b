// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @subview_type(%m: memref<8x8xf32>, %i: index) {
  // expected-error @below {{strided<[8, 1], offset: ?>> or a rank-reduced version is expected}}
  %s = memref.subview %m[%i, 0] [4, 4] [1, 1] : memref<8x8xf32> to memref<4x4xf32>
  func.return
}

// -----

func.func @subview_bounds(%m: memref<8x8xf32>) {
  // expected-error @below {{runs out-of-bounds along dimension 0: 6 + 3 * 1 >= 8}}
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
  // expected-error @below {{copies a shape 4 to 5}}
  memref.copy %a, %b : memref<4xf32> to memref<5xf32>
  func.return
}

// -----

func.func @collapse(%m: memref<4x4xf32, strided<[8, 1]>>) {
  // expected-error @below {{not contiguous}}
  %c = memref.collapse_shape %m [[0, 1]] : memref<4x4xf32, strided<[8, 1]>> into memref<16xf32, strided<[1]>>
  func.return
}

// -----

func.func @expand(%m: memref<16xf32>) {
  // expected-error @below {{do not collapse to 16}}
  %c = memref.expand_shape %m [[0, 1]] output_shape [4, 5] : memref<16xf32> into memref<4x5xf32>
  func.return
}

// -----

func.func @reinterpret(%m: memref<?xf32>) {
  // expected-error @below {{not of the stated sizes}}
  %c = memref.reinterpret_cast %m to offset: [0], sizes: [4], strides: [1] : memref<?xf32> to memref<5xf32>
  func.return
}

// -----

func.func @prefetch(%m: memref<?x?xf32>, %i: index) {
  // expected-error @below {{1 indices for a memref of rank 2}}
  memref.prefetch %m[%i], read, locality<3>, data : memref<?x?xf32>
  func.return
}
