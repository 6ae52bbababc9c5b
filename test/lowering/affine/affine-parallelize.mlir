// RUN: mlopt %s --affine-parallelize | filecheck %s
// RUN: mlopt %s --validate-each --affine-parallelize -o /dev/null

// CHECK-LABEL: func.func @independent(%m: memref<8xindex>) {
// CHECK-NEXT:    affine.parallel (%i) = (0) to (8) {
// CHECK-NEXT:      affine.store %i, %m[%i] : memref<8xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @independent(%m: memref<8xindex>) {
  affine.for %i = 0 to 8 {
    affine.store %i, %m[%i] : memref<8xindex>
  }
  return
}

// CHECK-LABEL: func.func @dependent(%m: memref<9xindex>) {
// CHECK-NEXT:    affine.for %i = 0 to 8 {
// CHECK-NEXT:      %x = affine.load %m[%i] : memref<9xindex>
// CHECK-NEXT:      affine.store %x, %m[%i + 1] : memref<9xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @dependent(%m: memref<9xindex>) {
  affine.for %i = 0 to 8 {
    %x = affine.load %m[%i] : memref<9xindex>
    affine.store %x, %m[%i + 1] : memref<9xindex>
  }
  return
}

// Even elements are written, odd ones are read.
// CHECK-LABEL: func.func @parity(%m: memref<32xindex>) {
// CHECK-NEXT:    affine.parallel (%i) = (0) to (8) {
// CHECK-NEXT:      %x = affine.load %m[%i * 2 + 1] : memref<32xindex>
// CHECK-NEXT:      affine.store %x, %m[%i * 4] : memref<32xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @parity(%m: memref<32xindex>) {
  affine.for %i = 0 to 8 {
    %x = affine.load %m[%i * 2 + 1] : memref<32xindex>
    affine.store %x, %m[%i * 4] : memref<32xindex>
  }
  return
}
