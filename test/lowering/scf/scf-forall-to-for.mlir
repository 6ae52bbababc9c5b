// RUN: mlopt %s --scf-forall-to-for | filecheck %s
// RUN: mlopt %s --validate-each --scf-forall-to-for -o /dev/null

// CHECK-LABEL: func.func @band(%m: memref<4x8xindex>) {
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    scf.for %i = %c1 to %c4 step %c2 {
// CHECK-NEXT:      scf.for %j = %c0 to %c8 step %c3 {
// CHECK-NEXT:        memref.store %i, %m[%i, %j] : memref<4x8xindex>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @band(%m: memref<4x8xindex>) {
  scf.forall (%i, %j) = (1, 0) to (4, 8) step (2, 3) {
    memref.store %i, %m[%i, %j] : memref<4x8xindex>
  }
  return
}
