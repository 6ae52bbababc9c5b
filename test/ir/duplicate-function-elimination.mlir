// RUN: mlopt %s --duplicate-function-elimination --validate-each | filecheck %s

// CHECK-LABEL: func.func private @add(
// CHECK-NOT:   func.func private @also_add
// CHECK-LABEL: func.func @subtract
// CHECK-LABEL: func.func private @choose(
// CHECK-NOT:   func.func private @also_choose
// CHECK-LABEL: func.func @choose_otherwise
// CHECK-LABEL: func.func private @far
// CHECK-NEXT:  func.func private @away
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %0 = call @add(%x) : (i32) -> i32
// CHECK-NEXT:    %1 = call @choose(%c, %0) : (i1, i32) -> i32
func.func private @add(%x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}
func.func private @also_add(%y: i32) -> i32 {
  %0 = arith.addi %y, %y : i32
  return %0 : i32
}
func.func @subtract(%y: i32) -> i32 {
  %0 = arith.subi %y, %y : i32
  return %0 : i32
}
func.func private @choose(%c: i1, %x: i32) -> i32 {
  cf.cond_br %c, ^a, ^b(%x : i32)
^a:
  %0 = arith.addi %x, %x : i32
  cf.br ^b(%0 : i32)
^b(%r: i32):
  return %r : i32
}
func.func private @also_choose(%c: i1, %x: i32) -> i32 {
  cf.cond_br %c, ^a, ^b(%x : i32)
^a:
  %0 = arith.addi %x, %x : i32
  cf.br ^b(%0 : i32)
^b(%r: i32):
  return %r : i32
}
func.func @choose_otherwise(%c: i1, %x: i32) -> i32 {
  cf.cond_br %c, ^b(%x : i32), ^a
^a:
  %0 = arith.addi %x, %x : i32
  cf.br ^b(%0 : i32)
^b(%r: i32):
  return %r : i32
}
func.func private @far(i32)
func.func private @away(i32)
func.func @main(%c: i1, %x: i32) -> i32 {
  %0 = call @also_add(%x) : (i32) -> i32
  %1 = call @also_choose(%c, %0) : (i1, i32) -> i32
  return %1 : i32
}
