// RUN: mlopt %s | mlopt | filecheck %s

// A branch with several edges to a block stands once for each of them; what is not a finite number is written in upper case.
// CHECK-LABEL: func.func @edges
// CHECK:         arith.constant 0x7FC00000 : f32
// CHECK:         arith.constant 0xFFF0000000000000 : f64
// CHECK:       ^end:  // 3 preds: ^bb0, ^bb0, ^bb0
func.func @edges(%a: i32) -> f32 {
  %c = arith.constant 0x7FC00000 : f32
  %d = arith.constant 0xFFF0000000000000 : f64
  cf.switch %a : i32, [
    default: ^end,
    1: ^end,
    2: ^end
  ]
^end:
  return %c : f32
}
