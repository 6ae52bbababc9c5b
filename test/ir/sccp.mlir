// RUN: mlopt %s --sccp --validate-each | filecheck %s

// Only one edge of the branch is taken: the argument is what it passes. The branch itself stays.
// CHECK-LABEL: func.func @branch
// CHECK:         %[[ONE:.*]] = arith.constant 1 : i32
// CHECK:       ^{{.*}}(%{{.*}}: i32):
// CHECK-NEXT:    return %[[ONE]] : i32
func.func @branch(%x: i32) -> i32 {
  %true = arith.constant true
  %one = arith.constant 1 : i32
  cf.cond_br %true, ^a, ^b(%x : i32)
^a:
  cf.br ^b(%one : i32)
^b(%y: i32):
  return %y : i32
}

// What a loop carries stays what it is, although the body computes it anew.
// CHECK-LABEL: func.func @loop
// CHECK:         %[[SEVEN:.*]] = arith.constant 7 : i32
// CHECK:         return %[[SEVEN]] : i32
func.func @loop(%n: index) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %seven = arith.constant 7 : i32
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %seven) -> (i32) {
    %b = arith.addi %a, %zero : i32
    scf.yield %b : i32
  }
  return %r : i32
}

// Two different constants are none.
// CHECK-LABEL: func.func @either
// CHECK:         %[[R:.*]] = scf.if
// CHECK:         return %[[R]] : i32
func.func @either(%c: i1) -> i32 {
  %r = scf.if %c -> (i32) {
    %a = arith.constant 1 : i32
    scf.yield %a : i32
  } else {
    %a = arith.constant 2 : i32
    scf.yield %a : i32
  }
  return %r : i32
}

// Into a private function and out of it; a public one may be called with anything, but returns what it returns.
// CHECK-LABEL: func.func private @twice
// CHECK:         %[[TEN:.*]] = arith.constant 10 : i32
// CHECK:         return %[[TEN]]
func.func private @twice(%x: i32) -> i32 {
  %y = arith.addi %x, %x : i32
  return %y : i32
}

// CHECK-LABEL: func.func @public
// CHECK-SAME:    (%[[X:.*]]: i32)
// CHECK:         %[[Y:.*]] = arith.addi %[[X]], %[[X]]
// CHECK:         return %{{.*}}, %[[Y]]
func.func @public(%x: i32) -> (i32, i32) {
  %three = arith.constant 3 : i32
  %y = arith.addi %x, %x : i32
  return %three, %y : i32, i32
}

// CHECK-LABEL: func.func @calls
// CHECK-DAG:     %[[TEN:.*]] = arith.constant 10 : i32
// CHECK-DAG:     %[[THREE:.*]] = arith.constant 3 : i32
// CHECK:         %[[P:.*]]:2 = call @public
// CHECK:         return %[[TEN]], %[[THREE]], %[[P]]#1
func.func @calls() -> (i32, i32, i32) {
  %five = arith.constant 5 : i32
  %a = call @twice(%five) : (i32) -> i32
  %b:2 = call @public(%five) : (i32) -> (i32, i32)
  return %a, %b#0, %b#1 : i32, i32, i32
}

// CHECK-LABEL: func.func @switch
// CHECK:         %[[TWO:.*]] = arith.constant 2 : i32
// CHECK:       ^{{.*}}(%{{.*}}: i32):
// CHECK-NEXT:    return %[[TWO]] : i32
func.func @switch(%x: i32) -> i32 {
  %one = arith.constant 1 : i32
  %two = arith.constant 2 : i32
  %flag = arith.addi %one, %one : i32
  cf.switch %flag : i32, [
    default: ^end(%x : i32),
    1: ^end(%one : i32),
    2: ^end(%two : i32)
  ]
^end(%y: i32):
  return %y : i32
}

// The condition is false at the first time: the loop gives what it got.
// CHECK-LABEL: func.func @first
// CHECK:         %[[SIX:.*]] = arith.constant 6 : i32
// CHECK:         return %[[SIX]] : i32
func.func @first() -> i32 {
  %six = arith.constant 6 : i32
  %r = scf.while (%a = %six) : (i32) -> i32 {
    %c = arith.cmpi slt, %a, %six : i32
    scf.condition(%c) %a : i32
  } do {
  ^bb0(%b: i32):
    %d = arith.addi %b, %b : i32
    scf.yield %d : i32
  }
  return %r : i32
}
