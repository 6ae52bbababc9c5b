// RUN: not mlopt %s --split-input-file --verify-diagnostics 2>&1 | filecheck %s
// RUN: not mlopt %s --split-input-file --verify-diagnostics=only-expected 2>&1 | filecheck %s --check-prefix=ONLY

// CHECK:      [[FILE:.*]]complains.mlir:15:4: error: expected error "nothing is wrong" was not produced
// CHECK-NEXT: // expected-{{e}}rror@+1
// CHECK-NEXT:    ^
// CHECK-NEXT: [[FILE]]complains.mlir:21:8: error: unexpected error: custom op 'arith.addii' is unknown
// CHECK-NEXT:   %0 = arith.addii %x, %x : i32
// CHECK-NEXT:        ^
// CHECK-NOT:  error

// ONLY-NOT: unexpected
// ONLY: expected error

// expected-error@+1 {{nothing is wrong}}
func.func private @fine()

// -----

func.func @wrong(%x: i32) {
  %0 = arith.addii %x, %x : i32
  return
}
