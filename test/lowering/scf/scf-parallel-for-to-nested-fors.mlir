// RUN: mlopt %s --scf-parallel-for-to-nested-fors | filecheck %s
// RUN: mlopt %s --validate-each --scf-parallel-for-to-nested-fors -o /dev/null

// CHECK-LABEL: func.func @band(%m: memref<4x8xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    scf.for %i = %c0 to %c4 step %c1 {
// CHECK-NEXT:      scf.for %j = %c1 to %c8 step %c4 {
// CHECK-NEXT:        memref.store %j, %m[%i, %j] : memref<4x8xindex>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @band(%m: memref<4x8xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i, %j) = (%c0, %c1) to (%c4, %c8) step (%c1, %c4) {
    memref.store %j, %m[%i, %j] : memref<4x8xindex>
  }
  return
}
