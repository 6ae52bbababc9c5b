// RUN: not mlopt %s --affine-loop-unroll=unroll-factor=0 2>&1 | filecheck %s

// CHECK: error: Invalid option: 'unroll-factor' should be greater than 0 or equal to -1
func.func @f() {
  return
}
