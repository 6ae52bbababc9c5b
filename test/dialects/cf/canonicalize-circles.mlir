// RUN: mlopt %s --canonicalize | filecheck %s

// Blocks that do nothing but jump to each other: a branch into the circle stays as it is.

// CHECK-LABEL: func.func @enters
// CHECK:         cf.br ^[[PING:.*]]
// CHECK:         cf.br
// CHECK:       }
func.func @enters() {
  cf.br ^ping
^ping:
  cf.br ^pong
^pong:
  cf.br ^ping
}

// CHECK-LABEL: func.func @may_enter
// CHECK:         cf.cond_br %c
// CHECK:         return
// CHECK:       }
func.func @may_enter(%c: i1) {
  cf.cond_br %c, ^a, ^out
^a:
  cf.br ^b
^b:
  cf.br ^a
^out:
  return
}

// CHECK-LABEL: func.func @may_switch
// CHECK:         cf.switch %flag : i32, [
// CHECK:       }
func.func @may_switch(%flag: i32) {
  cf.switch %flag : i32, [
    default: ^out,
    3: ^a,
    5: ^out
  ]
^a:
  cf.br ^b
^b:
  cf.br ^c
^c:
  cf.br ^a
^out:
  return
}

// What only passes through is still led on.

// CHECK-LABEL: func.func @passes
// CHECK-NEXT:    %[[R:.*]] = arith.select %c, %x, %y : i32
// CHECK-NEXT:    call @effect(%[[R]])
// CHECK-NEXT:    return %[[R]] : i32
func.func private @effect(i32)
func.func @passes(%c: i1, %x: i32, %y: i32) -> i32 {
  cf.cond_br %c, ^a(%x : i32), ^last(%y : i32)
^a(%z: i32):
  cf.br ^last(%z : i32)
^last(%r: i32):
  func.call @effect(%r) : (i32) -> ()
  return %r : i32
}
