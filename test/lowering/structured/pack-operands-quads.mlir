// RUN: mlopt %s --mlir-print-local-scope --pack-operands | filecheck %s

// Panels of two columns, each with four rows of a column side by side; padded with zeros in both directions.
// CHECK-LABEL: func.func @main(%x: tensor<2x4xi8>, %y: tensor<6x3xi8>) -> (tensor<2x3xi32>, tensor<2x3xi32>) {
// CHECK-NEXT:     %w = arith.constant dense<{{\[\[}}{{\[\[}}1, 4, 7, 10], [2, 5, 8, 11{{\]\]}}], {{\[\[}}[3, 6, 9, 12], [0, 0, 0, 0{{\]\]}}{{\]\]}}> : tensor<2x1x2x4xi8>
// CHECK-NEXT:     %e = tensor.empty() : tensor<2x3xi32>
// CHECK-NEXT:     %0 = call @dot(%x, %w, %e) : (tensor<2x4xi8>, tensor<2x1x2x4xi8>, tensor<2x3xi32>) -> tensor<2x3xi32>
// CHECK-NEXT:     %z = arith.constant dense<1> : tensor<2x6xi8>
// CHECK-NEXT:     %1 = tensor.empty() : tensor<2x2x2x4xi8>
// CHECK-NEXT:     %c0_i8 = arith.constant 0 : i8
// CHECK-NEXT:     %pack = linalg.pack %y padding_value(%c0_i8 : i8) outer_dims_perm = [1, 0] inner_dims_pos = [1, 0] inner_tiles = [2, 4] into %1 : tensor<6x3xi8> -> tensor<2x2x2x4xi8>
// CHECK-NEXT:     %2 = call @more(%z, %pack, %e) : (tensor<2x6xi8>, tensor<2x2x2x4xi8>, tensor<2x3xi32>) -> tensor<2x3xi32>
// CHECK-NEXT:     return %0, %2 : tensor<2x3xi32>, tensor<2x3xi32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func private @dot(%a: tensor<2x4xi8>, %b: tensor<2x1x2x4xi8>, %out: tensor<2x3xi32>) -> tensor<2x3xi32> attributes {kernel, packed = [1], schedule = []} {
// CHECK-NEXT:     %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1 floordiv 2, d2 floordiv 4, d1 mod 2, d2 mod 4)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<2x4xi8>, tensor<2x1x2x4xi8>) outs(%out : tensor<2x3xi32>) {
// CHECK-NEXT:     ^bb0(%x: i8, %y: i8, %c: i32):
// CHECK-NEXT:       %s = arith.extsi %y : i8 to i32
// CHECK-NEXT:       linalg.yield %s : i32
// CHECK-NEXT:     } -> tensor<2x3xi32>
// CHECK-NEXT:     return %r : tensor<2x3xi32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func private @more(%a: tensor<2x6xi8>, %b: tensor<2x2x2x4xi8>, %out: tensor<2x3xi32>) -> tensor<2x3xi32> attributes {kernel, packed = [1], schedule = []} {
// CHECK-NEXT:     %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1 floordiv 2, d2 floordiv 4, d1 mod 2, d2 mod 4)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<2x6xi8>, tensor<2x2x2x4xi8>) outs(%out : tensor<2x3xi32>) {
// CHECK-NEXT:     ^bb0(%x: i8, %y: i8, %c: i32):
// CHECK-NEXT:       %s = arith.extsi %y : i8 to i32
// CHECK-NEXT:       linalg.yield %s : i32
// CHECK-NEXT:     } -> tensor<2x3xi32>
// CHECK-NEXT:     return %r : tensor<2x3xi32>
// CHECK-NEXT:   }
func.func @main(%x: tensor<2x4xi8>, %y: tensor<6x3xi8>) -> (tensor<2x3xi32>, tensor<2x3xi32>) {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]> : tensor<4x3xi8>
  %e = tensor.empty() : tensor<2x3xi32>
  %0 = func.call @dot(%x, %w, %e) : (tensor<2x4xi8>, tensor<4x3xi8>, tensor<2x3xi32>) -> tensor<2x3xi32>
  %z = arith.constant dense<1> : tensor<2x6xi8>
  %1 = func.call @more(%z, %y, %e) : (tensor<2x6xi8>, tensor<6x3xi8>, tensor<2x3xi32>) -> tensor<2x3xi32>
  func.return %0, %1 : tensor<2x3xi32>, tensor<2x3xi32>
}
func.func private @dot(%a: tensor<2x4xi8>, %b: tensor<4x3xi8>, %out: tensor<2x3xi32>) -> tensor<2x3xi32> attributes {kernel, schedule = [["pack_operand", 1, 1, 2, 0, 4]]} {
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<2x4xi8>, tensor<4x3xi8>) outs(%out : tensor<2x3xi32>) {
  ^bb0(%x: i8, %y: i8, %c: i32):
    %s = arith.extsi %y : i8 to i32
    linalg.yield %s : i32
  } -> tensor<2x3xi32>
  func.return %r : tensor<2x3xi32>
}
func.func private @more(%a: tensor<2x6xi8>, %b: tensor<6x3xi8>, %out: tensor<2x3xi32>) -> tensor<2x3xi32> attributes {kernel, schedule = [["pack_operand", 1, 1, 2, 0, 4]]} {
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<2x6xi8>, tensor<6x3xi8>) outs(%out : tensor<2x3xi32>) {
  ^bb0(%x: i8, %y: i8, %c: i32):
    %s = arith.extsi %y : i8 to i32
    linalg.yield %s : i32
  } -> tensor<2x3xi32>
  func.return %r : tensor<2x3xi32>
}
