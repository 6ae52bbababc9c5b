// RUN: mlopt %s --affine-simplify-structures | filecheck %s
// RUN: mlopt %s --validate-each --affine-simplify-structures -o /dev/null

// CHECK: #set = affine_set<(d0) : (d0 - 2 >= 0)>

// CHECK-LABEL: func.func @never(%m: memref<8xindex>) {
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @never(%m: memref<8xindex>) {
  affine.for %i = 0 to 8 {
    affine.if affine_set<(d0) : (d0 - 3 >= 0, 2 - d0 >= 0)>(%i) {
      affine.store %i, %m[%i] : memref<8xindex>
    }
  }
  return
}

// CHECK-LABEL: func.func @no_integer(%m: memref<8xindex>) {
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @no_integer(%m: memref<8xindex>) {
  affine.for %i = 0 to 8 {
    affine.if affine_set<(d0) : (d0 * 2 - 5 == 0)>(%i) {
      affine.store %i, %m[%i] : memref<8xindex>
    }
  }
  return
}

// CHECK-LABEL: func.func @redundant(%m: memref<8xindex>) {
// CHECK-NEXT:    affine.for %i = 0 to 8 {
// CHECK-NEXT:      affine.if #set(%i) {
// CHECK-NEXT:        affine.store %i, %m[%i] : memref<8xindex>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @redundant(%m: memref<8xindex>) {
  affine.for %i = 0 to 8 {
    affine.if affine_set<(d0) : (d0 * 2 - 3 >= 0, d0 >= 0, 5 >= 0)>(%i) {
      affine.store %i, %m[%i] : memref<8xindex>
    }
  }
  return
}
