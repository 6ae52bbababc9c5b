// RUN: mlopt %s --mlir-print-local-scope | mlopt --mlir-print-local-scope | filecheck %s
// RUN: mlopt %s --mlir-print-local-scope --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt --mlir-print-local-scope | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

#s = affine_set<(d0)[s0] : (d0 + 256 - s0 >= 0, d0 == 0)>

// CHECK-LABEL: func.func @f(%m: memref<?x?xf32>, %s: memref<f32>, %M: index, %N: index) {
func.func @f(%m: memref<?x?xf32>, %s: memref<f32>, %M: index, %N: index) {
  // CHECK-NEXT: %c = arith.constant 0.000000e+00 : f32
  %c = arith.constant 0.0 : f32
  // CHECK-NEXT: affine.parallel (%i, %j) = (0, max(symbol(%N) - 3, 1)) to (symbol(%M), min(%N, symbol(%M) * 2 + 5)) step (14, 32) {
  affine.parallel (%i, %j) = (0, max(symbol(%N) - 3, 1)) to (symbol(%M), min(%N, symbol(%M) * 2 + 5)) step (14, 32) {
    // CHECK-NEXT: %v = affine.load %m[%i + 1, %i * -2 + symbol(%M)] {tag = 1 : i64} : memref<?x?xf32>
    %v = affine.load %m[%i + 1, symbol(%M) - %i * 2] {tag = 1 : i64} : memref<?x?xf32>
    // CHECK-NEXT: affine.store %v, %m[(%i + %j) floordiv 32, %i mod 4 - 7] : memref<?x?xf32>
    affine.store %v, %m[(%i + %j) floordiv 32, %i mod 4 - 7] : memref<?x?xf32>
    // CHECK-NEXT: affine.prefetch %m[%i, %j + 8], write, locality<2>, data : memref<?x?xf32>
    affine.prefetch %m[%i, %j + 8], write, locality<2>, data : memref<?x?xf32>
    // CHECK-NEXT: affine.store %v, %s[] : memref<f32>
    affine.store %v, %s[] : memref<f32>
    // CHECK-NEXT: %x = affine.max affine_map<(d0)[s0] -> (d0 - 14, s0)>(%i)[%M]
    %x = affine.max affine_map<(d0)[s0] -> (d0 - 14, s0)>(%i)[%M]
    // CHECK-NEXT: %y = affine.min affine_map<(d0)[s0] -> (d0 - 14, s0)>(%i)[%M]
    %y = affine.min affine_map<(d0)[s0] -> (d0 - 14, s0)>(%i)[%M]
    // CHECK-NEXT: affine.if affine_set<(d0)[s0] : (d0 - s0 + 256 >= 0, d0 == 0)>(%i)[%N] {
    affine.if #s(%i)[%N] {
      // CHECK-NEXT: affine.store %c, %s[] : memref<f32>
      affine.store %c, %s[] : memref<f32>
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: %r:2 = affine.if affine_set<(d0)[s0] : (d0 - s0 + 256 >= 0, d0 == 0)>(%i)[%N] -> (f32, index) {
    %r:2 = affine.if #s(%i)[%N] -> (f32, index) {
      // CHECK-NEXT: affine.yield %v, %x : f32, index
      affine.yield %v, %x : f32, index
    // CHECK-NEXT: } else {
    } else {
      // CHECK-NEXT: affine.yield %c, %y : f32, index
      affine.yield %c, %y : f32, index
    // CHECK-NEXT: } {hint}
    } {hint}
    // CHECK-NEXT: affine.store %r#0, %s[] : memref<f32>
    affine.store %r#0, %s[] : memref<f32>
  // CHECK-NEXT: } {loop = "m"}
  } {loop = "m"}
  // CHECK-NEXT: affine.parallel (%i) = (0) to (4) {
  affine.parallel (%i) = (0) to (4) {
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: return
  func.return
// CHECK-NEXT: }
}
