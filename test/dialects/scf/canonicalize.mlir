// RUN: mlopt %s --canonicalize --allow-unregistered-dialect | filecheck %s

// CHECK-LABEL: func.func @runs_once
// CHECK-NOT:     scf.for
// CHECK:         %[[R:.*]] = arith.muli
// CHECK:         return %[[R]]
func.func @runs_once(%x: index) -> index {
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %c2 = arith.constant 2 : index
  %r = scf.for %i = %c3 to %c5 step %c2 iter_args(%a = %x) -> (index) {
    %0 = arith.muli %a, %i : index
    scf.yield %0 : index
  }
  return %r : index
}

// What is invariant is not carried; of two that are equal one is; what nobody uses goes.
// CHECK-LABEL: func.func @carried
// CHECK-SAME:    (%[[N:.*]]: index, %[[A:.*]]: i32, %[[B:.*]]: i32)
// CHECK:         %[[R:.*]] = scf.for {{.*}} iter_args(%[[X:.*]] = %[[A]]) -> (i32) {
// CHECK-NEXT:      %[[S:.*]] = arith.addi %[[X]], %[[B]] : i32
// CHECK-NEXT:      scf.yield %[[S]] : i32
// CHECK:         return %[[R]], %[[R]], %[[B]]
func.func @carried(%n: index, %a: i32, %b: i32) -> (i32, i32, i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:4 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a, %y = %a, %z = %b, %dead = %a) -> (i32, i32, i32, i32) {
    %0 = arith.addi %x, %z : i32
    scf.yield %0, %0, %z, %0 : i32, i32, i32, i32
  }
  return %r#0, %r#1, %r#2 : i32, i32, i32
}

// CHECK-LABEL: func.func @ifs
// CHECK-SAME:    (%[[C:.*]]: i1, %[[A:.*]]: i32, %[[B:.*]]: i32)
// CHECK:         %[[S:.*]] = arith.select %[[C]], %[[A]], %[[B]] : i32
// CHECK-NEXT:    scf.if %[[C]] {
// CHECK-NEXT:      "test.f"(%{{.*}}) : (i1) -> ()
// CHECK-NEXT:      "test.g"() : () -> ()
// CHECK-NEXT:    } else {
// CHECK-NEXT:      "test.h"() : () -> ()
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[S]]
func.func @ifs(%c: i1, %a: i32, %b: i32) -> i32 {
  %r = scf.if %c -> (i32) {
    scf.yield %a : i32
  } else {
    scf.yield %b : i32
  }
  scf.if %c {
    "test.f"(%c) : (i1) -> ()
  } else {
  }
  scf.if %c {
    "test.g"() : () -> ()
  } else {
    "test.h"() : () -> ()
  }
  return %r : i32
}

// CHECK-LABEL: func.func @neighbours_with_results
// CHECK:         %[[R:.*]]:2 = scf.if %{{.*}} -> (i32, i32) {
// CHECK-NEXT:      %[[X:.*]] = "test.a"() : () -> i32
// CHECK-NEXT:      %[[Y:.*]] = "test.use"(%[[X]]) : (i32) -> i32
// CHECK-NEXT:      scf.yield %[[X]], %[[Y]] : i32, i32
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[Z:.*]] = "test.b"() : () -> i32
// CHECK-NEXT:      scf.yield %[[Z]], %[[Z]] : i32, i32
func.func @neighbours_with_results(%c: i1) -> (i32, i32) {
  %r = scf.if %c -> (i32) {
    %0 = "test.a"() : () -> i32
    scf.yield %0 : i32
  } else {
    %0 = "test.b"() : () -> i32
    scf.yield %0 : i32
  }
  %s = scf.if %c -> (i32) {
    %0 = "test.use"(%r) : (i32) -> i32
    scf.yield %0 : i32
  } else {
    scf.yield %r : i32
  }
  return %r, %s : i32, i32
}

// CHECK-LABEL: func.func @bands
// CHECK:         scf.parallel (%[[I:.*]], %[[J:.*]]) = (%[[Z:.*]], %[[Z]]) to (%[[N:.*]], %[[N]]) step
// CHECK-NEXT:      "test.f"(%[[I]], %[[Z]], %[[J]])
func.func @bands(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i, %one) = (%c0, %c0) to (%n, %c1) step (%c1, %c1) {
    scf.parallel (%j) = (%c0) to (%n) step (%c1) {
      "test.f"(%i, %one, %j) : (index, index, index) -> ()
    }
  }
  return
}

// CHECK-LABEL: func.func @forall
// CHECK-SAME:    (%[[T:.*]]: tensor<8xf32>, %[[P:.*]]: tensor<4xf32>, %[[U:.*]]: tensor<8xf32>)
// CHECK-NEXT:    %[[R:.*]] = tensor.insert_slice %[[P]] into %[[T]][0] [4] [1]
// CHECK-NEXT:    return %[[R]], %[[U]]
func.func @forall(%t: tensor<8xf32>, %p: tensor<4xf32>, %u: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %c4 = arith.constant 4 : index
  %r:2 = scf.forall (%i) = (0) to (%c4) step (4) shared_outs(%o = %t, %same = %u) -> (tensor<8xf32>, tensor<8xf32>) {
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %p into %o[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
    }
  }
  return %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @while
// CHECK:         %[[R:.*]] = scf.while (%[[X:.*]] = %{{.*}}) : (i32) -> i32 {
// CHECK:           scf.condition(%{{.*}}) %[[X]] : i32
func.func @while(%a: i32, %b: i32) -> (i32, i32) {
  %r:2 = scf.while (%x = %a, %y = %b) : (i32, i32) -> (i32, i32) {
    %c = "test.c"(%x, %y) : (i32, i32) -> i1
    scf.condition(%c) %x, %y : i32, i32
  } do {
  ^bb0(%x: i32, %y: i32):
    %0 = arith.muli %x, %y : i32
    scf.yield %0, %y : i32, i32
  }
  return %r#0, %r#1 : i32, i32
}
