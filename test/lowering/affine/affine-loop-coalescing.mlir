// RUN: mlopt %s --affine-loop-coalescing | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-coalescing -o /dev/null

// CHECK: #map = affine_map<() -> (4)>
// CHECK-NEXT: #map1 = affine_map<() -> (8)>
// CHECK-NEXT: #map2 = affine_map<(d0)[s0] -> (d0 * s0)>
// CHECK-NEXT: #map3 = affine_map<(d0)[s0] -> (d0 mod s0)>
// CHECK-NEXT: #map4 = affine_map<(d0)[s0] -> (d0 floordiv s0)>
// CHECK-NEXT: #map5 = affine_map<(d0) -> (d0 * 2 + 1)>

// CHECK-LABEL: func.func @affine(%m: memref<4x8xindex>) {
// CHECK-NEXT:    %0 = affine.apply #map()
// CHECK-NEXT:    %1 = affine.apply #map1()
// CHECK-NEXT:    %2 = affine.apply #map2(%0)[%1]
// CHECK-NEXT:    affine.for %i = 0 to %2 {
// CHECK-NEXT:      %3 = affine.apply #map3(%i)[%1]
// CHECK-NEXT:      %4 = affine.apply #map4(%i)[%1]
// CHECK-NEXT:      affine.store %3, %m[%4, %3] : memref<4x8xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @affine(%m: memref<4x8xindex>) {
  affine.for %i = 0 to 4 {
    affine.for %j = 0 to 8 {
      affine.store %j, %m[%i, %j] : memref<4x8xindex>
    }
  }
  return
}

// CHECK-LABEL: func.func @scf(%m: memref<4x8xindex>) -> index {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %c2_0 = arith.constant 2 : index
// CHECK-NEXT:    %c0_1 = arith.constant 0 : index
// CHECK-NEXT:    %c1_2 = arith.constant 1 : index
// CHECK-NEXT:    %c8_3 = arith.constant 8 : index
// CHECK-NEXT:    %c0_4 = arith.constant 0 : index
// CHECK-NEXT:    %c1_5 = arith.constant 1 : index
// CHECK-NEXT:    %c16 = arith.constant 16 : index
// CHECK-NEXT:    %r = scf.for %i = %c0_1 to %c16 step %c1_2 iter_args(%s = %c0) -> (index) {
// CHECK-NEXT:      %0:2 = affine.delinearize_index %i into (2, 8) : index, index
// CHECK-NEXT:      %1 = affine.apply #map5(%0#0)
// CHECK-NEXT:      memref.store %s, %m[%1, %0#1] : memref<4x8xindex>
// CHECK-NEXT:      %u = arith.addi %s, %0#1 : index
// CHECK-NEXT:      scf.yield %u : index
// CHECK-NEXT:    }
// CHECK-NEXT:    return %r : index
// CHECK-NEXT:  }
func.func @scf(%m: memref<4x8xindex>) -> index {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %i = %c1 to %c4 step %c2 iter_args(%s = %c0) -> (index) {
    %q = scf.for %j = %c0 to %c8 step %c1 iter_args(%t = %s) -> (index) {
      memref.store %t, %m[%i, %j] : memref<4x8xindex>
      %u = arith.addi %t, %j : index
      scf.yield %u : index
    }
    scf.yield %q : index
  }
  return %r : index
}
