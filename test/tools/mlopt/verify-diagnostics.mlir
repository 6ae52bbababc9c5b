// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @on_the_next_line(%x: i32) {
  // expected-error@+1 {{custom op 'arith.addii' is unknown}}
  %0 = arith.addii %x, %x : i32
  return
}

// -----

func.func @on_this_line(%x: i32) {
  %0 = arith.addii %x, %x : i32 // expected-error {{is unknown}}
  return
}

// -----

func.func @above_with_a_pattern(%x: i32) {
  %0 = arith.addii %x, %x : i32
  // expected-error-re@above {{custom op 'arith.{{[a-z]+}}' is {{un?known}}}}
  return
}

// -----

func.func @notes(%x: i32) -> i32 {
  // expected-error@below {{'arith.addi' op operand #0 does not dominate this use}}
  %0 = arith.addi %1, %x : i32
  // expected-note@+1 {{operand defined here}}
  %1 = arith.addi %x, %x : i32
  return %0 : i32
}

// -----

// A piece without errors needs no comment.
func.func private @fine()
