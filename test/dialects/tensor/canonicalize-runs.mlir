// RUN: mlopt %s --validate-each --canonicalize | filecheck %s

// Each function computes the same before and after, on inputs that the tool makes up.

// CHECK-LABEL: func.func @slices
// CHECK-NOT: tensor.cast
func.func @slices(%t: tensor<8x6xf32>, %u: tensor<8x6xf32>) -> (tensor<8x6xf32>, tensor<8x6xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %s = tensor.extract_slice %t[%c1, %c2] [%c4, 3] [%c1, 1] : tensor<8x6xf32> to tensor<?x3xf32>
  %r = tensor.insert_slice %s into %u[%c2, %c0] [%c4, 3] [%c1, %c1] : tensor<?x3xf32> into tensor<8x6xf32>
  %q = tensor.insert_slice %t into %r[0, 0] [8, 6] [1, 1] : tensor<8x6xf32> into tensor<8x6xf32>
  func.return %r, %q : tensor<8x6xf32>, tensor<8x6xf32>
}

// CHECK-LABEL: func.func @reshapes
func.func @reshapes(%t: tensor<2x3x4x5xf32>, %u: tensor<24x5xf32>) -> (tensor<24x5xf32>, tensor<2x12x5xf32>, tensor<2x12x5xf32>) {
  %a = tensor.collapse_shape %t [[0, 1], [2], [3]] : tensor<2x3x4x5xf32> into tensor<6x4x5xf32>
  %b = tensor.collapse_shape %a [[0, 1], [2]] : tensor<6x4x5xf32> into tensor<24x5xf32>
  %c = tensor.expand_shape %u [[0, 1, 2], [3]] output_shape [2, 3, 4, 5] : tensor<24x5xf32> into tensor<2x3x4x5xf32>
  %d = tensor.collapse_shape %c [[0], [1, 2], [3]] : tensor<2x3x4x5xf32> into tensor<2x12x5xf32>
  %e = tensor.expand_shape %b [[0, 1], [2]] output_shape [2, 12, 5] : tensor<24x5xf32> into tensor<2x12x5xf32>
  func.return %b, %d, %e : tensor<24x5xf32>, tensor<2x12x5xf32>, tensor<2x12x5xf32>
}

// CHECK-LABEL: func.func @pads
func.func @pads(%t: tensor<4x3xf32>, %z: f32) -> tensor<8x5xf32> {
  %c1 = arith.constant 1 : index
  %a = tensor.pad %t low[%c1, 0] high[1, %c1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<4x3xf32> to tensor<?x?xf32>
  %b = tensor.pad %a low[2, 1] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<?x?xf32> to tensor<8x5xf32>
  func.return %b : tensor<8x5xf32>
}

// CHECK-LABEL: func.func @elements
func.func @elements(%x: f32, %t: tensor<3xf32>) -> (f32, tensor<2x2xf32>, tensor<5xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.from_elements %x, %x, %x, %x : tensor<4xf32>
  %r = tensor.expand_shape %e [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %i = tensor.insert %x into %t[%c1] : tensor<3xf32>
  %f = tensor.extract %i[%c1] : tensor<3xf32>
  %s = tensor.splat %x : tensor<2xf32>
  %c = tensor.concat dim(0) %i, %s : (tensor<3xf32>, tensor<2xf32>) -> tensor<5xf32>
  func.return %f, %r, %c : f32, tensor<2x2xf32>, tensor<5xf32>
}
