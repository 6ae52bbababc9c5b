// RUN: mlopt %s --convert-nn-to-linalg | filecheck %s

// The exponentials stand in the destination until they are divided.
// CHECK-LABEL: func.func private @softmax(%x: tensor<4x16xf32>, %out: tensor<4x16xf32> {bufferization.writable = true}) -> tensor<4x16xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %1 = arith.constant 0xff800000 : f32
// CHECK-NEXT:    %2 = linalg.fill ins(%1 : f32) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %3 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x16xf32>) outs(%2 : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%4: f32, %5: f32):
// CHECK-NEXT:      %6 = arith.maximumf %5, %4 : f32
// CHECK-NEXT:      linalg.yield %6 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    %7 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %3 : tensor<4x16xf32>, tensor<4xf32>) outs(%out : tensor<4x16xf32>) {
// CHECK-NEXT:    ^bb0(%8: f32, %9: f32, %10: f32):
// CHECK-NEXT:      %11 = arith.subf %8, %9 : f32
// CHECK-NEXT:      %12 = math.exp %11 : f32
// CHECK-NEXT:      linalg.yield %12 : f32
// CHECK-NEXT:    } -> tensor<4x16xf32>
// CHECK-NEXT:    %13 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %14 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %15 = linalg.fill ins(%14 : f32) outs(%13 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %16 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%7 : tensor<4x16xf32>) outs(%15 : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%17: f32, %18: f32):
// CHECK-NEXT:      %19 = arith.addf %18, %17 : f32
// CHECK-NEXT:      linalg.yield %19 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%16 : tensor<4xf32>) outs(%7 : tensor<4x16xf32>) {
// CHECK-NEXT:    ^bb0(%20: f32, %21: f32):
// CHECK-NEXT:      %22 = arith.divf %21, %20 : f32
// CHECK-NEXT:      linalg.yield %22 : f32
// CHECK-NEXT:    } -> tensor<4x16xf32>
// CHECK-NEXT:    func.return %y : tensor<4x16xf32>
// CHECK-NEXT:  }
func.func private @softmax(%x: tensor<4x16xf32>) -> tensor<4x16xf32> attributes {kernel} {
  %y = nn.softmax %x : tensor<4x16xf32>
  func.return %y : tensor<4x16xf32>
}

// The count is computed from the extent, which may become dynamic.
// CHECK-LABEL: func.func private @mean(%x: tensor<4x16xf32>, %out: tensor<4x1xf32> {bufferization.writable = true}) -> tensor<4x1xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %1 = linalg.fill ins(%0 : f32) outs(%out : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:    %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, 0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x16xf32>) outs(%1 : tensor<4x1xf32>) {
// CHECK-NEXT:    ^bb0(%3: f32, %4: f32):
// CHECK-NEXT:      %5 = arith.addf %4, %3 : f32
// CHECK-NEXT:      linalg.yield %5 : f32
// CHECK-NEXT:    } -> tensor<4x1xf32>
// CHECK-NEXT:    %6 = arith.constant 1 : index
// CHECK-NEXT:    %7 = tensor.dim %x, %6 : tensor<4x16xf32>
// CHECK-NEXT:    %8 = arith.index_cast %7 : index to i64
// CHECK-NEXT:    %9 = arith.sitofp %8 : i64 to f32
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%2 : tensor<4x1xf32>) {
// CHECK-NEXT:    ^bb0(%10: f32):
// CHECK-NEXT:      %11 = arith.divf %10, %9 : f32
// CHECK-NEXT:      linalg.yield %11 : f32
// CHECK-NEXT:    } -> tensor<4x1xf32>
// CHECK-NEXT:    func.return %y : tensor<4x1xf32>
// CHECK-NEXT:  }
func.func private @mean(%x: tensor<4x16xf32>) -> tensor<4x1xf32> attributes {kernel} {
  %y = nn.reduce_mean %x axes = [1] keepdims = true : tensor<4x16xf32> -> tensor<4x1xf32>
  func.return %y : tensor<4x1xf32>
}

// A batch that broadcasts is read at 0; halves are added up in f32.
// CHECK-LABEL: func.func private @matmul(%a: tensor<5x4x3xf16>, %b: tensor<1x3x2xf16>, %out: tensor<5x4x2xf16> {bufferization.writable = true}) -> tensor<5x4x2xf16> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<5x4x2xf32>
// CHECK-NEXT:    %1 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %2 = linalg.fill ins(%1 : f32) outs(%0 : tensor<5x4x2xf32>) -> tensor<5x4x2xf32>
// CHECK-NEXT:    %3 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (0, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a, %b : tensor<5x4x3xf16>, tensor<1x3x2xf16>) outs(%2 : tensor<5x4x2xf32>) {
// CHECK-NEXT:    ^bb0(%4: f16, %5: f16, %6: f32):
// CHECK-NEXT:      %7 = arith.extf %4 : f16 to f32
// CHECK-NEXT:      %8 = arith.extf %5 : f16 to f32
// CHECK-NEXT:      %9 = arith.mulf %7, %8 fastmath<contract> : f32
// CHECK-NEXT:      %10 = arith.addf %6, %9 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %10 : f32
// CHECK-NEXT:    } -> tensor<5x4x2xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3 : tensor<5x4x2xf32>) outs(%out : tensor<5x4x2xf16>) {
// CHECK-NEXT:    ^bb0(%11: f32, %12: f16):
// CHECK-NEXT:      %13 = arith.truncf %11 : f32 to f16
// CHECK-NEXT:      linalg.yield %13 : f16
// CHECK-NEXT:    } -> tensor<5x4x2xf16>
// CHECK-NEXT:    func.return %y : tensor<5x4x2xf16>
// CHECK-NEXT:  }
func.func private @matmul(%a: tensor<5x4x3xf16>, %b: tensor<1x3x2xf16>) -> tensor<5x4x2xf16> attributes {kernel} {
  %y = nn.matmul %a, %b : tensor<5x4x3xf16>, tensor<1x3x2xf16> -> tensor<5x4x2xf16>
  func.return %y : tensor<5x4x2xf16>
}
