// RUN: mlopt %s --cse | filecheck %s
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(cse))' | filecheck %s

// CHECK-LABEL: func.func @in_a_block
// CHECK-NEXT:    %0 = arith.addi %x, %y : i32
// CHECK-NEXT:    %1 = arith.muli %0, %0 : i32
// CHECK-NEXT:    return %1 : i32
func.func @in_a_block(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %y : i32
  %1 = arith.addi %x, %y : i32
  %2 = arith.muli %0, %1 : i32
  return %2 : i32
}

// Different types and different attributes make different operations; so do effects.
// CHECK-LABEL: func.func @not_equal
// CHECK-COUNT-2: arith.constant
// CHECK-COUNT-2: arith.cmpi
// CHECK-COUNT-2: memref.alloc
func.func @not_equal(%x: i32, %y: i32) -> (i1, i1, i32, i64, memref<4xi32>, memref<4xi32>) {
  %0 = arith.constant 0 : i32
  %1 = arith.constant 0 : i64
  %2 = arith.cmpi slt, %x, %y : i32
  %3 = arith.cmpi sgt, %x, %y : i32
  %4 = memref.alloc() : memref<4xi32>
  %5 = memref.alloc() : memref<4xi32>
  return %2, %3, %0, %1, %4, %5 : i1, i1, i32, i64, memref<4xi32>, memref<4xi32>
}

// What is unused goes.
// CHECK-LABEL: func.func @unused
// CHECK-NEXT:    return
func.func @unused(%x: i32) {
  %0 = arith.addi %x, %x : i32
  return
}

// Reads are equal as long as nothing between them may write.
// CHECK-LABEL: func.func @reads
// CHECK-NEXT:    %0 = memref.load %m[%i]
// CHECK-NEXT:    memref.store %0, %m[%i]
// CHECK-NEXT:    %1 = memref.load %m[%i]
// CHECK-NEXT:    return %0, %0, %1
func.func @reads(%m: memref<4xi32>, %i: index) -> (i32, i32, i32) {
  %0 = memref.load %m[%i] : memref<4xi32>
  %1 = memref.load %m[%i] : memref<4xi32>
  memref.store %1, %m[%i] : memref<4xi32>
  %2 = memref.load %m[%i] : memref<4xi32>
  return %0, %1, %2 : i32, i32, i32
}

// Operations with regions are compared operation by operation; the order of operands that commute makes no difference.
// CHECK-LABEL: func.func @with_regions
// CHECK:         %0 = scf.if
// CHECK:         %1 = scf.if
// CHECK-NOT:     scf.if
// CHECK:         return %0, %0, %1
func.func @with_regions(%c: i1, %x: i32, %y: i32) -> (i32, i32, i32) {
  %0 = scf.if %c -> (i32) {
    %3 = arith.addi %x, %y : i32
    scf.yield %3 : i32
  } else {
    scf.yield %x : i32
  }
  %1 = scf.if %c -> (i32) {
    %3 = arith.addi %y, %x : i32
    scf.yield %3 : i32
  } else {
    scf.yield %x : i32
  }
  %2 = scf.if %c -> (i32) {
    %3 = arith.subi %y, %x : i32
    scf.yield %3 : i32
  } else {
    scf.yield %x : i32
  }
  return %0, %1, %2 : i32, i32, i32
}

// What the entry computes, the branches need not compute again; one branch does not dominate the other.
// CHECK-LABEL: func.func @blocks
// CHECK:       ^left:
// CHECK-NEXT:    %1 = arith.muli %x, %x : i32
// CHECK-NEXT:    cf.br ^join(%0, %1 : i32, i32)
// CHECK:       ^right:
// CHECK-NEXT:    %2 = arith.muli %x, %x : i32
// CHECK-NEXT:    cf.br ^join(%0, %2 : i32, i32)
func.func @blocks(%c: i1, %x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  cf.cond_br %c, ^left, ^right
^left:
  %1 = arith.addi %x, %x : i32
  %2 = arith.muli %x, %x : i32
  cf.br ^join(%1, %2 : i32, i32)
^right:
  %3 = arith.addi %x, %x : i32
  %4 = arith.muli %x, %x : i32
  cf.br ^join(%3, %4 : i32, i32)
^join(%5: i32, %6: i32):
  %7 = arith.addi %5, %6 : i32
  %8 = arith.addi %7, %0 : i32
  return %8 : i32
}

// A region sees what stands around it, and what it computes is forgotten behind it.
// CHECK-LABEL: func.func @regions
// CHECK:         %0 = arith.addi %x, %x : i32
// CHECK-NEXT:    %1 = scf.if
// CHECK-NEXT:      %3 = arith.muli %0, %x : i32
// CHECK:         %2 = arith.muli %0, %x : i32
func.func @regions(%c: i1, %x: i32) -> (i32, i32) {
  %0 = arith.addi %x, %x : i32
  %1 = scf.if %c -> (i32) {
    %2 = arith.addi %x, %x : i32
    %3 = arith.muli %2, %x : i32
    scf.yield %3 : i32
  } else {
    scf.yield %x : i32
  }
  %4 = arith.muli %0, %x : i32
  return %1, %4 : i32, i32
}
