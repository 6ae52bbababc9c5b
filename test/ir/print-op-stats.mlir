// RUN: mlopt %s --print-op-stats --allow-unregistered-dialect 2>&1 >/dev/null | filecheck %s --strict-whitespace --match-full-lines
// RUN: mlopt %s --print-op-stats=json --allow-unregistered-dialect 2>&1 >/dev/null | filecheck %s --check-prefix=JSON

//      CHECK:Operations encountered:
// CHECK-NEXT:-----------------------
// CHECK-NEXT:    arith.addi   , 2
// CHECK-NEXT:  builtin.module , 1
// CHECK-NEXT:     func.func   , 1
// CHECK-NEXT:     func.return , 1
// CHECK-NEXT:          plain  , 1

// JSON:      {
// JSON-NEXT:   "arith.addi" : 2,
// JSON-NEXT:   "builtin.module" : 1,
// JSON-NEXT:   "func.func" : 1,
// JSON-NEXT:   "func.return" : 1,
// JSON-NEXT:   "plain" : 1
// JSON-NEXT: }
func.func @f(%a: i32) {
  %0 = arith.addi %a, %a : i32
  %1 = arith.addi %0, %a : i32
  "plain"() : () -> ()
  return
}
