// RUN: mlopt %s --control-flow-sink --validate-each | filecheck %s

// CHECK-LABEL: func.func @sides
// CHECK-SAME:    (%[[C:.*]]: i1, %[[X:.*]]: i32)
// CHECK-NEXT:    %[[BOTH:.*]] = arith.addi
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      %[[A:.*]] = arith.muli %[[X]], %[[X]]
// CHECK-NEXT:      %[[B:.*]] = arith.subi %[[A]], %[[BOTH]]
// CHECK-NEXT:      scf.yield %[[B]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %[[BOTH]]
func.func @sides(%c: i1, %x: i32) -> i32 {
  %a = arith.muli %x, %x : i32
  %both = arith.addi %x, %x : i32
  %b = arith.subi %a, %both : i32
  %r = scf.if %c -> (i32) {
    scf.yield %b : i32
  } else {
    scf.yield %both : i32
  }
  return %r : i32
}

// What is read may have changed, and a loop would compute it again and again.
// CHECK-LABEL: func.func @stays
// CHECK:         memref.load
// CHECK:         arith.addi
// CHECK:         scf.if
// CHECK:         scf.for
func.func @stays(%c: i1, %m: memref<4xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %v = memref.load %m[%c0] : memref<4xi32>
  %w = arith.addi %v, %v : i32
  scf.if %c {
    memref.store %v, %m[%c1] : memref<4xi32>
  }
  scf.for %i = %c0 to %c4 step %c1 {
    memref.store %w, %m[%i] : memref<4xi32>
  }
  return
}
