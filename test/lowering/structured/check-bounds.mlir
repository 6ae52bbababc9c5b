// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg --check-bounds --canonicalize | filecheck %s

// Where an index of an element that is read is out of bounds, a far one takes its place.
// CHECK:         %c35184372088832 = arith.constant 35184372088832 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    %y = linalg.generic
// CHECK-NEXT:    ^bb0(%in: i64, %out_0: f32):
// CHECK-NEXT:      %0 = arith.index_cast %in : i64 to index
// CHECK-NEXT:      %1 = arith.cmpi slt, %0, %c0 : index
// CHECK-NEXT:      %2 = arith.addi %0, %c4 : index
// CHECK-NEXT:      %3 = arith.select %1, %2, %0 : index
// CHECK-NEXT:      %4 = arith.minsi %3, %c3 : index
// CHECK-NEXT:      %5 = arith.maxsi %4, %c0 : index
// CHECK-NEXT:      %6 = linalg.index 1 : index
// CHECK-NEXT:      %7 = arith.cmpi ult, %5, %c4 : index
// CHECK-NEXT:      %8 = arith.select %7, %5, %c35184372088832 : index
// CHECK-NEXT:      %9 = arith.cmpi ult, %6, %c3 : index
// CHECK-NEXT:      %10 = arith.select %9, %6, %c35184372088832 : index
// CHECK-NEXT:      %extracted = tensor.extract %x[%8, %10] : tensor<4x3xf32>
func.func private @gather(%x: tensor<4x3xf32>, %i: tensor<5xi64>) -> tensor<5x3xf32> attributes {kernel} {
  %y = nn.gather %x, %i axis = 0 : tensor<4x3xf32>, tensor<5xi64> -> tensor<5x3xf32>
  func.return %y : tensor<5x3xf32>
}
