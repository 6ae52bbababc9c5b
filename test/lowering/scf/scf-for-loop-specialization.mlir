// RUN: mlopt %s --scf-for-loop-specialization | filecheck %s
// RUN: mlopt %s --validate-each --scf-for-loop-specialization -o /dev/null

// CHECK: #map = affine_map<()[s0] -> (8, s0)>

// CHECK-LABEL: func.func @likely(%m: memref<8xindex>, %x: index) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %n = affine.min #map()[%x]
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %0 = arith.cmpi eq, %n, %c8 : index
// CHECK-NEXT:    scf.if %0 {
// CHECK-NEXT:      scf.for %i = %c0 to %c8 step %c1 {
// CHECK-NEXT:        memref.store %i, %m[%i] : memref<8xindex>
// CHECK-NEXT:      }
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.for %i = %c0 to %n step %c1 {
// CHECK-NEXT:        memref.store %i, %m[%i] : memref<8xindex>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @likely(%m: memref<8xindex>, %x: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = affine.min affine_map<()[s0] -> (8, s0)>()[%x]
  scf.for %i = %c0 to %n step %c1 {
    memref.store %i, %m[%i] : memref<8xindex>
  }
  return
}
