// RUN: mlopt %s --scf-for-loop-peeling | filecheck %s
// RUN: mlopt %s --validate-each --scf-for-loop-peeling -o /dev/null

// CHECK: #map = affine_map<(d0)[s0] -> (-d0 + s0)>

#rest = affine_map<(d0)[s0] -> (4, s0 - d0)>

// CHECK-LABEL: func.func @sizes(%m: memref<10xindex>, %n: index) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %s = arith.constant 4 : index
// CHECK-NEXT:    %c10 = arith.constant 10 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    scf.for %i = %c0 to %c8 step %s {
// CHECK-NEXT:      memref.store %s, %m[%i] : memref<10xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %i = %c8 to %c10 step %s {
// CHECK-NEXT:      %s_0 = affine.apply #map(%i)[%c10]
// CHECK-NEXT:      memref.store %s_0, %m[%i] : memref<10xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @sizes(%m: memref<10xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c10 = arith.constant 10 : index
  scf.for %i = %c0 to %c10 step %c4 {
    %s = affine.min #rest(%i)[%c10]
    memref.store %s, %m[%i] : memref<10xindex>
  }
  return
}

// CHECK-LABEL: func.func @whole(%m: memref<8xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    scf.for %i = %c0 to %c8 step %c4 {
// CHECK-NEXT:      memref.store %i, %m[%i] : memref<8xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @whole(%m: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c4 {
    memref.store %i, %m[%i] : memref<8xindex>
  }
  return
}
