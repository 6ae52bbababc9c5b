// RUN: mlopt %s --mlir-print-local-scope | filecheck %s

func.func @indices(%n: index, %m: memref<?x8xf32>, %small: memref<8xf32, 1>, %tag: memref<1xi32>) -> index {
  affine.for %i = 0 to 64 {
    %r, %c = affine.delinearize_index %i into (%n, 8) : index, index
    %v = affine.load %m[%r, %c] : memref<?x8xf32>
    affine.dma_start %m[%i floordiv 8, 0], %small[0], %tag[0], %n : memref<?x8xf32>, memref<8xf32, 1>, memref<1xi32>
    affine.dma_wait %tag[0], %n : memref<1xi32>
  }
  %sum = affine.parallel (%i) = (0) to (8) reduce ("addf") -> (f32) {
    %v = affine.load %small[%i] : memref<8xf32, 1>
    affine.yield %v : f32
  }
  %x = affine.apply affine_map<(d0)[s0] -> (d0 floordiv s0)> (%n)[%n]
  %l = affine.linearize_index disjoint [%x, %n] by (8) : index
  return %l : index
}

// CHECK:      module {
// CHECK-NEXT:   func.func @indices(%n: index, %m: memref<?x8xf32>, %small: memref<8xf32, 1>, %tag: memref<1xi32>) -> index {
// CHECK-NEXT:     affine.for %i = 0 to 64 {
// CHECK-NEXT:       %r:2 = affine.delinearize_index %i into (%n, 8) : index, index
// CHECK-NEXT:       %v = affine.load %m[%r#0, %r#1] : memref<?x8xf32>
// CHECK-NEXT:       affine.dma_start %m[%i floordiv 8, 0], %small[0], %tag[0], %n : memref<?x8xf32>, memref<8xf32, 1>, memref<1xi32>
// CHECK-NEXT:       affine.dma_wait %tag[0], %n : memref<1xi32>
// CHECK-NEXT:     }
// CHECK-NEXT:     %sum = affine.parallel (%i) = (0) to (8) reduce ("addf") -> (f32) {
// CHECK-NEXT:       %v = affine.load %small[%i] : memref<8xf32, 1>
// CHECK-NEXT:       affine.yield %v : f32
// CHECK-NEXT:     }
// CHECK-NEXT:     %x = affine.apply affine_map<(d0)[s0] -> (d0 floordiv s0)>(%n)[%n]
// CHECK-NEXT:     %l = affine.linearize_index disjoint [%x, %n] by (8) : index
// CHECK-NEXT:     return %l : index
// CHECK-NEXT:   }
// CHECK-NEXT: }
