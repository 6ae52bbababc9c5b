// RUN: mlopt %s --affine-loop-unroll=unroll-factor=3 | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-unroll=unroll-factor=3 -o /dev/null

// CHECK: #map = affine_map<()[s0] -> ((s0 floordiv 3) * 3)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 + 1)>
// CHECK-NEXT: #map2 = affine_map<(d0) -> (d0 + 2)>

// CHECK-LABEL: func.func @unknown_end(%m: memref<16xindex>, %n: index) {
// CHECK-NEXT:    affine.for %i = 3 to #map()[%n] step 3 {
// CHECK-NEXT:      affine.store %i, %m[0] : memref<16xindex>
// CHECK-NEXT:      %0 = affine.apply #map1(%i)
// CHECK-NEXT:      affine.store %0, %m[0] : memref<16xindex>
// CHECK-NEXT:      %1 = affine.apply #map2(%i)
// CHECK-NEXT:      affine.store %1, %m[0] : memref<16xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    affine.for %i = #map()[%n] to %n {
// CHECK-NEXT:      affine.store %i, %m[0] : memref<16xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @unknown_end(%m: memref<16xindex>, %n: index) {
  affine.for %i = 3 to %n {
    affine.store %i, %m[0] : memref<16xindex>
  }
  return
}
