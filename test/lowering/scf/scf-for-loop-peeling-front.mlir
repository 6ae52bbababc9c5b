// RUN: mlopt %s --scf-for-loop-peeling=peel-front=true | filecheck %s
// RUN: mlopt %s --validate-each --scf-for-loop-peeling=peel-front=true -o /dev/null

// CHECK-LABEL: func.func @sum(%m: memref<8xi32>, %init: i32) -> i32 {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c7 = arith.constant 7 : index
// CHECK-NEXT:    %r = scf.for %i = %c0 to %c2 step %c2 iter_args(%s = %init) -> (i32) {
// CHECK-NEXT:      %v = memref.load %m[%i] : memref<8xi32>
// CHECK-NEXT:      %t = arith.addi %s, %v : i32
// CHECK-NEXT:      scf.yield %t : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    %r_0 = scf.for %i = %c2 to %c7 step %c2 iter_args(%s = %r) -> (i32) {
// CHECK-NEXT:      %v = memref.load %m[%i] : memref<8xi32>
// CHECK-NEXT:      %t = arith.addi %s, %v : i32
// CHECK-NEXT:      scf.yield %t : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    return %r_0 : i32
// CHECK-NEXT:  }
func.func @sum(%m: memref<8xi32>, %init: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c7 = arith.constant 7 : index
  %r = scf.for %i = %c0 to %c7 step %c2 iter_args(%s = %init) -> (i32) {
    %v = memref.load %m[%i] : memref<8xi32>
    %t = arith.addi %s, %v : i32
    scf.yield %t : i32
  }
  return %r : i32
}
