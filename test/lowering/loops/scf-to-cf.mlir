// RUN: mlopt %s --convert-scf-to-cf --allow-unregistered-dialect | filecheck %s
// RUN: mlopt %s --convert-scf-to-cf --allow-unregistered-dialect --canonicalize | mlopt --allow-unregistered-dialect

// CHECK-LABEL: func.func @for
// CHECK:         cf.br ^[[HEAD:.*]](%{{.*}}, %{{.*}} : index, i32)
// CHECK:       ^[[HEAD]](%[[I:.*]]: index, %[[X:.*]]: i32):
// CHECK-NEXT:    %[[C:.*]] = arith.cmpi slt, %[[I]], %{{.*}} : index
// CHECK-NEXT:    cf.cond_br %[[C]], ^[[BODY:.*]], ^[[END:.*]]
// CHECK:       ^[[BODY]]:
// CHECK-NEXT:    %[[Y:.*]] = "test.f"(%[[I]], %[[X]])
// CHECK-NEXT:    %[[J:.*]] = arith.addi %[[I]], %{{.*}} : index
// CHECK-NEXT:    cf.br ^[[HEAD]](%[[J]], %[[Y]] : index, i32)
// CHECK:       ^[[END]]:
// CHECK-NEXT:    return %[[X]]
func.func @for(%n: index, %a: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a) -> (i32) {
    %y = "test.f"(%i, %x) : (index, i32) -> i32
    scf.yield %y : i32
  }
  return %r : i32
}

// CHECK-LABEL: func.func @if_in_while
// CHECK:         cf.br ^[[BEFORE:.*]](%{{.*}} : i32)
// CHECK:       ^[[BEFORE]](%[[X:.*]]: i32):
// CHECK:         cf.cond_br %{{.*}}, ^[[AFTER:.*]](%[[X]] : i32), ^[[END:.*]]
// CHECK:       ^[[AFTER]](%[[Y:.*]]: i32):
// CHECK:         cf.cond_br %{{.*}}, ^[[YES:.*]], ^[[NO:.*]]
// CHECK:       ^[[YES]]:
// CHECK:         cf.br ^[[JOIN:.*]](%{{.*}} : i32)
// CHECK:       ^[[NO]]:
// CHECK:         cf.br ^[[JOIN]](%[[Y]] : i32)
// CHECK:       ^[[JOIN]](%[[Z:.*]]: i32):
// CHECK-NEXT:    cf.br ^[[REST:.*]]
// CHECK:       ^[[REST]]:
// CHECK-NEXT:    cf.br ^[[BEFORE]](%[[Z]] : i32)
// CHECK:       ^[[END]]:
// CHECK-NEXT:    return %[[X]]
func.func @if_in_while(%a: i32) -> i32 {
  %r = scf.while (%x = %a) : (i32) -> i32 {
    %c = "test.c"(%x) : (i32) -> i1
    scf.condition(%c) %x : i32
  } do {
  ^bb0(%y: i32):
    %c = "test.c"(%y) : (i32) -> i1
    %z = scf.if %c -> (i32) {
      %0 = arith.addi %y, %y : i32
      scf.yield %0 : i32
    } else {
      scf.yield %y : i32
    }
    scf.yield %z : i32
  }
  return %r : i32
}

// A sum over a band of two loops.
// CHECK-LABEL: func.func @parallel
// CHECK-COUNT-2: arith.cmpi slt
// CHECK:         arith.addi %{{.*}}, %{{.*}} : i32
// CHECK-NOT:     scf
func.func @parallel(%n: index, %a: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.parallel (%i, %j) = (%c0, %c0) to (%n, %n) step (%c1, %c1) init (%a) -> i32 {
    %0 = "test.f"(%i, %j) : (index, index) -> i32
    scf.reduce(%0 : i32) {
    ^bb0(%x: i32, %y: i32):
      %1 = arith.addi %x, %y : i32
      scf.reduce.return %1 : i32
    }
  }
  return %r : i32
}

// CHECK-LABEL: func.func @switch
// CHECK:         %[[V:.*]] = arith.index_cast %{{.*}} : index to i64
// CHECK:         cf.switch %[[V]] : i64, [
// CHECK-NEXT:      default: ^[[D:.*]],
// CHECK-NEXT:      2: ^[[A:.*]],
// CHECK-NEXT:      5: ^[[B:.*]]
func.func @switch(%i: index, %a: i32, %b: i32) -> i32 {
  %r = scf.index_switch %i -> i32
  case 2 {
    scf.yield %a : i32
  }
  case 5 {
    scf.yield %b : i32
  }
  default {
    %0 = "test.f"() : () -> i32
    scf.yield %0 : i32
  }
  return %r : i32
}

// CHECK-LABEL: func.func @forall
// CHECK-NOT:     scf
// CHECK:         return
func.func @forall(%n: index) {
  scf.forall (%i) in (%n) {
    "test.g"(%i) : (index) -> ()
  }
  return
}
