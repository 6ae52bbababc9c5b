// RUN: mlopt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect

func.func @no_else(%c: i1, %v: f32) {
  // expected-error @below {{'scf.if' op must have an else block if defining values}}
  %r = scf.if %c -> (f32) {
    scf.yield %v : f32
  }
  return
}

// -----

func.func @yields(%c: i1, %v: f32, %i: i32) {
  // expected-error @below {{along control flow edge from Operation scf.yield to Operation scf.if: successor operand type #0 'i32' should match successor input type #0 'f32'}}
  %r = scf.if %c -> (f32) {
    scf.yield %v : f32
  } else {
    scf.yield %i : i32
  }
  return
}

// -----

func.func @reduce(%n: index, %v: f32) {
  // expected-error @below {{'scf.parallel' op expects number of results: 0 to be the same as number of reductions: 1}}
  scf.parallel (%i) = (%n) to (%n) step (%n) {
    scf.reduce(%v : f32) {
    ^bb0(%a: f32, %b: f32):
      scf.reduce.return %a : f32
    }
  }
  return
}

// -----

func.func @bounds(%n: index) {
  // expected-error @below {{custom op 'scf.parallel' expected 1 operands}}
  scf.parallel (%i) = (%n) to (%n, %n) step (%n) {
  }
  return
}

// -----

func.func @step(%n: index) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'scf.parallel' op constant step operand must be positive}}
  scf.parallel (%i) = (%n) to (%n) step (%c0) {
  }
  return
}

// -----

func.func @bound_types(%n: index, %k: i64) {
  // expected-error @below {{'scf.for' op failed to verify that all of {lowerBound, upperBound, step} have same type}}
  "scf.for"(%n, %k, %n) ({
  ^bb0(%i: index):
    scf.yield
  }) : (index, i64, index) -> ()
  return
}

// -----

func.func @carried(%n: index, %v: f32) {
  // expected-error @below {{'scf.for' op different number of region iter_args and yielded values: 1 != 0}}
  %r = scf.for %i = %n to %n step %n iter_args(%a = %v) -> (f32) {
    scf.yield
  }
  return
}

// -----

func.func @condition(%c: i1, %v: f32) {
  // expected-error @below {{along control flow edge from Operation scf.condition to Region #1: region branch point has 1 operands, but region successor needs 0 inputs}}
  scf.while : () -> () {
    scf.condition(%c) %v : f32
  } do {
    scf.yield
  }
  return
}

// -----

func.func @before(%c: i1) {
  // expected-error @below {{expects the 'before' region to terminate with 'scf.condition'}}
  scf.while : () -> () {
    "foreign.op"() : () -> ()
  } do {
    scf.yield
  }
  return
}

// -----

func.func @twice(%n: index) {
  // expected-error @below {{'scf.index_switch' op has duplicate case value: 3}}
  scf.index_switch %n
  case 3 {
    scf.yield
  }
  case 3 {
    scf.yield
  }
  default {
    scf.yield
  }
  return
}

// -----

func.func @insert(%t: tensor<4xf32>, %o: tensor<9xf32>) {
  %r = scf.forall (%i) in (2) shared_outs(%s = %o) -> (tensor<9xf32>) {
    scf.forall.in_parallel {
      // expected-error @below {{may only insert into an output block argument}}
      tensor.parallel_insert_slice %t into %o[%i] [4] [1] : tensor<4xf32> into tensor<9xf32>
    }
  }
  return
}

// -----

func.func @inner(%n: index) {
  // expected-error @below {{use of undeclared SSA value name}}
  scf.for %i = %n to %n step %n iter_args(%a = %late) -> (f32) {
    %late = "foreign.op"() : () -> f32
    scf.yield %late : f32
  }
  return
}

// -----

"foreign.op"() ({
  // expected-error @below {{'scf.yield' op expects parent op to be one of 'scf.execute_region, scf.for, scf.if, scf.index_switch, scf.while'}}
  scf.yield
}) : () -> ()
