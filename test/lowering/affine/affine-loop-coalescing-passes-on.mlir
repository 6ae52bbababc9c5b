// RUN: mlopt %s --affine-loop-coalescing | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-coalescing -o /dev/null

// CHECK: #map = affine_map<() -> (4)>
// CHECK-NEXT: #map1 = affine_map<() -> (8)>
// CHECK-NEXT: #map2 = affine_map<(d0)[s0] -> (d0 * s0)>
// CHECK-NEXT: #map3 = affine_map<(d0)[s0] -> (d0 mod s0)>
// CHECK-NEXT: #map4 = affine_map<(d0)[s0] -> (d0 floordiv s0)>

// CHECK-LABEL: func.func @what_is_carried_stays(%m: memref<4x8xi32>, %init: i32) {
// CHECK-NEXT:    %0 = affine.apply #map()
// CHECK-NEXT:    %1 = affine.apply #map1()
// CHECK-NEXT:    %2 = affine.apply #map2(%0)[%1]
// CHECK-NEXT:    affine.for %i = 0 to %2 {
// CHECK-NEXT:      %3 = affine.apply #map3(%i)[%1]
// CHECK-NEXT:      %4 = affine.apply #map4(%i)[%1]
// CHECK-NEXT:      affine.store %init, %m[%4, %3] : memref<4x8xi32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @what_is_carried_stays(%m: memref<4x8xi32>, %init: i32) {
  affine.for %i = 0 to 4 {
    %r = affine.for %j = 0 to 8 iter_args(%x = %init) -> (i32) {
      affine.store %x, %m[%i, %j] : memref<4x8xi32>
      affine.yield %x : i32
    }
  }
  return
}

// Every round begins anew: one loop would not.
// CHECK-LABEL: func.func @what_is_carried_changes(%m: memref<4x8xi32>, %init: i32) {
// CHECK-NEXT:    affine.for %i = 0 to 4 {
// CHECK-NEXT:      %r = affine.for %j = 0 to 8 iter_args(%x = %init) -> (i32) {
// CHECK-NEXT:        affine.store %x, %m[%i, %j] : memref<4x8xi32>
// CHECK-NEXT:        %y = arith.addi %x, %x : i32
// CHECK-NEXT:        affine.yield %y : i32
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @what_is_carried_changes(%m: memref<4x8xi32>, %init: i32) {
  affine.for %i = 0 to 4 {
    %r = affine.for %j = 0 to 8 iter_args(%x = %init) -> (i32) {
      affine.store %x, %m[%i, %j] : memref<4x8xi32>
      %y = arith.addi %x, %x : i32
      affine.yield %y : i32
    }
  }
  return
}
