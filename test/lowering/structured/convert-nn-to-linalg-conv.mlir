// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg | filecheck %s

// Subscripts are o * stride + k * dilation.
// CHECK-LABEL: func.func private @conv(%x: tensor<1x9x9x3xf32>, %w: tensor<3x3x3x8xf32>, %out: tensor<1x4x7x8xf32> {bufferization.writable = true}) -> tensor<1x4x7x8xf32> attributes {kernel} {
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<1x4x7x8xf32>) -> tensor<1x4x7x8xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 * 2 + d4, d2 + d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d4, d5, d6, d3)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%x, %w : tensor<1x9x9x3xf32>, tensor<3x3x3x8xf32>) outs(%0 : tensor<1x4x7x8xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %1 = arith.mulf %in, %in_0 fastmath<contract> : f32
// CHECK-NEXT:      %2 = arith.addf %out_1, %1 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %2 : f32
// CHECK-NEXT:    } -> tensor<1x4x7x8xf32>
// CHECK-NEXT:    return %y : tensor<1x4x7x8xf32>
// CHECK-NEXT:  }
func.func private @conv(%x: tensor<1x9x9x3xf32>, %w: tensor<3x3x3x8xf32>) -> tensor<1x4x7x8xf32> attributes {kernel} {
  %y = nn.conv %x, %w strides = [2, 1] layout = "channels_last" : tensor<1x9x9x3xf32>, tensor<3x3x3x8xf32> -> tensor<1x4x7x8xf32>
  func.return %y : tensor<1x4x7x8xf32>
}

// A channel that reads only itself is one loop.
// CHECK-LABEL: func.func private @depthwise(%x: tensor<1x9x9x8xf32>, %w: tensor<3x3x1x8xf32>, %out: tensor<1x5x5x8xf32> {bufferization.writable = true}) -> tensor<1x5x5x8xf32> attributes {kernel} {
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<1x5x5x8xf32>) -> tensor<1x5x5x8xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4 * 2, d2 + d5 * 2, d3)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5, 0, d3)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%x, %w : tensor<1x9x9x8xf32>, tensor<3x3x1x8xf32>) outs(%0 : tensor<1x5x5x8xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %1 = arith.mulf %in, %in_0 fastmath<contract> : f32
// CHECK-NEXT:      %2 = arith.addf %out_1, %1 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %2 : f32
// CHECK-NEXT:    } -> tensor<1x5x5x8xf32>
// CHECK-NEXT:    return %y : tensor<1x5x5x8xf32>
// CHECK-NEXT:  }
func.func private @depthwise(%x: tensor<1x9x9x8xf32>, %w: tensor<3x3x1x8xf32>) -> tensor<1x5x5x8xf32> attributes {kernel} {
  %y = nn.conv %x, %w dilations = [2, 2] groups = 8 layout = "channels_last" : tensor<1x9x9x8xf32>, tensor<3x3x1x8xf32> -> tensor<1x5x5x8xf32>
  func.return %y : tensor<1x5x5x8xf32>
}

// Groups get an axis of their own, in all that the kernel touches.
// CHECK-LABEL: func.func private @groups(%x: tensor<1x9x9x2x2xf32>, %w: tensor<3x3x2x2x3xf32>, %b: tensor<2x3xf32>, %out: tensor<1x7x7x2x3xf32> {bufferization.writable = true}) -> tensor<1x7x7x2x3xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<1x7x7x2x3xf32>
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<1x7x7x2x3xf32>) -> tensor<1x7x7x2x3xf32>
// CHECK-NEXT:    %c = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1 + d5, d2 + d6, d3, d7)>, affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d5, d6, d7, d3, d4)>, affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%x, %w : tensor<1x9x9x2x2xf32>, tensor<3x3x2x2x3xf32>) outs(%1 : tensor<1x7x7x2x3xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %2 = arith.mulf %in, %in_0 fastmath<contract> : f32
// CHECK-NEXT:      %3 = arith.addf %out_1, %2 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %3 : f32
// CHECK-NEXT:    } -> tensor<1x7x7x2x3xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%c, %b : tensor<1x7x7x2x3xf32>, tensor<2x3xf32>) outs(%out : tensor<1x7x7x2x3xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %2 = arith.addf %in, %in_0 : f32
// CHECK-NEXT:      linalg.yield %2 : f32
// CHECK-NEXT:    } -> tensor<1x7x7x2x3xf32>
// CHECK-NEXT:    return %y : tensor<1x7x7x2x3xf32>
// CHECK-NEXT:  }
func.func private @groups(%x: tensor<1x9x9x4xf32>, %w: tensor<3x3x2x6xf32>, %b: tensor<6xf32>) -> tensor<1x7x7x6xf32> attributes {kernel} {
  %c = nn.conv %x, %w groups = 2 layout = "channels_last" : tensor<1x9x9x4xf32>, tensor<3x3x2x6xf32> -> tensor<1x7x7x6xf32>
  %y = nn.add %c, %b : tensor<1x7x7x6xf32>, tensor<6xf32> -> tensor<1x7x7x6xf32>
  func.return %y : tensor<1x7x7x6xf32>
}

// CHECK-LABEL: func.func @call_groups(%x: tensor<1x9x9x4xf32>, %w: tensor<3x3x2x6xf32>, %b: tensor<6xf32>) -> tensor<1x7x7x6xf32> {
// CHECK-NEXT:    %expanded = tensor.expand_shape %x {{\[\[}}0], [1], [2], [3, 4]] output_shape [1, 9, 9, 2, 2] : tensor<1x9x9x4xf32> into tensor<1x9x9x2x2xf32>
// CHECK-NEXT:    %expanded_0 = tensor.expand_shape %w {{\[\[}}0], [1], [2], [3, 4]] output_shape [3, 3, 2, 2, 3] : tensor<3x3x2x6xf32> into tensor<3x3x2x2x3xf32>
// CHECK-NEXT:    %expanded_1 = tensor.expand_shape %b {{\[\[}}0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
// CHECK-NEXT:    %0 = tensor.empty() : tensor<1x7x7x2x3xf32>
// CHECK-NEXT:    %1 = call @groups(%expanded, %expanded_0, %expanded_1, %0) : (tensor<1x9x9x2x2xf32>, tensor<3x3x2x2x3xf32>, tensor<2x3xf32>, tensor<1x7x7x2x3xf32>) -> tensor<1x7x7x2x3xf32>
// CHECK-NEXT:    %y = tensor.collapse_shape %1 {{\[\[}}0], [1], [2], [3, 4]] : tensor<1x7x7x2x3xf32> into tensor<1x7x7x6xf32>
// CHECK-NEXT:    return %y : tensor<1x7x7x6xf32>
// CHECK-NEXT:  }
func.func @call_groups(%x: tensor<1x9x9x4xf32>, %w: tensor<3x3x2x6xf32>, %b: tensor<6xf32>) -> tensor<1x7x7x6xf32> {
  %y = func.call @groups(%x, %w, %b) : (tensor<1x9x9x4xf32>, tensor<3x3x2x6xf32>, tensor<6xf32>) -> tensor<1x7x7x6xf32>
  func.return %y : tensor<1x7x7x6xf32>
}

// Windows that do not meet: position p of the output comes from p floordiv stride through weight p mod stride.
// CHECK-LABEL: func.func private @transpose(%x: tensor<1x4x4x3xf32>, %w: tensor<2x2x3x8xf32>, %out: tensor<1x8x8x8xf32> {bufferization.writable = true}) -> tensor<1x8x8x8xf32> attributes {kernel} {
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 floordiv 2, d2 floordiv 2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d1 mod 2, d2 mod 2, d4, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<1x4x4x3xf32>, tensor<2x2x3x8xf32>) outs(%0 : tensor<1x8x8x8xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %1 = arith.mulf %in, %in_0 fastmath<contract> : f32
// CHECK-NEXT:      %2 = arith.addf %out_1, %1 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %2 : f32
// CHECK-NEXT:    } -> tensor<1x8x8x8xf32>
// CHECK-NEXT:    return %y : tensor<1x8x8x8xf32>
// CHECK-NEXT:  }
func.func private @transpose(%x: tensor<1x4x4x3xf32>, %w: tensor<2x2x3x8xf32>) -> tensor<1x8x8x8xf32> attributes {kernel} {
  %y = nn.conv_transpose %x, %w strides = [2, 2] layout = "channels_last" : tensor<1x4x4x3xf32>, tensor<2x2x3x8xf32> -> tensor<1x8x8x8xf32>
  func.return %y : tensor<1x8x8x8xf32>
}

// A tensor that nobody reads gives the window its extents.
// CHECK-LABEL: func.func private @max_pool(%x: tensor<1x8x8x3xf32>, %out: tensor<1x4x4x3xf32> {bufferization.writable = true}) -> tensor<1x4x4x3xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<2x2xf32>
// CHECK-NEXT:    %cst = arith.constant 0xFF800000 : f32
// CHECK-NEXT:    %1 = linalg.fill ins(%cst : f32) outs(%out : tensor<1x4x4x3xf32>) -> tensor<1x4x4x3xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d3)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%x, %0 : tensor<1x8x8x3xf32>, tensor<2x2xf32>) outs(%1 : tensor<1x4x4x3xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %2 = arith.maximumf %out_1, %in : f32
// CHECK-NEXT:      linalg.yield %2 : f32
// CHECK-NEXT:    } -> tensor<1x4x4x3xf32>
// CHECK-NEXT:    return %y : tensor<1x4x4x3xf32>
// CHECK-NEXT:  }
func.func private @max_pool(%x: tensor<1x8x8x3xf32>) -> tensor<1x4x4x3xf32> attributes {kernel} {
  %y = nn.max_pool %x kernel = [2, 2] strides = [2, 2] layout = "channels_last" : tensor<1x8x8x3xf32> -> tensor<1x4x4x3xf32>
  func.return %y : tensor<1x4x4x3xf32>
}
