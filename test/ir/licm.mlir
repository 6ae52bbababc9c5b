// RUN: mlopt %s --loop-invariant-code-motion --allow-unregistered-dialect | filecheck %s

// From the inside out, in order.
// CHECK-LABEL: func.func @nested
// CHECK:         arith.addi
// CHECK-NEXT:    arith.muli
// CHECK-NEXT:    scf.for
// CHECK-NEXT:      arith.index_cast
// CHECK-NEXT:      arith.addi
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        memref.store
func.func @nested(%n: index, %x: i64, %m: memref<?x?xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %n step %c1 {
      %0 = arith.addi %x, %x : i64
      %1 = arith.muli %0, %0 : i64
      %2 = arith.index_cast %i : index to i64
      memref.store %1, %m[%i, %j] : memref<?x?xi64>
      %3 = arith.addi %2, %1 : i64
      memref.store %3, %m[%j, %i] : memref<?x?xi64>
    }
  }
  return
}

// A loop need not run: what could trap or be undefined stays.
// CHECK-LABEL: func.func @may_trap
// CHECK:         arith.divui %x, %c7
// CHECK:         scf.for
// CHECK-NEXT:      arith.divui %x, %y
// CHECK-NEXT:      arith.divsi %x, %c-1
func.func @may_trap(%n: index, %x: i64, %y: i64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : i64
  %c-1 = arith.constant -1 : i64
  scf.for %i = %c0 to %n step %c1 {
    %0 = arith.divui %x, %y : i64
    %1 = arith.divsi %x, %c-1 : i64
    %2 = arith.divui %x, %c7 : i64
    "test.use"(%0, %1, %2) : (i64, i64, i64) -> ()
  }
  return
}
