// RUN: mlopt %s --canonicalize --split-input-file | filecheck %s

// CHECK: func.func @subview_of_constants(%arg0: memref<?x?xf32>)
// CHECK-NEXT: %[[V:.*]] = memref.subview %arg0[0, 2] [4, 8] [1, 1] : memref<?x?xf32> to memref<4x8xf32, strided<[?, 1], offset: 2>>
// CHECK-NEXT: %[[C:.*]] = memref.cast %[[V]]
// CHECK-NEXT: return %[[C]]
func.func @subview_of_constants(%arg0: memref<?x?xf32>) -> memref<?x?xf32, strided<[?, 1], offset: ?>> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %0 = memref.subview %arg0[%c0, %c2] [%c4, 8] [1, 1] : memref<?x?xf32> to memref<?x8xf32, strided<[?, 1], offset: ?>>
  %1 = memref.cast %0 : memref<?x8xf32, strided<[?, 1], offset: ?>> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  return %1 : memref<?x?xf32, strided<[?, 1], offset: ?>>
}

// -----

// CHECK: func.func @out_of_bounds(
// CHECK: memref.subview %{{.*}}[2] [%{{.*}}] [1]
func.func @out_of_bounds(%arg0: memref<10xf32>) -> memref<?xf32, strided<[1], offset: 2>> {
  %c11 = arith.constant 11 : index
  %0 = memref.subview %arg0[2] [%c11] [1] : memref<10xf32> to memref<?xf32, strided<[1], offset: 2>>
  return %0 : memref<?xf32, strided<[1], offset: 2>>
}

// -----

// CHECK: func.func @whole(%arg0: memref<4x6xf32>)
// CHECK-NEXT: %[[C:.*]] = memref.cast %arg0 : memref<4x6xf32> to memref<4x6xf32, strided<[6, 1]>>
// CHECK-NEXT: return %[[C]]
func.func @whole(%arg0: memref<4x6xf32>) -> memref<4x6xf32, strided<[6, 1]>> {
  %0 = memref.subview %arg0[0, 0] [4, 6] [1, 1] : memref<4x6xf32> to memref<4x6xf32, strided<[6, 1]>>
  return %0 : memref<4x6xf32, strided<[6, 1]>>
}

// -----

// CHECK: func.func @allocation()
// CHECK-NEXT: %[[A:.*]] = memref.alloc() : memref<4xf32>
// CHECK-NEXT: %[[C:.*]] = memref.cast %[[A]] : memref<4xf32> to memref<?xf32>
// CHECK-NEXT: return %[[C]]
func.func @allocation() -> memref<?xf32> {
  %c4 = arith.constant 4 : index
  %0 = memref.alloc(%c4) : memref<?xf32>
  return %0 : memref<?xf32>
}

// -----

// CHECK: func.func @only_written(
// CHECK-NEXT: return
func.func @only_written(%arg0: f32, %arg1: index) {
  %0 = memref.alloc() : memref<4xf32>
  memref.store %arg0, %0[%arg1] : memref<4xf32>
  memref.dealloc %0 : memref<4xf32>
  return
}

// -----

// CHECK: func.func @dim(%arg0: index, %arg1: memref<4x?xf32>)
// CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
// CHECK: return %arg0, %[[C4]]
func.func @dim(%arg0: index, %arg1: memref<4x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %0 = memref.alloca(%arg0) : memref<?xf32>
  %1 = memref.dim %0, %c0 : memref<?xf32>
  %2 = memref.dim %arg1, %c0 : memref<4x?xf32>
  return %1, %2 : index, index
}

// -----

// CHECK: func.func @copies(
// CHECK-NEXT: return
func.func @copies(%arg0: memref<4xf32>, %arg1: memref<0xf32>, %arg2: memref<?xf32>) {
  memref.copy %arg0, %arg0 : memref<4xf32> to memref<4xf32>
  memref.copy %arg1, %arg2 : memref<0xf32> to memref<?xf32>
  return
}

// -----

// CHECK: func.func @reshapes(%arg0: memref<12x4xf32>)
// CHECK-NEXT: %[[R:.*]] = memref.collapse_shape %arg0 {{\[}}[0, 1]]
// CHECK-NEXT: return %[[R]]
func.func @reshapes(%arg0: memref<12x4xf32>) -> memref<48xf32> {
  %0 = memref.expand_shape %arg0 [[0, 1], [2]] output_shape [3, 4, 4] : memref<12x4xf32> into memref<3x4x4xf32>
  %1 = memref.collapse_shape %0 [[0, 1, 2]] : memref<3x4x4xf32> into memref<48xf32>
  return %1 : memref<48xf32>
}

// -----

// CHECK: func.func @taken_apart(%arg0: memref<8x2xf32>)
// CHECK-NEXT: %[[C:.*]] = memref.cast %arg0
// CHECK-NEXT: return %[[C]]
func.func @taken_apart(%arg0: memref<8x2xf32>) -> memref<?x?xf32, strided<[?, ?], offset: ?>> {
  %b, %o, %s:2, %t:2 = memref.extract_strided_metadata %arg0 : memref<8x2xf32> -> memref<f32>, index, index, index, index, index
  %0 = memref.reinterpret_cast %b to offset: [%o], sizes: [%s#0, %s#1], strides: [%t#0, %t#1]
    : memref<f32> to memref<?x?xf32, strided<[?, ?], offset: ?>>
  return %0 : memref<?x?xf32, strided<[?, ?], offset: ?>>
}

// -----

memref.global "private" constant @table : memref<3xi32> = dense<[7, 8, 9]>
// CHECK: func.func @element_of_global(
// CHECK-NEXT: %[[C:.*]] = arith.constant 8 : i32
// CHECK-NEXT: return %[[C]]
func.func @element_of_global() -> i32 {
  %c1 = arith.constant 1 : index
  %0 = memref.get_global @table : memref<3xi32>
  %1 = memref.load %0[%c1] : memref<3xi32>
  return %1 : i32
}

// -----

// CHECK: func.func @transposes(%arg0: memref<2x3xf32>)
// CHECK-NEXT: return %arg0
func.func @transposes(%arg0: memref<2x3xf32>) -> memref<2x3xf32> {
  %0 = memref.transpose %arg0 (i, j) -> (j, i) : memref<2x3xf32> to memref<3x2xf32, strided<[1, 3]>>
  %1 = memref.transpose %0 (i, j) -> (j, i) : memref<3x2xf32, strided<[1, 3]>> to memref<2x3xf32>
  return %1 : memref<2x3xf32>
}
