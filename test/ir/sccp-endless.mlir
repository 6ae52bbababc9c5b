// RUN: mlopt %s --sccp | filecheck %s

// A loop that never ends gives nothing that is known, and stays.
// CHECK-LABEL: func.func @while
// CHECK:         %[[W:.*]] = scf.while
// CHECK:         return %[[W]] : i32
func.func @while() -> i32 {
  %true = arith.constant true
  %six = arith.constant 6 : i32
  %r = scf.while (%a = %six) : (i32) -> i32 {
    scf.condition(%true) %a : i32
  } do {
  ^bb0(%b: i32):
    scf.yield %b : i32
  }
  return %r : i32
}
