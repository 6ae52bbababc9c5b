// RUN: mlopt %s --memref-expand | filecheck %s

// CHECK-LABEL: func.func @reshape
// CHECK:         %[[N:.*]] = memref.load %shape[%{{.*}}] : memref<3xi32>
// CHECK-NEXT:    %[[SIZE:.*]] = arith.index_cast %[[N]] : i32 to index
// CHECK:         %[[STRIDE:.*]] = arith.muli %{{.*}}, %[[SIZE]] : index
// CHECK:         memref.reinterpret_cast %m to offset: [0], sizes: [4, %[[SIZE]], 8], strides: [%[[STRIDE]], 8, 1]
func.func @reshape(%m: memref<*xf32>, %shape: memref<3xi32>) -> memref<4x?x8xf32> {
  %r = memref.reshape %m(%shape) : (memref<*xf32>, memref<3xi32>) -> memref<4x?x8xf32>
  return %r : memref<4x?x8xf32>
}

// How long the shape is must be known.
// CHECK-LABEL: func.func @unknown_rank
// CHECK-NEXT:    memref.reshape
func.func @unknown_rank(%m: memref<*xf32>, %shape: memref<?xindex>) -> memref<*xf32> {
  %r = memref.reshape %m(%shape) : (memref<*xf32>, memref<?xindex>) -> memref<*xf32>
  return %r : memref<*xf32>
}
