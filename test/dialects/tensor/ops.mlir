// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

// CHECK-LABEL: func.func @f(%t: tensor<?x?xf32>, %u: tensor<2x3x4xf32>, %n: index, %z: f32, %s: tensor<4x4xf32>, %i: tensor<3x1xindex>) {
func.func @f(%t: tensor<?x?xf32>, %u: tensor<2x3x4xf32>, %n: index, %z: f32, %s: tensor<4x4xf32>, %i: tensor<3x1xindex>) {
  // CHECK-NEXT: %a = tensor.extract_slice %t[%n, 0] [4, %n] [1, 1] : tensor<?x?xf32> to tensor<4x?xf32>
  %a = tensor.extract_slice %t[%n, 0] [4, %n] [1, 1] : tensor<?x?xf32> to tensor<4x?xf32>
  // CHECK-NEXT: %b = tensor.extract_slice %u[0, 1, 0] [1, 2, 4] [1, 1, 1] : tensor<2x3x4xf32> to tensor<2x4xf32>
  %b = tensor.extract_slice %u[0, 1, 0] [1, 2, 4] [1, 1, 1] : tensor<2x3x4xf32> to tensor<2x4xf32>
  // CHECK-NEXT: %c = tensor.insert_slice %b into %u[1, 1, 0] [1, 2, 4] [1, 1, 1] : tensor<2x4xf32> into tensor<2x3x4xf32>
  %c = tensor.insert_slice %b into %u[1, 1, 0] [1, 2, 4] [1, 1, 1] : tensor<2x4xf32> into tensor<2x3x4xf32>
  // CHECK-NEXT: %d = tensor.collapse_shape %u {{\[\[}}0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
  %d = tensor.collapse_shape %u [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
  // CHECK-NEXT: %e = tensor.expand_shape %d {{\[\[}}0, 1], [2]] output_shape [3, 2, 4] : tensor<6x4xf32> into tensor<3x2x4xf32>
  %e = tensor.expand_shape %d [[0, 1], [2]] output_shape [3, 2, 4] : tensor<6x4xf32> into tensor<3x2x4xf32>
  // CHECK-NEXT: %e2 = tensor.expand_shape %t {{\[\[}}0, 1], [2]] output_shape [2, %n, %n] : tensor<?x?xf32> into tensor<2x?x?xf32>
  %e2 = tensor.expand_shape %t [[0, 1], [2]] output_shape [2, %n, %n] : tensor<?x?xf32> into tensor<2x?x?xf32>
  // CHECK-NEXT: %sc = tensor.extract %t[%n, %n] : tensor<?x?xf32>
  %sc = tensor.extract %t[%n, %n] : tensor<?x?xf32>
  // CHECK-NEXT: %c1 = tensor.from_elements %sc : tensor<1xf32>
  %c1 = tensor.from_elements %sc : tensor<1xf32>
  // CHECK-NEXT: %c0 = tensor.expand_shape %c1 {{\[\[}}0, 1]] output_shape [1, 1] : tensor<1xf32> into tensor<1x1xf32>
  %c0 = tensor.expand_shape %c1 [[0, 1]] output_shape [1, 1] : tensor<1xf32> into tensor<1x1xf32>
  // CHECK-NEXT: %cs = tensor.collapse_shape %c0 [] : tensor<1x1xf32> into tensor<f32>
  %cs = tensor.collapse_shape %c0 [] : tensor<1x1xf32> into tensor<f32>
  // CHECK-NEXT: %p = tensor.pad %s low[0, 1] high[0, %n] {
  %p = tensor.pad %s low[0, 1] high[0, %n] {
  // CHECK-NEXT: ^bb0(%x: index, %y: index):
  ^bb0(%x: index, %y: index):
    // CHECK-NEXT: tensor.yield %z : f32
    tensor.yield %z : f32
  // CHECK-NEXT: } : tensor<4x4xf32> to tensor<4x?xf32>
  } : tensor<4x4xf32> to tensor<4x?xf32>
  // CHECK-NEXT: %g = tensor.generate %n {
  %g = tensor.generate %n {
  // CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index):
  ^bb0(%x: index, %y: index):
    // CHECK-NEXT: tensor.yield %z : f32
    tensor.yield %z : f32
  // CHECK-NEXT: } : tensor<?x4xf32>
  } : tensor<?x4xf32>
  // CHECK-NEXT: %h = tensor.gather %s[%i] gather_dims([0]) : (tensor<4x4xf32>, tensor<3x1xindex>) -> tensor<3x1x4xf32>
  %h = tensor.gather %s[%i] gather_dims([0]) : (tensor<4x4xf32>, tensor<3x1xindex>) -> tensor<3x1x4xf32>
  // CHECK-NEXT: %h2 = tensor.gather %s[%i] gather_dims([0]) unique : (tensor<4x4xf32>, tensor<3x1xindex>) -> tensor<3x4xf32>
  %h2 = tensor.gather %s[%i] gather_dims([0]) unique : (tensor<4x4xf32>, tensor<3x1xindex>) -> tensor<3x4xf32>
  // CHECK-NEXT: %j = tensor.bitcast %s : tensor<4x4xf32> to tensor<4x4xi32>
  %j = tensor.bitcast %s : tensor<4x4xf32> to tensor<4x4xi32>
  // CHECK-NEXT: %k = tensor.concat dim(0) %s, %s : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %k = tensor.concat dim(0) %s, %s : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  // CHECK-NEXT: %l = tensor.cast %s : tensor<4x4xf32> to tensor<?x?xf32>
  %l = tensor.cast %s : tensor<4x4xf32> to tensor<?x?xf32>
  // CHECK-NEXT: %m = tensor.dim %t, %n : tensor<?x?xf32>
  %m = tensor.dim %t, %n : tensor<?x?xf32>
  // CHECK-NEXT: %o = tensor.empty(%n) : tensor<?x4xf32>
  %o = tensor.empty(%n) : tensor<?x4xf32>
  // CHECK-NEXT: %q = tensor.splat %z : tensor<4xf32>
  %q = tensor.splat %z : tensor<4xf32>
  // CHECK-NEXT: return
  func.return
// CHECK-NEXT: }
}
