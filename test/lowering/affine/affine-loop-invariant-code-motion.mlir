// RUN: mlopt %s --affine-loop-invariant-code-motion | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-invariant-code-motion -o /dev/null

// CHECK-LABEL: func.func @accesses(%m: memref<8xf32>, %n: memref<8xf32>) {
// CHECK-NEXT:    %x = affine.load %m[0] : memref<8xf32>
// CHECK-NEXT:    %y = arith.addf %x, %x : f32
// CHECK-NEXT:    affine.for %i = 0 to 8 {
// CHECK-NEXT:      affine.store %y, %n[%i] : memref<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @accesses(%m: memref<8xf32>, %n: memref<8xf32>) {
  affine.for %i = 0 to 8 {
    %x = affine.load %m[0] : memref<8xf32>
    %y = arith.addf %x, %x : f32
    affine.store %y, %n[%i] : memref<8xf32>
  }
  return
}

// CHECK-LABEL: func.func @written_inside(%m: memref<8xf32>) {
// CHECK-NEXT:    affine.for %i = 0 to 8 {
// CHECK-NEXT:      %x = affine.load %m[0] : memref<8xf32>
// CHECK-NEXT:      %y = arith.addf %x, %x : f32
// CHECK-NEXT:      affine.store %y, %m[%i] : memref<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @written_inside(%m: memref<8xf32>) {
  affine.for %i = 0 to 8 {
    %x = affine.load %m[0] : memref<8xf32>
    %y = arith.addf %x, %x : f32
    affine.store %y, %m[%i] : memref<8xf32>
  }
  return
}

// CHECK-LABEL: func.func @may_not_run(%m: memref<8xf32>, %n: index) {
// CHECK-NEXT:    affine.for %i = 0 to %n {
// CHECK-NEXT:      %x = affine.load %m[1] : memref<8xf32>
// CHECK-NEXT:      affine.store %x, %m[0] : memref<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @may_not_run(%m: memref<8xf32>, %n: index) {
  affine.for %i = 0 to %n {
    %x = affine.load %m[1] : memref<8xf32>
    affine.store %x, %m[0] : memref<8xf32>
  }
  return
}
