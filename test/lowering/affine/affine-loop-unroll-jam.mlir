// RUN: mlopt %s --affine-loop-unroll-jam=unroll-jam-factor=2 | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-unroll-jam=unroll-jam-factor=2 -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0 + 1)>

// CHECK-LABEL: func.func @two_statements(%m: memref<4x8xindex>) {
// CHECK-NEXT:    affine.for %i = 0 to 4 step 2 {
// CHECK-NEXT:      affine.store %i, %m[%i, 0] : memref<4x8xindex>
// CHECK-NEXT:      %0 = affine.apply #map(%i)
// CHECK-NEXT:      affine.store %0, %m[%0, 0] : memref<4x8xindex>
// CHECK-NEXT:      affine.for %j = 1 to 8 {
// CHECK-NEXT:        affine.store %j, %m[%i, %j] : memref<4x8xindex>
// CHECK-NEXT:        %1 = affine.apply #map(%i)
// CHECK-NEXT:        affine.store %j, %m[%1, %j] : memref<4x8xindex>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @two_statements(%m: memref<4x8xindex>) {
  affine.for %i = 0 to 4 {
    affine.store %i, %m[%i, 0] : memref<4x8xindex>
    affine.for %j = 1 to 8 {
      affine.store %j, %m[%i, %j] : memref<4x8xindex>
    }
  }
  return
}
