// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg | filecheck %s

// The exponentials stand in the destination until they are divided.
// CHECK-LABEL: func.func private @softmax(%x: tensor<4x16xf32>, %out: tensor<4x16xf32> {bufferization.writable = true}) -> tensor<4x16xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %cst = arith.constant 0xFF800000 : f32
// CHECK-NEXT:    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x16xf32>) outs(%1 : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_1: f32):
// CHECK-NEXT:      %7 = arith.maximumf %out_1, %in : f32
// CHECK-NEXT:      linalg.yield %7 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    %3 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %2 : tensor<4x16xf32>, tensor<4xf32>) outs(%out : tensor<4x16xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_1: f32, %out_2: f32):
// CHECK-NEXT:      %7 = arith.subf %in, %in_1 : f32
// CHECK-NEXT:      %8 = math.exp %7 : f32
// CHECK-NEXT:      linalg.yield %8 : f32
// CHECK-NEXT:    } -> tensor<4x16xf32>
// CHECK-NEXT:    %4 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %cst_0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %5 = linalg.fill ins(%cst_0 : f32) outs(%4 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %6 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%3 : tensor<4x16xf32>) outs(%5 : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_1: f32):
// CHECK-NEXT:      %7 = arith.addf %out_1, %in : f32
// CHECK-NEXT:      linalg.yield %7 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%6 : tensor<4xf32>) outs(%3 : tensor<4x16xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_1: f32):
// CHECK-NEXT:      %7 = arith.divf %out_1, %in : f32
// CHECK-NEXT:      linalg.yield %7 : f32
// CHECK-NEXT:    } -> tensor<4x16xf32>
// CHECK-NEXT:    return %y : tensor<4x16xf32>
// CHECK-NEXT:  }
func.func private @softmax(%x: tensor<4x16xf32>) -> tensor<4x16xf32> attributes {kernel} {
  %y = nn.softmax %x : tensor<4x16xf32>
  func.return %y : tensor<4x16xf32>
}

// The count is computed from the extent, which may become dynamic.
// CHECK-LABEL: func.func private @mean(%x: tensor<4x16xf32>, %out: tensor<4x1xf32> {bufferization.writable = true}) -> tensor<4x1xf32> attributes {kernel} {
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:    %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, 0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x16xf32>) outs(%0 : tensor<4x1xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:      %4 = arith.addf %out_0, %in : f32
// CHECK-NEXT:      linalg.yield %4 : f32
// CHECK-NEXT:    } -> tensor<4x1xf32>
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %dim = tensor.dim %x, %c1 : tensor<4x16xf32>
// CHECK-NEXT:    %2 = arith.index_cast %dim : index to i64
// CHECK-NEXT:    %3 = arith.sitofp %2 : i64 to f32
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%1 : tensor<4x1xf32>) {
// CHECK-NEXT:    ^bb0(%out_0: f32):
// CHECK-NEXT:      %4 = arith.divf %out_0, %3 : f32
// CHECK-NEXT:      linalg.yield %4 : f32
// CHECK-NEXT:    } -> tensor<4x1xf32>
// CHECK-NEXT:    return %y : tensor<4x1xf32>
// CHECK-NEXT:  }
func.func private @mean(%x: tensor<4x16xf32>) -> tensor<4x1xf32> attributes {kernel} {
  %y = nn.reduce_mean %x axes = [1] keepdims = true : tensor<4x16xf32> -> tensor<4x1xf32>
  func.return %y : tensor<4x1xf32>
}

// A batch that broadcasts is read at 0; halves are added up in f32.
// CHECK-LABEL: func.func private @matmul(%a: tensor<5x4x3xf16>, %b: tensor<1x3x2xf16>, %out: tensor<5x4x2xf16> {bufferization.writable = true}) -> tensor<5x4x2xf16> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<5x4x2xf32>
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<5x4x2xf32>) -> tensor<5x4x2xf32>
// CHECK-NEXT:    %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (0, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a, %b : tensor<5x4x3xf16>, tensor<1x3x2xf16>) outs(%1 : tensor<5x4x2xf32>) {
// CHECK-NEXT:    ^bb0(%in: f16, %in_0: f16, %out_1: f32):
// CHECK-NEXT:      %3 = arith.extf %in : f16 to f32
// CHECK-NEXT:      %4 = arith.extf %in_0 : f16 to f32
// CHECK-NEXT:      %5 = arith.mulf %3, %4 fastmath<contract> : f32
// CHECK-NEXT:      %6 = arith.addf %out_1, %5 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %6 : f32
// CHECK-NEXT:    } -> tensor<5x4x2xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%2 : tensor<5x4x2xf32>) outs(%out : tensor<5x4x2xf16>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_0: f16):
// CHECK-NEXT:      %3 = arith.truncf %in : f32 to f16
// CHECK-NEXT:      linalg.yield %3 : f16
// CHECK-NEXT:    } -> tensor<5x4x2xf16>
// CHECK-NEXT:    return %y : tensor<5x4x2xf16>
// CHECK-NEXT:  }
func.func private @matmul(%a: tensor<5x4x3xf16>, %b: tensor<1x3x2xf16>) -> tensor<5x4x2xf16> attributes {kernel} {
  %y = nn.matmul %a, %b : tensor<5x4x3xf16>, tensor<1x3x2xf16> -> tensor<5x4x2xf16>
  func.return %y : tensor<5x4x2xf16>
}
