// RUN: mlopt %s --scf-parallel-loop-fusion | filecheck %s
// RUN: mlopt %s --validate-each --scf-parallel-loop-fusion -o /dev/null

// CHECK-LABEL: func.func @through_a_buffer(%a: memref<8xi32>, %b: memref<8xi32>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %t = memref.alloc() : memref<8xi32>
// CHECK-NEXT:    scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
// CHECK-NEXT:      %x = memref.load %a[%i] : memref<8xi32>
// CHECK-NEXT:      memref.store %x, %t[%i] : memref<8xi32>
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
// CHECK-NEXT:      %x = memref.load %t[%i] : memref<8xi32>
// CHECK-NEXT:      memref.store %x, %b[%i] : memref<8xi32>
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.dealloc %t : memref<8xi32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @through_a_buffer(%a: memref<8xi32>, %b: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %t = memref.alloc() : memref<8xi32>
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %x = memref.load %a[%i] : memref<8xi32>
    memref.store %x, %t[%i] : memref<8xi32>
  }
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %x = memref.load %t[%i] : memref<8xi32>
    memref.store %x, %b[%i] : memref<8xi32>
  }
  memref.dealloc %t : memref<8xi32>
  return
}

// The second band reads what another point has written.
// CHECK-LABEL: func.func @neighbours(%b: memref<8xi32>, %f: i32) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c7 = arith.constant 7 : index
// CHECK-NEXT:    %t = memref.alloc() : memref<8xi32>
// CHECK-NEXT:    scf.parallel (%i) = (%c0) to (%c7) step (%c1) {
// CHECK-NEXT:      memref.store %f, %t[%i] : memref<8xi32>
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.store %f, %t[%c7] : memref<8xi32>
// CHECK-NEXT:    scf.parallel (%i) = (%c0) to (%c7) step (%c1) {
// CHECK-NEXT:      memref.store %f, %t[%i] : memref<8xi32>
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.parallel (%i) = (%c0) to (%c7) step (%c1) {
// CHECK-NEXT:      %j = arith.addi %i, %c1 : index
// CHECK-NEXT:      %x = memref.load %t[%j] : memref<8xi32>
// CHECK-NEXT:      memref.store %x, %b[%i] : memref<8xi32>
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.dealloc %t : memref<8xi32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @neighbours(%b: memref<8xi32>, %f: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %t = memref.alloc() : memref<8xi32>
  scf.parallel (%i) = (%c0) to (%c7) step (%c1) {
    memref.store %f, %t[%i] : memref<8xi32>
  }
  memref.store %f, %t[%c7] : memref<8xi32>
  scf.parallel (%i) = (%c0) to (%c7) step (%c1) {
    memref.store %f, %t[%i] : memref<8xi32>
  }
  scf.parallel (%i) = (%c0) to (%c7) step (%c1) {
    %j = arith.addi %i, %c1 : index
    %x = memref.load %t[%j] : memref<8xi32>
    memref.store %x, %b[%i] : memref<8xi32>
  }
  memref.dealloc %t : memref<8xi32>
  return
}
