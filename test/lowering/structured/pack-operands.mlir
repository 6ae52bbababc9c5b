// RUN: mlopt %s --mlir-print-local-scope --pack-operands | filecheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// The constant is packed now, padded with zeros; the operand that is computed is packed by a linalg.pack in front of the call.
// CHECK-LABEL: func.func @main(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
// CHECK-NEXT:      %w = arith.constant dense<[[[1.000000e+00, 2.000000e+00, 3.000000e+00], [5.000000e+00, 6.000000e+00, 7.000000e+00], [9.000000e+00, 1.000000e+01, 1.100000e+01]], [[4.000000e+00, 0.000000e+00, 0.000000e+00], [8.000000e+00, 0.000000e+00, 0.000000e+00], [1.200000e+01, 0.000000e+00, 0.000000e+00]]]> : tensor<2x3x3xf32>
// CHECK-NEXT:      %e = tensor.empty() : tensor<2x4xf32>
// CHECK-NEXT:      %0 = call @matmul(%x, %w, %e) : (tensor<2x3xf32>, tensor<2x3x3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:      %1 = tensor.empty() : tensor<2x3x3xf32>
// CHECK-NEXT:      %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %pack = linalg.pack %y padding_value(%cst : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [3] into %1 : tensor<3x4xf32> -> tensor<2x3x3xf32>
// CHECK-NEXT:      %2 = call @matmul(%x, %pack, %e) : (tensor<2x3xf32>, tensor<2x3x3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:      return %0, %2 : tensor<2x4xf32>, tensor<2x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]]> : tensor<3x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %0 = func.call @matmul(%x, %w, %e) : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %1 = func.call @matmul(%x, %y, %e) : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: func.func private @matmul(%a: tensor<2x3xf32>, %b: tensor<2x3x3xf32>, %out: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {kernel, packed = [1], schedule = [["parallel", "m"]]} {
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %f = linalg.fill ins(%zero : f32) outs(%out : tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:      %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1 floordiv 3, d2, d1 mod 3)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<2x3xf32>, tensor<2x3x3xf32>) outs(%f : tensor<2x4xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:        %0 = arith.mulf %in, %in_0 : f32
// CHECK-NEXT:        %1 = arith.addf %out_1, %0 : f32
// CHECK-NEXT:        linalg.yield %1 : f32
// CHECK-NEXT:      } -> tensor<2x4xf32>
// CHECK-NEXT:      return %r : tensor<2x4xf32>
// CHECK-NEXT:    }
func.func private @matmul(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %out: tensor<2x4xf32>) -> tensor<2x4xf32>
    attributes {kernel, schedule = [["pack_operand", 1, 1, 3], ["parallel", "m"]]} {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%out : tensor<2x4xf32>) -> tensor<2x4xf32>
  %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<2x3xf32>, tensor<3x4xf32>) outs(%f : tensor<2x4xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.mulf %0, %1 : f32
    %4 = arith.addf %2, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<2x4xf32>
  func.return %r : tensor<2x4xf32>
}
