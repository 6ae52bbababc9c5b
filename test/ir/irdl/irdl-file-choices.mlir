// RUN: mlopt %s --irdl-file=%S/Inputs/choices.irdl.mlir --verify-diagnostics

func.func @once(%x: i32) {
  // expected-error@+1 {{'i32' does not satisfy the constraint}}
  "choices.deep"(%x) : (i32) -> ()
  return
}
