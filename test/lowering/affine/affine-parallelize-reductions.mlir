// RUN: mlopt %s --affine-parallelize=parallel-reductions=true | filecheck %s

// CHECK-LABEL: func.func @sum(%m: memref<8xi32>, %init: i32) -> i32 {
// CHECK-NEXT:    %0 = affine.parallel (%i) = (0) to (8) reduce ("addi") -> (i32) {
// CHECK-NEXT:      %x = affine.load %m[%i] : memref<8xi32>
// CHECK-NEXT:      affine.yield %x : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    %t = arith.addi %init, %0 : i32
// CHECK-NEXT:    return %t : i32
// CHECK-NEXT:  }
func.func @sum(%m: memref<8xi32>, %init: i32) -> i32 {
  %r = affine.for %i = 0 to 8 iter_args(%s = %init) -> (i32) {
    %x = affine.load %m[%i] : memref<8xi32>
    %t = arith.addi %s, %x : i32
    affine.yield %t : i32
  }
  return %r : i32
}
