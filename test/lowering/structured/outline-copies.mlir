// RUN: mlopt %s --mlir-print-local-scope --outline-copies | filecheck %s

// Dimensions that are contiguous on both sides are joined. Where the innermost stride is not 1, an extent of 1 stands innermost.
// CHECK-LABEL: func.func @main(%x: tensor<4x8xf32>, %y: tensor<6x8xf32>) -> (tensor<4x8xf32>, tensor<4x10xf32>) {
// CHECK-NEXT:      %e = tensor.empty() : tensor<4x8xf32>
// CHECK-NEXT:      %collapsed = tensor.collapse_shape %x {{\[\[}}0, 1]] : tensor<4x8xf32> into tensor<32xf32>
// CHECK-NEXT:      %collapsed_0 = tensor.collapse_shape %e {{\[\[}}0, 1]] : tensor<4x8xf32> into tensor<32xf32>
// CHECK-NEXT:      %0 = call @copy(%collapsed, %collapsed_0) : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
// CHECK-NEXT:      %a = tensor.expand_shape %0 {{\[\[}}0, 1]] output_shape [4, 8] : tensor<32xf32> into tensor<4x8xf32>
// CHECK-NEXT:      %o = tensor.empty() : tensor<4x10xf32>
// CHECK-NEXT:      %s = tensor.extract_slice %o[0, 0] [4, 8] [1, 1] : tensor<4x10xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %b = call @copy_1(%a, %s) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %b into %o[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<4x10xf32>
// CHECK-NEXT:      %t = tensor.extract_slice %inserted_slice[0, 8] [4, 1] [1, 1] : tensor<4x10xf32> to tensor<4x1xf32>
// CHECK-NEXT:      %c = call @fill_zero(%t) : (tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      %inserted_slice_1 = tensor.insert_slice %c into %inserted_slice[0, 8] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<4x10xf32>
// CHECK-NEXT:      %u = tensor.extract_slice %inserted_slice_1[0, 9] [4, 1] [1, 1] : tensor<4x10xf32> to tensor<4xf32>
// CHECK-NEXT:      %v = tensor.extract_slice %y[0, 3] [4, 1] [1, 1] : tensor<6x8xf32> to tensor<4xf32>
// CHECK-NEXT:      %expanded = tensor.expand_shape %v {{\[\[}}0, 1]] output_shape [4, 1] : tensor<4xf32> into tensor<4x1xf32>
// CHECK-NEXT:      %expanded_2 = tensor.expand_shape %u {{\[\[}}0, 1]] output_shape [4, 1] : tensor<4xf32> into tensor<4x1xf32>
// CHECK-NEXT:      %1 = call @copy_2(%expanded, %expanded_2) : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      %d = tensor.collapse_shape %1 {{\[\[}}0, 1]] : tensor<4x1xf32> into tensor<4xf32>
// CHECK-NEXT:      %inserted_slice_3 = tensor.insert_slice %d into %inserted_slice_1[0, 9] [4, 1] [1, 1] : tensor<4xf32> into tensor<4x10xf32>
// CHECK-NEXT:      return %a, %inserted_slice_3 : tensor<4x8xf32>, tensor<4x10xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<4x8xf32>, %y: tensor<6x8xf32>) -> (tensor<4x8xf32>, tensor<4x10xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %a = linalg.copy ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %o = tensor.empty() : tensor<4x10xf32>
  %s = tensor.extract_slice %o[0, 0] [4, 8] [1, 1] : tensor<4x10xf32> to tensor<4x8xf32>
  %b = linalg.copy ins(%a : tensor<4x8xf32>) outs(%s : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = tensor.insert_slice %b into %o[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<4x10xf32>
  %t = tensor.extract_slice %1[0, 8] [4, 1] [1, 1] : tensor<4x10xf32> to tensor<4x1xf32>
  %c = linalg.fill ins(%zero : f32) outs(%t : tensor<4x1xf32>) -> tensor<4x1xf32>
  %2 = tensor.insert_slice %c into %1[0, 8] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<4x10xf32>
  %u = tensor.extract_slice %2[0, 9] [4, 1] [1, 1] : tensor<4x10xf32> to tensor<4xf32>
  %v = tensor.extract_slice %y[0, 3] [4, 1] [1, 1] : tensor<6x8xf32> to tensor<4xf32>
  %d = linalg.copy ins(%v : tensor<4xf32>) outs(%u : tensor<4xf32>) -> tensor<4xf32>
  %3 = tensor.insert_slice %d into %2[0, 9] [4, 1] [1, 1] : tensor<4xf32> into tensor<4x10xf32>
  func.return %a, %3 : tensor<4x8xf32>, tensor<4x10xf32>
}

// The last panel of a ragged dimension is padded: all is filled first. A dimension of whole tiles needs no fill.
// CHECK-LABEL: func.func @packed(%x: tensor<3x6xf32>, %y: tensor<3x8xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>) {
// CHECK-NEXT:      %e = tensor.empty() : tensor<2x3x4xf32>
// CHECK-NEXT:      %p = call @pack_4(%x, %e) : (tensor<3x6xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
// CHECK-NEXT:      %f = tensor.empty() : tensor<2x3x4xf32>
// CHECK-NEXT:      %q = call @pack_4_1(%y, %f) : (tensor<3x8xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
// CHECK-NEXT:      return %p, %q : tensor<2x3x4xf32>, tensor<2x3x4xf32>
// CHECK-NEXT:    }
func.func @packed(%x: tensor<3x6xf32>, %y: tensor<3x8xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x4xf32>
  %p = linalg.pack %x padding_value(%zero : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [4] into %e
      : tensor<3x6xf32> -> tensor<2x3x4xf32>
  %f = tensor.empty() : tensor<2x3x4xf32>
  %q = linalg.pack %y outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [4] into %f : tensor<3x8xf32> -> tensor<2x3x4xf32>
  func.return %p, %q : tensor<2x3x4xf32>, tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func private @copy(%x: tensor<32xf32>, %out: tensor<32xf32> {bufferization.writable = true}) -> tensor<32xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<32xf32>) outs(%out : tensor<32xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        linalg.yield %in : f32
// CHECK-NEXT:      } -> tensor<32xf32>
// CHECK-NEXT:      return %0 : tensor<32xf32>
// CHECK-NEXT:    }

// CHECK-LABEL: func.func private @copy_1(%x: tensor<4x8xf32>, %out: tensor<4x8xf32> {bufferization.writable = true}) -> tensor<4x8xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%out : tensor<4x8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        linalg.yield %in : f32
// CHECK-NEXT:      } -> tensor<4x8xf32>
// CHECK-NEXT:      return %0 : tensor<4x8xf32>
// CHECK-NEXT:    }

// CHECK-LABEL: func.func private @fill_zero(%out: tensor<4x1xf32> {bufferization.writable = true}) -> tensor<4x1xf32> attributes {kernel} {
// CHECK-NEXT:      %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      return %0 : tensor<4x1xf32>
// CHECK-NEXT:    }

// CHECK-LABEL: func.func private @copy_2(%x: tensor<4x1xf32>, %out: tensor<4x1xf32> {bufferization.writable = true}) -> tensor<4x1xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x1xf32>) outs(%out : tensor<4x1xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        linalg.yield %in : f32
// CHECK-NEXT:      } -> tensor<4x1xf32>
// CHECK-NEXT:      return %0 : tensor<4x1xf32>
// CHECK-NEXT:    }

// CHECK-LABEL: func.func private @pack_4(%x: tensor<3x6xf32>, %out: tensor<2x3x4xf32> {bufferization.writable = true}) -> tensor<2x3x4xf32> attributes {kernel, packed = [1]} {
// CHECK-NEXT:      %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
// CHECK-NEXT:      %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1 floordiv 4, d0, d1 mod 4)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x6xf32>) outs(%0 : tensor<2x3x4xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        linalg.yield %in : f32
// CHECK-NEXT:      } -> tensor<2x3x4xf32>
// CHECK-NEXT:      return %1 : tensor<2x3x4xf32>
// CHECK-NEXT:    }

// CHECK-LABEL: func.func private @pack_4_1(%x: tensor<3x8xf32>, %out: tensor<2x3x4xf32> {bufferization.writable = true}) -> tensor<2x3x4xf32> attributes {kernel, packed = [1]} {
// CHECK-NEXT:      %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1 floordiv 4, d0, d1 mod 4)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x8xf32>) outs(%out : tensor<2x3x4xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        linalg.yield %in : f32
// CHECK-NEXT:      } -> tensor<2x3x4xf32>
// CHECK-NEXT:      return %0 : tensor<2x3x4xf32>
// CHECK-NEXT:    }
