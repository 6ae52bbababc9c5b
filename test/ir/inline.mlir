// RUN: mlopt %s --inline --validate-each | filecheck %s
// RUN: mlopt %s --inline='default-pipeline=' --mlir-print-debuginfo --mlir-print-local-scope | filecheck %s --check-prefix LOC
// RUN: mlopt %s --inline='inlining-threshold=0' | filecheck %s --check-prefix NONE
// RUN: mlopt %s --inline='op-pipelines=func.func(canonicalize,cse) max-iterations=2' | filecheck %s

// Private functions that are called no more are gone.
// CHECK-NOT:   @add_one
// NONE:        func.func private @add_one
func.func private @add_one(%x: i32) -> i32 {
  %one = arith.constant 1 : i32
  %y = arith.addi %x, %one : i32 loc("callee.py":2:5)
  return %y : i32
}

// CHECK-LABEL: func.func @once
// CHECK-SAME:    (%[[X:.*]]: i32)
// CHECK:         %[[Y:.*]] = arith.addi %[[X]], %{{.*}} : i32
// CHECK-NEXT:    return %[[Y]] : i32
// LOC-LABEL:   func.func @once
// LOC:           arith.addi {{.*}} loc(callsite("callee.py":2:5 at "caller.py":7:1))
// NONE-LABEL:  func.func @once
// NONE:          call @add_one
func.func @once(%x: i32) -> i32 {
  %y = call @add_one(%x) : (i32) -> i32 loc("caller.py":7:1)
  return %y : i32
}

// Several blocks: what stands behind the call becomes a block whose arguments are the results.
// CHECK-LABEL: func.func @blocks
// CHECK:         cf.cond_br
// CHECK-NOT:     call
// CHECK:         return
func.func private @choose(%c: i1, %a: i32, %b: i32) -> i32 {
  cf.cond_br %c, ^a, ^b
^a:
  return %a : i32
^b:
  %s = arith.muli %b, %b : i32
  return %s : i32
}
func.func @blocks(%c: i1, %a: i32, %b: i32) -> i32 {
  %r = call @choose(%c, %a, %b) : (i1, i32, i32) -> i32
  %s = arith.addi %r, %a : i32
  return %s : i32
}

// The region of a loop has one block: nothing with several goes there.
// CHECK-LABEL: func.func @in_a_loop
// CHECK:         scf.for
// CHECK:           call @choose
func.func @in_a_loop(%c: i1, %a: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%s = %a) -> (i32) {
    %t = func.call @choose(%c, %s, %a) : (i1, i32, i32) -> i32
    scf.yield %t : i32
  }
  return %r : i32
}

// Neither a function into itself nor one that says no.
// CHECK-LABEL: func.func @itself
// CHECK:         call @itself
func.func @itself(%c: i1, %x: i32) -> i32 {
  %r = scf.if %c -> (i32) {
    %f = arith.constant false
    %y = func.call @itself(%f, %x) : (i1, i32) -> i32
    scf.yield %y : i32
  } else {
    scf.yield %x : i32
  }
  return %r : i32
}

// CHECK-LABEL: func.func @refused
// CHECK:         call @never
func.func private @never(%x: i32) -> i32 attributes {no_inline} {
  return %x : i32
}
func.func @refused(%x: i32) -> i32 {
  %y = call @never(%x) : (i32) -> i32
  return %y : i32
}
