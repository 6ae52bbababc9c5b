// RUN: mlopt %s --canonicalize | filecheck %s

// CHECK-LABEL: func.func @folds
// CHECK-NEXT:    return %x : i32
func.func @folds(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %0 = arith.addi %x, %zero : i32
  return %0 : i32
}

// CHECK-LABEL: func.func @dead_code_and_dead_blocks
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @dead_code_and_dead_blocks(%x: i32) {
  %0 = arith.muli %x, %x : i32
  %1 = arith.muli %0, %0 : i32
  return
^never:
  cf.br ^never
}

// The 11 lines on which a canonicalizer without a cycle guard may run for ever: a loop of blocks that pass each other's arguments.
// CHECK-LABEL: func.func @loop_of_blocks
// CHECK:         cf.br
func.func @loop_of_blocks(%c: i1) {
  cf.br ^a(%c : i1)
^a(%0: i1):
  cf.cond_br %0, ^b(%0 : i1), ^c
^b(%1: i1):
  cf.br ^a(%1 : i1)
^c:
  cf.br ^a(%c : i1)
}
