// RUN: not mlopt %s --split-input-file --canonicalize 2>/dev/null | filecheck %s
// RUN: not mlopt %s --split-input-file 2>&1 | filecheck %s --check-prefix=ERR

// ERR:      split-input-file.mlir:20:8: error: custom op 'arith.addii' is unknown (did you mean 'arith.addi'
// ERR-NEXT:   %0 = arith.addii %x, %x : i32
// ERR-NEXT:        ^

// CHECK:      func.func private @first()
// CHECK-NEXT: }
// CHECK-NEXT: // -----
// CHECK-NEXT: module {
// CHECK-NEXT:   func.func private @third()
func.func private @first()

// -----

func.func @second(%x: i32) -> i32 {
  // An invalid piece prints nothing; the others are not concerned. Lines are counted from the top of the file:
  // this comment stands in lines 18 and 19.
  %0 = arith.addii %x, %x : i32
  return %0 : i32
}

// -----

func.func private @third()
