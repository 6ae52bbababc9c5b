// RUN: mlopt %s --allow-unregistered-dialect --mlir-print-value-users | filecheck %s --check-prefix=USERS
// RUN: mlopt %s --allow-unregistered-dialect --mlir-print-unique-ssa-ids --mlir-print-upstream-names | filecheck %s --check-prefix=UNIQUE
// RUN: mlopt %s --allow-unregistered-dialect --mlir-print-skip-regions | filecheck %s --check-prefix=SKIP
// RUN: mlopt %s --allow-unregistered-dialect --mlir-use-nameloc-as-prefix | filecheck %s --check-prefix=NAMED
// RUN: mlopt %s --allow-unregistered-dialect --mlir-print-debuginfo --mlir-pretty-debuginfo | filecheck %s --check-prefix=PRETTY
// RUN: mlopt %s --allow-unregistered-dialect --mlir-print-local-scope | filecheck %s --check-prefix=LOCAL

// USERS:      func.func @f(%arg0: i32) -> i32 {
// USERS-NEXT:   // %arg0 is used by %3, %2
// USERS-NEXT:   %2 = arith.addi %arg0, %arg0 : i32 // user: %3
// USERS-NEXT:   %3 = arith.addi %2, %arg0 : i32 // users: %4#0, %4#1
// USERS-NEXT:   %4:2 = "foo.two"(%3) : (i32) -> (i32, i32) // users: (%5), (%5)
// USERS-NEXT:   %5 = arith.addi %4#0, %4#1 : i32 // user: %6
// USERS-NEXT:   %c3_i32 = arith.constant 3 : i32 // unused
// USERS-NEXT:   cf.br ^bb1(%5 : i32) // id: %6
// USERS-NEXT: ^bb1(%7: i32):  // pred: ^bb0
// USERS-NEXT:   // %7 is used by %8
// USERS-NEXT:   return %7 : i32 // id: %8

// UNIQUE:      func.func @f(%arg1: i32) -> i32 {
// UNIQUE-NEXT:   %{{[0-9]+}} = arith.addi %arg1, %arg1 : i32
// UNIQUE:      func.func @g(%arg0: index) {

// SKIP: {{^module \{\.\.\.\}$}}

// NAMED:      func.func @f(%x: i32) -> i32 {
// NAMED-NEXT:   %sum = arith.addi %x, %x : i32
// NAMED-NEXT:   %sum_0 = arith.addi %sum, %x : i32
// NAMED-NEXT:   %two:2 = "foo.two"(%sum_0) : (i32) -> (i32, i32)
// NAMED-NEXT:   %callee = arith.addi %two#0, %two#1 : i32

// PRETTY: arith.addi %{{.*}}, %{{.*}} : i32 "sum"
// PRETTY: "foo.two"({{.*}} "two"(a.py:3:4)
// PRETTY: arith.addi {{.*}} "callee"(a.py:1:2) at b.py:3:4

// LOCAL-NOT: #map
// LOCAL:     "foo.mapped"() {m = affine_map<(d0) -> (d0 + 1)>}
func.func @f(%arg0: i32 loc("x")) -> i32 {
  %0 = arith.addi %arg0, %arg0 : i32 loc("sum")
  %1 = arith.addi %0, %arg0 : i32 loc("sum")
  %2:2 = "foo.two"(%1) : (i32) -> (i32, i32) loc("two"("a.py":3:4))
  %3 = arith.addi %2#0, %2#1 : i32 loc(callsite("callee"("a.py":1:2) at "b.py":3:4))
  %c3_i32 = arith.constant 3 : i32
  cf.br ^bb1(%3 : i32)
^bb1(%4: i32):
  return %4 : i32
}
func.func @g(%arg0: index) {
  "foo.mapped"() {m = affine_map<(d0) -> (d0 + 1)>} : () -> ()
  return
}
