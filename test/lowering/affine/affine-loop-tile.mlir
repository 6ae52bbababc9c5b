// RUN: mlopt %s --affine-loop-tile=tile-size=4 | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-tile=tile-size=4 -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 + 4)>
// CHECK-NEXT: #map2 = affine_map<(d0) -> (d0 + 4, 10)>

// CHECK-LABEL: func.func @whole(%a: memref<8x8xf32>, %b: memref<8x8xf32>) {
// CHECK-NEXT:    affine.for %i = 0 to 8 step 4 {
// CHECK-NEXT:      affine.for %j = 0 to 8 step 4 {
// CHECK-NEXT:        affine.for %i_0 = #map(%i) to #map1(%i) {
// CHECK-NEXT:          affine.for %j_1 = #map(%j) to #map1(%j) {
// CHECK-NEXT:            %x = affine.load %a[%i_0, %j_1] : memref<8x8xf32>
// CHECK-NEXT:            affine.store %x, %b[%j_1, %i_0] : memref<8x8xf32>
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @whole(%a: memref<8x8xf32>, %b: memref<8x8xf32>) {
  affine.for %i = 0 to 8 {
    affine.for %j = 0 to 8 {
      %x = affine.load %a[%i, %j] : memref<8x8xf32>
      affine.store %x, %b[%j, %i] : memref<8x8xf32>
    }
  }
  return
}

// CHECK-LABEL: func.func @ragged(%a: memref<10xf32>, %b: memref<10xf32>) {
// CHECK-NEXT:    affine.for %i = 0 to 10 step 4 {
// CHECK-NEXT:      affine.for %i_0 = #map(%i) to min #map2(%i) {
// CHECK-NEXT:        %x = affine.load %a[%i_0] : memref<10xf32>
// CHECK-NEXT:        affine.store %x, %b[%i_0] : memref<10xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @ragged(%a: memref<10xf32>, %b: memref<10xf32>) {
  affine.for %i = 0 to 10 {
    %x = affine.load %a[%i] : memref<10xf32>
    affine.store %x, %b[%i] : memref<10xf32>
  }
  return
}

// A dependence goes backwards in %j: (1, -1).
// CHECK-LABEL: func.func @not_allowed(%a: memref<8x8xf32>) {
// CHECK-NEXT:    affine.for %i = 1 to 8 {
// CHECK-NEXT:      affine.for %j = 0 to 7 {
// CHECK-NEXT:        %x = affine.load %a[%i - 1, %j + 1] : memref<8x8xf32>
// CHECK-NEXT:        affine.store %x, %a[%i, %j] : memref<8x8xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @not_allowed(%a: memref<8x8xf32>) {
  affine.for %i = 1 to 8 {
    affine.for %j = 0 to 7 {
      %x = affine.load %a[%i - 1, %j + 1] : memref<8x8xf32>
      affine.store %x, %a[%i, %j] : memref<8x8xf32>
    }
  }
  return
}
