// RUN: mlopt %s --mlir-print-debuginfo --mlir-print-local-scope | mlopt --mlir-print-debuginfo --mlir-print-local-scope | filecheck %s

// CHECK:       arith.addi {{.*}} loc(fused<"inlined">["a", "b.py":3:4])
// CHECK-NEXT:  arith.muli {{.*}} loc(fused["a", callsite("q.py":1:1 at "r.py":2:2)])
func.func @f(%x: i32) -> i32 {
  %y = arith.addi %x, %x : i32 loc(fused<"inlined">["a", "b.py":3:4])
  %z = arith.muli %y, %x : i32 loc(fused["a", callsite("q.py":1:1 at "r.py":2:2)])
  return %z : i32
}
