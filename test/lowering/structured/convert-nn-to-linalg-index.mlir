// RUN: mlopt %s --convert-nn-to-linalg | filecheck %s

// An index counts from the end if negative, and is clamped.
// CHECK-LABEL: func.func private @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>, %out: tensor<3x4xf32> {bufferization.writable = true}) -> tensor<3x4xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = arith.constant 0 : index
// CHECK-NEXT:    %1 = tensor.dim %x, %0 : tensor<9x4xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%i : tensor<3xi64>) outs(%out : tensor<3x4xf32>) {
// CHECK-NEXT:    ^bb0(%2: i64, %3: f32):
// CHECK-NEXT:      %4 = arith.index_cast %2 : i64 to index
// CHECK-NEXT:      %5 = arith.constant 0 : index
// CHECK-NEXT:      %6 = arith.cmpi slt, %4, %5 : index
// CHECK-NEXT:      %7 = arith.addi %4, %1 : index
// CHECK-NEXT:      %8 = arith.select %6, %7, %4 : index
// CHECK-NEXT:      %9 = arith.constant 1 : index
// CHECK-NEXT:      %10 = arith.subi %1, %9 : index
// CHECK-NEXT:      %11 = arith.minsi %8, %10 : index
// CHECK-NEXT:      %12 = arith.maxsi %11, %5 : index
// CHECK-NEXT:      %13 = linalg.index 1 : index
// CHECK-NEXT:      %14 = tensor.extract %x[%12, %13] : tensor<9x4xf32>
// CHECK-NEXT:      linalg.yield %14 : f32
// CHECK-NEXT:    } -> tensor<3x4xf32>
// CHECK-NEXT:    func.return %y : tensor<3x4xf32>
// CHECK-NEXT:  }
func.func private @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> attributes {kernel} {
  %y = nn.gather %x, %i : tensor<9x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// The nearest of a whole multiple is a subscript.
// CHECK-LABEL: func.func private @upscale(%x: tensor<1x4x4x3xf32>, %out: tensor<1x8x8x3xf32> {bufferization.writable = true}) -> tensor<1x8x8x3xf32> attributes {kernel} {
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, (d1 floordiv 2), (d2 floordiv 2), d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x4x4x3xf32>) outs(%out : tensor<1x8x8x3xf32>) {
// CHECK-NEXT:    ^bb0(%0: f32, %1: f32):
// CHECK-NEXT:      linalg.yield %0 : f32
// CHECK-NEXT:    } -> tensor<1x8x8x3xf32>
// CHECK-NEXT:    func.return %y : tensor<1x8x8x3xf32>
// CHECK-NEXT:  }
func.func private @upscale(%x: tensor<1x4x4x3xf32>) -> tensor<1x8x8x3xf32> attributes {kernel} {
  %y = nn.resize %x scales = [1.0, 2.0, 2.0, 1.0] : tensor<1x4x4x3xf32> -> tensor<1x8x8x3xf32>
  func.return %y : tensor<1x8x8x3xf32>
}

// Otherwise positions and weights are tables, which the caller passes.
// CHECK-LABEL: func.func private @linear(%x: tensor<4xf32>, %table: tensor<6x2xi32>, %table_1: tensor<6x2xf32>, %out: tensor<6xf32> {bufferization.writable = true}) -> tensor<6xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = arith.constant 0 : index
// CHECK-NEXT:    %1 = tensor.dim %x, %0 : tensor<4xf32>
// CHECK-NEXT:    %2 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %3 = linalg.fill ins(%2 : f32) outs(%out : tensor<6xf32>) -> tensor<6xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%table, %table_1 : tensor<6x2xi32>, tensor<6x2xf32>) outs(%3 : tensor<6xf32>) {
// CHECK-NEXT:    ^bb0(%4: i32, %5: f32, %6: f32):
// CHECK-NEXT:      %7 = linalg.index 0 : index
// CHECK-NEXT:      %8 = arith.index_cast %4 : i32 to index
// CHECK-NEXT:      %9 = arith.constant 1 : index
// CHECK-NEXT:      %10 = arith.subi %1, %9 : index
// CHECK-NEXT:      %11 = arith.minsi %8, %10 : index
// CHECK-NEXT:      %12 = arith.constant 0 : index
// CHECK-NEXT:      %13 = arith.maxsi %11, %12 : index
// CHECK-NEXT:      %14 = tensor.extract %x[%13] : tensor<4xf32>
// CHECK-NEXT:      %15 = arith.mulf %5, %14 fastmath<contract> : f32
// CHECK-NEXT:      %16 = arith.addf %6, %15 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %16 : f32
// CHECK-NEXT:    } -> tensor<6xf32>
// CHECK-NEXT:    func.return %y : tensor<6xf32>
// CHECK-NEXT:  }
func.func private @linear(%x: tensor<4xf32>) -> tensor<6xf32> attributes {kernel} {
  %y = nn.resize %x mode = "linear" scales = [1.5] : tensor<4xf32> -> tensor<6xf32>
  func.return %y : tensor<6xf32>
}

// CHECK-LABEL: func.func @call_linear(%x: tensor<4xf32>) -> tensor<6xf32> {
// CHECK-NEXT:    %0 = arith.constant dense<[[0, 0], [0, 1], [1, 2], [1, 2], [2, 3], [3, 3]]> : tensor<6x2xi32>
// CHECK-NEXT:    %1 = arith.constant dense<[[0.166666672, 0.833333313], [5.000000e-01, 5.000000e-01], [0.833333313, 0.166666672], [0.166666672, 0.833333313], [5.000000e-01, 5.000000e-01], [0.833333313, 0.166666672]]> : tensor<6x2xf32>
// CHECK-NEXT:    %2 = tensor.empty() : tensor<6xf32>
// CHECK-NEXT:    %y = func.call @linear(%x, %0, %1, %2) : (tensor<4xf32>, tensor<6x2xi32>, tensor<6x2xf32>, tensor<6xf32>) -> tensor<6xf32>
// CHECK-NEXT:    func.return %y : tensor<6xf32>
// CHECK-NEXT:  }
func.func @call_linear(%x: tensor<4xf32>) -> tensor<6xf32> {
  %y = func.call @linear(%x) : (tensor<4xf32>) -> tensor<6xf32>
  func.return %y : tensor<6xf32>
}

// CHECK-LABEL: func.func private @slice(%x: tensor<9xf32>, %out: tensor<4xf32> {bufferization.writable = true}) -> tensor<4xf32> attributes {kernel} {
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (((d0 * -2) + 8))>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<9xf32>) outs(%out : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%0: f32, %1: f32):
// CHECK-NEXT:      linalg.yield %0 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    func.return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func private @slice(%x: tensor<9xf32>) -> tensor<4xf32> attributes {kernel} {
  %y = nn.slice %x starts = [8] ends = [0] steps = [-2] : tensor<9xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
