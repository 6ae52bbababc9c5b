// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg | filecheck %s

// An index counts from the end if negative, and is clamped.
// CHECK-LABEL: func.func private @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>, %out: tensor<3x4xf32> {bufferization.writable = true}) -> tensor<3x4xf32> attributes {kernel} {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %dim = tensor.dim %x, %c0 : tensor<9x4xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%i : tensor<3xi64>) outs(%out : tensor<3x4xf32>) {
// CHECK-NEXT:    ^bb0(%in: i64, %out_0: f32):
// CHECK-NEXT:      %0 = arith.index_cast %in : i64 to index
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %1 = arith.cmpi slt, %0, %c0_1 : index
// CHECK-NEXT:      %2 = arith.addi %0, %dim : index
// CHECK-NEXT:      %3 = arith.select %1, %2, %0 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %4 = arith.subi %dim, %c1 : index
// CHECK-NEXT:      %5 = arith.minsi %3, %4 : index
// CHECK-NEXT:      %6 = arith.maxsi %5, %c0_1 : index
// CHECK-NEXT:      %7 = linalg.index 1 : index
// CHECK-NEXT:      %extracted = tensor.extract %x[%6, %7] : tensor<9x4xf32>
// CHECK-NEXT:      linalg.yield %extracted : f32
// CHECK-NEXT:    } -> tensor<3x4xf32>
// CHECK-NEXT:    return %y : tensor<3x4xf32>
// CHECK-NEXT:  }
func.func private @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> attributes {kernel} {
  %y = nn.gather %x, %i : tensor<9x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// The nearest of a whole multiple is a subscript.
// CHECK-LABEL: func.func private @upscale(%x: tensor<1x4x4x3xf32>, %out: tensor<1x8x8x3xf32> {bufferization.writable = true}) -> tensor<1x8x8x3xf32> attributes {kernel} {
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1 floordiv 2, d2 floordiv 2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x4x4x3xf32>) outs(%out : tensor<1x8x8x3xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:      linalg.yield %in : f32
// CHECK-NEXT:    } -> tensor<1x8x8x3xf32>
// CHECK-NEXT:    return %y : tensor<1x8x8x3xf32>
// CHECK-NEXT:  }
func.func private @upscale(%x: tensor<1x4x4x3xf32>) -> tensor<1x8x8x3xf32> attributes {kernel} {
  %y = nn.resize %x scales = [1.0, 2.0, 2.0, 1.0] : tensor<1x4x4x3xf32> -> tensor<1x8x8x3xf32>
  func.return %y : tensor<1x8x8x3xf32>
}

// Otherwise positions and weights are tables, which the caller passes.
// CHECK-LABEL: func.func private @linear(%x: tensor<4xf32>, %table: tensor<6x2xi32>, %table_0: tensor<6x2xf32>, %out: tensor<6xf32> {bufferization.writable = true}) -> tensor<6xf32> attributes {kernel} {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %dim = tensor.dim %x, %c0 : tensor<4xf32>
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<6xf32>) -> tensor<6xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%table, %table_0 : tensor<6x2xi32>, tensor<6x2xf32>) outs(%0 : tensor<6xf32>) {
// CHECK-NEXT:    ^bb0(%in: i32, %in_1: f32, %out_2: f32):
// CHECK-NEXT:      %1 = linalg.index 0 : index
// CHECK-NEXT:      %2 = arith.index_cast %in : i32 to index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %3 = arith.subi %dim, %c1 : index
// CHECK-NEXT:      %4 = arith.minsi %2, %3 : index
// CHECK-NEXT:      %c0_3 = arith.constant 0 : index
// CHECK-NEXT:      %5 = arith.maxsi %4, %c0_3 : index
// CHECK-NEXT:      %extracted = tensor.extract %x[%5] : tensor<4xf32>
// CHECK-NEXT:      %6 = arith.mulf %in_1, %extracted fastmath<contract> : f32
// CHECK-NEXT:      %7 = arith.addf %out_2, %6 fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %7 : f32
// CHECK-NEXT:    } -> tensor<6xf32>
// CHECK-NEXT:    return %y : tensor<6xf32>
// CHECK-NEXT:  }
func.func private @linear(%x: tensor<4xf32>) -> tensor<6xf32> attributes {kernel} {
  %y = nn.resize %x mode = "linear" scales = [1.5] : tensor<4xf32> -> tensor<6xf32>
  func.return %y : tensor<6xf32>
}

// CHECK-LABEL: func.func @call_linear(%x: tensor<4xf32>) -> tensor<6xf32> {
// CHECK-NEXT:    %cst = arith.constant dense<{{\[\[}}0, 0], [0, 1], [1, 2], [1, 2], [2, 3], [3, 3]]> : tensor<6x2xi32>
// CHECK-NEXT:    %cst_0 = arith.constant dense<{{\[\[}}0.166666672, 0.833333313], [5.000000e-01, 5.000000e-01], [0.833333313, 0.166666672], [0.166666672, 0.833333313], [5.000000e-01, 5.000000e-01], [0.833333313, 0.166666672]]> : tensor<6x2xf32>
// CHECK-NEXT:    %0 = tensor.empty() : tensor<6xf32>
// CHECK-NEXT:    %y = call @linear(%x, %cst, %cst_0, %0) : (tensor<4xf32>, tensor<6x2xi32>, tensor<6x2xf32>, tensor<6xf32>) -> tensor<6xf32>
// CHECK-NEXT:    return %y : tensor<6xf32>
// CHECK-NEXT:  }
func.func @call_linear(%x: tensor<4xf32>) -> tensor<6xf32> {
  %y = func.call @linear(%x) : (tensor<4xf32>) -> tensor<6xf32>
  func.return %y : tensor<6xf32>
}

// CHECK-LABEL: func.func private @slice(%x: tensor<9xf32>, %out: tensor<4xf32> {bufferization.writable = true}) -> tensor<4xf32> attributes {kernel} {
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0 * -2 + 8)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<9xf32>) outs(%out : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:      linalg.yield %in : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func private @slice(%x: tensor<9xf32>) -> tensor<4xf32> attributes {kernel} {
  %y = nn.slice %x starts = [8] ends = [0] steps = [-2] : tensor<9xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
