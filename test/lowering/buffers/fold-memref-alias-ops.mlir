// RUN: mlopt %s --mlir-print-local-scope --fold-memref-alias-ops --split-input-file | filecheck %s

// CHECK-LABEL: func.func @load(%m: memref<8x8xf32>, %i: index, %j: index) -> f32 {
// CHECK-NEXT:    %[[ROW:.*]] = affine.apply affine_map<()[s0, s1] -> (s0 + s1 * 2)>()[%i, %j]
// CHECK-NEXT:    %[[COLUMN:.*]] = affine.apply affine_map<()[s0] -> (s0 + 3)>()[%j]
// CHECK-NEXT:    %x = memref.load %m[%[[ROW]], %[[COLUMN]]] : memref<8x8xf32>
// CHECK-NEXT:    return %x : f32
func.func @load(%m: memref<8x8xf32>, %i: index, %j: index) -> f32 {
  %v = memref.subview %m[%i, 3] [2, 4] [2, 1] : memref<8x8xf32> to memref<2x4xf32, strided<[16, 1], offset: ?>>
  %x = memref.load %v[%j, %j] : memref<2x4xf32, strided<[16, 1], offset: ?>>
  return %x : f32
}

// -----

// A load of one element is in bounds, a load of a vector may begin anywhere.

// CHECK-LABEL: func.func @joined(%m: memref<?x8xf32>, %i: index, %n: index) -> (f32, vector<4xf32>) {
// CHECK-NEXT:    %[[A:.*]] = affine.linearize_index disjoint [%i, %i] by (%n, 4) : index
// CHECK-NEXT:    %x = memref.load %m[%[[A]], %i] : memref<?x8xf32>
// CHECK-NEXT:    %[[B:.*]] = affine.linearize_index [%i, %i] by (%n, 4) : index
// CHECK-NEXT:    %y = vector.load %m[%[[B]], %i] : memref<?x8xf32>, vector<4xf32>
func.func @joined(%m: memref<?x8xf32>, %i: index, %n: index) -> (f32, vector<4xf32>) {
  %v = memref.expand_shape %m [[0, 1], [2]] output_shape [%n, 4, 8] : memref<?x8xf32> into memref<?x4x8xf32>
  %x = memref.load %v[%i, %i, %i] : memref<?x4x8xf32>
  %y = vector.load %v[%i, %i, %i] : memref<?x4x8xf32>, vector<4xf32>
  return %x, %y : f32, vector<4xf32>
}

// -----

// The elements of the vector have gaps between them in the buffer.

// CHECK-LABEL: func.func @gaps
// CHECK:         %{{.*}} = vector.transfer_read %v[%i], %{{.*}} {in_bounds = [true]}
func.func @gaps(%m: memref<64xf32>, %i: index) -> vector<4xf32> {
  %pad = arith.constant 0.0 : f32
  %v = memref.subview %m[%i] [16] [2] : memref<64xf32> to memref<16xf32, strided<[2], offset: ?>>
  %x = vector.transfer_read %v[%i], %pad {in_bounds = [true]} : memref<16xf32, strided<[2], offset: ?>>, vector<4xf32>
  return %x : vector<4xf32>
}

// -----

// A padding that is an index stays where it stands.

// CHECK-LABEL: func.func @indices(%m: memref<4x8xindex>, %i: index) -> vector<4xindex> {
// CHECK-NEXT:    %x = vector.transfer_read %m[%i, %i], %i {in_bounds = [true]} : memref<4x8xindex>, vector<4xindex>
func.func @indices(%m: memref<4x8xindex>, %i: index) -> vector<4xindex> {
  %v = memref.subview %m[%i, 0] [1, 8] [1, 1] : memref<4x8xindex> to memref<8xindex, strided<[1], offset: ?>>
  %x = vector.transfer_read %v[%i], %i {in_bounds = [true]} : memref<8xindex, strided<[1], offset: ?>>, vector<4xindex>
  return %x : vector<4xindex>
}
