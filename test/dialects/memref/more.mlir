// RUN: mlopt %s | filecheck %s

func.func @more(%m: memref<?xf32>, %n: index, %s: memref<2xindex>, %v: f32, %q: memref<4x8xf32>, %c: i1) -> memref<?x?xf32> {
  %0 = memref.realloc %m(%n) : memref<?xf32> to memref<?xf32>
  %1 = memref.reshape %0(%s) : (memref<?xf32>, memref<2xindex>) -> memref<?x?xf32>
  %2 = memref.transpose %q (d0, d1) -> (d1, d0) : memref<4x8xf32> to memref<8x4xf32, strided<[1, 8]>>
  %3 = memref.atomic_rmw addf %v, %0[%n] : (f32, memref<?xf32>) -> f32
  memref.alloca_scope {
    %4 = memref.alloca(%n) : memref<?xf32>
  }
  %5 = bufferization.dealloc (%0 : memref<?xf32>) if (%c) retain (%1 : memref<?x?xf32>)
  return %1 : memref<?x?xf32>
}

// CHECK:      module {
// CHECK-NEXT:   func.func @more(%m: memref<?xf32>, %n: index, %s: memref<2xindex>, %v: f32, %q: memref<4x8xf32>, %c: i1) -> memref<?x?xf32> {
// CHECK-NEXT:     %0 = memref.realloc %m(%n) : memref<?xf32> to memref<?xf32>
// CHECK-NEXT:     %reshape = memref.reshape %0(%s) : (memref<?xf32>, memref<2xindex>) -> memref<?x?xf32>
// CHECK-NEXT:     %transpose = memref.transpose %q (d0, d1) -> (d1, d0) : memref<4x8xf32> to memref<8x4xf32, strided<[1, 8]>>
// CHECK-NEXT:     %1 = memref.atomic_rmw addf %v, %0[%n] : (f32, memref<?xf32>) -> f32
// CHECK-NEXT:     memref.alloca_scope {
// CHECK-NEXT:       %alloca = memref.alloca(%n) : memref<?xf32>
// CHECK-NEXT:     }
// CHECK-NEXT:     %2 = bufferization.dealloc (%0 : memref<?xf32>) if (%c) retain (%reshape : memref<?x?xf32>)
// CHECK-NEXT:     return %reshape : memref<?x?xf32>
// CHECK-NEXT:   }
// CHECK-NEXT: }
