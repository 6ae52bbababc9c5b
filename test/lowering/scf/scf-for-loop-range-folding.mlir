// RUN: mlopt %s --scf-for-loop-range-folding | filecheck %s
// RUN: mlopt %s --validate-each --scf-for-loop-range-folding -o /dev/null

// CHECK-LABEL: func.func @sum_and_product(%m: memref<64xindex>, %a: index) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    %j = arith.addi %c0, %c1 : index
// CHECK-NEXT:    %j_0 = arith.addi %c4, %c1 : index
// CHECK-NEXT:    %k = arith.muli %j, %c3 : index
// CHECK-NEXT:    %k_1 = arith.muli %j_0, %c3 : index
// CHECK-NEXT:    %k_2 = arith.muli %c1, %c3 : index
// CHECK-NEXT:    scf.for %i = %k to %k_1 step %k_2 {
// CHECK-NEXT:      memref.store %i, %m[%i] : memref<64xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @sum_and_product(%m: memref<64xindex>, %a: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %j = arith.addi %i, %c1 : index
    %k = arith.muli %j, %c3 : index
    memref.store %k, %m[%k] : memref<64xindex>
  }
  return
}

// CHECK-LABEL: func.func @negative_factor(%m: memref<64xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c-1 = arith.constant -1 : index
// CHECK-NEXT:    scf.for %i = %c0 to %c4 step %c1 {
// CHECK-NEXT:      %j = arith.muli %i, %c-1 : index
// CHECK-NEXT:      memref.store %j, %m[%c0] : memref<64xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @negative_factor(%m: memref<64xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c-1 = arith.constant -1 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %j = arith.muli %i, %c-1 : index
    memref.store %j, %m[%c0] : memref<64xindex>
  }
  return
}
