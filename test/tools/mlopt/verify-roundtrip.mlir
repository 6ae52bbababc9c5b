// RUN: mlopt %s --verify-roundtrip | filecheck %s
// RUN: mlopt %s --verify-roundtrip --no-implicit-module | filecheck %s --check-prefix=BARE

// CHECK:     module {
// CHECK:       scf.for
// BARE-NOT:  module
// BARE:      func.func @f
func.func @f(%n: index, %m: memref<?xf32>) -> tensor<3xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d = arith.constant dense<[1, 2, 3]> : tensor<3xi32>
  scf.for %i = %c0 to %n step %c1 {
    %x = memref.load %m[%i] : memref<?xf32>
    %y = arith.addf %x, %x : f32
    memref.store %y, %m[%i] : memref<?xf32>
  }
  return %d : tensor<3xi32>
}
