// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @no_else(%c: i1, %v: f32) {
  // expected-error @below {{needs an else region}}
  %r = scf.if %c -> (f32) {
    scf.yield %v : f32
  }
  func.return
}

// -----

func.func @yields(%c: i1, %v: f32, %i: i32) {
  // expected-error @below {{must yield values of the types of its results}}
  %r = scf.if %c -> (f32) {
    scf.yield %v : f32
  } else {
    scf.yield %i : i32
  }
  func.return
}

// -----

func.func @reduce(%n: index, %v: f32) {
  // expected-error @below {{must end in an 'scf.reduce' of values of the types of its results}}
  scf.parallel (%i) = (%n) to (%n) step (%n) {
    scf.reduce(%v : f32) {
    ^bb0(%a: f32, %b: f32):
      scf.reduce.return %a : f32
    }
  }
  func.return
}

// -----

func.func @bounds(%n: index) {
  // expected-error @below {{1 lower bounds, 2 upper bounds and 1 steps}}
  scf.parallel (%i) = (%n) to (%n, %n) step (%n) {
  }
  func.return
}
