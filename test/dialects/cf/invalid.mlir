// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @count(%c: i1) {
  // expected-error @below {{expects number of branch weights to match number of successors: 1 vs 2}}
  cf.cond_br %c weights([100]), ^a, ^a
^a:
  return
}

// -----

func.func @zero(%c: i1) {
  // expected-error @below {{branch weights cannot all be zero}}
  cf.cond_br %c weights([0, 0]), ^a, ^a
^a:
  return
}

// -----

func.func @switch(%f: i32) {
  cf.switch %f : i32, [
    // expected-error @below {{expected 'default'}}
    1: ^a
  ]
^a:
  return
}
