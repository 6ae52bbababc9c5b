// RUN: mlopt %s --mlir-print-local-scope --expand-strided-metadata --split-input-file | filecheck %s

// CHECK-LABEL: func.func @part(%m: memref<8x8xf32>, %i: index, %n: index) -> memref<?x4xf32, strided<[16, 1], offset: ?>> {
// CHECK-NEXT:    %[[BASE:.*]], %{{.*}}, %{{.*}}:2, %{{.*}}:2 = memref.extract_strided_metadata %m : memref<8x8xf32>
// CHECK-NEXT:    %[[AT:.*]] = affine.apply affine_map<()[s0] -> (s0 * 8 + 2)>()[%i]
// CHECK-NEXT:    %v = memref.reinterpret_cast %[[BASE]] to offset: [%[[AT]]], sizes: [%n, 4], strides: [16, 1] : memref<f32> to memref<?x4xf32, strided<[16, 1], offset: ?>>
// CHECK-NEXT:    return %v
func.func @part(%m: memref<8x8xf32>, %i: index, %n: index) -> memref<?x4xf32, strided<[16, 1], offset: ?>> {
  %v = memref.subview %m[%i, 2] [%n, 4] [2, 1] : memref<8x8xf32> to memref<?x4xf32, strided<[16, 1], offset: ?>>
  return %v : memref<?x4xf32, strided<[16, 1], offset: ?>>
}

// -----

// What is asked of a view of a new buffer is computed; nothing of the buffer is asked.

// CHECK-LABEL: func.func @asked(%n: index, %i: index) -> (index, index, index) {
// CHECK-NEXT:    %[[STRIDE:.*]] = arith.constant 24 : index
// CHECK-NEXT:    %[[AT:.*]] = affine.apply affine_map<()[s0] -> (s0 * 12)>()[%i]
// CHECK-NEXT:    return %[[AT]], %n, %[[STRIDE]] : index, index, index
func.func @asked(%n: index, %i: index) -> (index, index, index) {
  %m = memref.alloc(%n) : memref<?x12xf32>
  %v = memref.subview %m[%i, 0] [%n, 12] [2, 1] : memref<?x12xf32> to memref<?x12xf32, strided<[24, 1], offset: ?>>
  %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %v : memref<?x12xf32, strided<[24, 1], offset: ?>> -> memref<f32>, index, index, index, index, index
  return %offset, %sizes#0, %strides#0 : index, index, index
}

// -----

// Of an argument nothing more is known than its type says.

// CHECK-LABEL: func.func @argument
// CHECK-NEXT:    %[[SIZE:.*]] = arith.constant 4 : index
// CHECK-NEXT:    %{{.*}}, %[[OFFSET:.*]], %{{.*}}, %{{.*}} = memref.extract_strided_metadata %m
// CHECK-NEXT:    return %[[OFFSET]], %[[SIZE]] : index, index
func.func @argument(%m: memref<4xf32, strided<[2], offset: ?>>) -> (index, index) {
  %base, %offset, %sizes, %strides = memref.extract_strided_metadata %m : memref<4xf32, strided<[2], offset: ?>> -> memref<f32>, index, index, index
  return %offset, %sizes : index, index
}
