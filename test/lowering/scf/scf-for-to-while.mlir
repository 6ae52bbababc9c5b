// RUN: mlopt %s --scf-for-to-while | filecheck %s
// RUN: mlopt %s --validate-each --scf-for-to-while -o /dev/null

// CHECK-LABEL: func.func @sum(%m: memref<8xi32>, %init: i32) -> i32 {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c7 = arith.constant 7 : index
// CHECK-NEXT:    %r:2 = scf.while (%arg0 = %c0, %arg1 = %init) : (index, i32) -> (index, i32) {
// CHECK-NEXT:      %0 = arith.cmpi slt, %arg0, %c7 : index
// CHECK-NEXT:      scf.condition(%0) %arg0, %arg1 : index, i32
// CHECK-NEXT:    } do {
// CHECK-NEXT:    ^bb0(%i: index, %s: i32):
// CHECK-NEXT:      %0 = arith.addi %i, %c2 : index
// CHECK-NEXT:      %v = memref.load %m[%i] : memref<8xi32>
// CHECK-NEXT:      %t = arith.addi %s, %v : i32
// CHECK-NEXT:      scf.yield %0, %t : index, i32
// CHECK-NEXT:    }
// CHECK-NEXT:    return %r#1 : i32
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
