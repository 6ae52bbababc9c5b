// RUN: mlopt %s --strip-debuginfo --mlir-print-debuginfo | filecheck %s

// CHECK:       #loc = loc(unknown)
// CHECK-NEXT:  module {
// CHECK-NEXT:    func.func @f(%{{.*}}: i32 loc(unknown)) -> i32 {
// CHECK-NEXT:    arith.addi %{{.*}} : i32 loc(#loc)
// CHECK-NOT:   model.py
func.func @f(%x: i32 loc("x")) -> i32 {
  %y = arith.addi %x, %x : i32 loc("model.py":3:1)
  return %y : i32
}
