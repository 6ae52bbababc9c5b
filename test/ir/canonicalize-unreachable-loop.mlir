// RUN: mlopt %s --canonicalize --split-input-file | filecheck %s

// The branch around the loop folds while the worklist is at work: the loop is cut off, and its block argument becomes a value that is
// computed from itself. Folding must not chase it for ever.

func.func @cut_off_while_rewriting(%more: i1, %start: i32) -> i32 {
  %always = arith.constant true
  %step = arith.constant 4 : i32
  cf.cond_br %always, ^done, ^head(%start : i32)
^head(%i: i32):
  cf.cond_br %more, ^done, ^next
^next:
  %j = arith.addi %i, %step : i32
  cf.br ^head(%j : i32)
^done:
  return %start : i32
}

// CHECK-LABEL: func.func @cut_off_while_rewriting
// CHECK-NEXT:    {{(func\.)?}}return %start : i32
// CHECK-NEXT:  }

// -----

// Two blocks that are computed from each other, turn about.

func.func @turn_about(%more: i1, %x: i32) -> i32 {
  %always = arith.constant true
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2 : i32
  cf.cond_br %always, ^done, ^head(%x, %x : i32, i32)
^head(%i: i32, %k: i32):
  cf.cond_br %more, ^done, ^next
^next:
  %a = arith.addi %k, %c1 : i32
  %b = arith.addi %i, %c2 : i32
  cf.br ^head(%a, %b : i32, i32)
^done:
  return %x : i32
}

// CHECK-LABEL: func.func @turn_about
// CHECK-NEXT:    {{(func\.)?}}return %x : i32
// CHECK-NEXT:  }

// -----

// A value of dead code that is its own operand.

func.func @own_operand() -> i32 {
  %c7 = arith.constant 7 : i32
  return %c7 : i32
^dead:
  %zero = arith.constant 0 : i32
  %own = arith.addi %own, %zero : i32
  return %own : i32
}

// CHECK-LABEL: func.func @own_operand
// CHECK-NEXT:    %c7
// CHECK-NEXT:    {{(func\.)?}}return %c7 : i32
// CHECK-NEXT:  }
