// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @announced() {
  cf.br ^bb1
^bb1:
  cf.br ^bb1
// expected-error @+1 {{redefinition of block '^bb1'}}
^bb1:
  return
}

// -----

func.func @not_announced() {
  return
^a:
  return
// expected-error @+1 {{redefinition of block '^a'}}
^a:
  return
}

// -----

func.func @bit_pattern() -> f16 {
  // expected-error @+1 {{hexadecimal float constant out of range for type}}
  %0 = arith.constant 0x12345 : f16
  return %0 : f16
}
