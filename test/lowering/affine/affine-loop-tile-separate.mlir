// RUN: mlopt %s --affine-loop-tile='tile-size=4 separate=true' | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-tile='tile-size=4 separate=true' -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 + 4)>
// CHECK-NEXT: #map2 = affine_map<(d0) -> (d0 + 4, 10)>
// CHECK-NEXT: #set = affine_set<(d0) : (-d0 + 6 >= 0)>

// CHECK-LABEL: func.func @ragged(%a: memref<10xf32>, %b: memref<10xf32>, %n: index) {
// CHECK-NEXT:    affine.for %i = 0 to 10 step 4 {
// CHECK-NEXT:      affine.if #set(%i) {
// CHECK-NEXT:        affine.for %i_0 = #map(%i) to #map1(%i) {
// CHECK-NEXT:          %x = affine.load %a[%i_0] : memref<10xf32>
// CHECK-NEXT:          affine.store %x, %b[%i_0] : memref<10xf32>
// CHECK-NEXT:        }
// CHECK-NEXT:      } else {
// CHECK-NEXT:        affine.for %i_0 = #map(%i) to min #map2(%i) {
// CHECK-NEXT:          %x = affine.load %a[%i_0] : memref<10xf32>
// CHECK-NEXT:          affine.store %x, %b[%i_0] : memref<10xf32>
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @ragged(%a: memref<10xf32>, %b: memref<10xf32>, %n: index) {
  affine.for %i = 0 to 10 {
    %x = affine.load %a[%i] : memref<10xf32>
    affine.store %x, %b[%i] : memref<10xf32>
  }
  return
}
