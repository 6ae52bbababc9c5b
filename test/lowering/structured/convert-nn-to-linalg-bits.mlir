// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg | filecheck %s
// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg --linalg-fuse-pointwise --choose-schedule | filecheck %s --check-prefix=SCHEDULE

// Weights of four bits come out of their bytes where they are multiplied. A contraction all the same: what else walks along the loops of the
// weights (scales, the part of a byte) takes nothing from it.
// CHECK-LABEL: func.func private @product(%a: tensor<3x2x16x2xf32>, %w: tensor<2x16x40xi8>, %s: tensor<2x40xf32>, %z: tensor<1x1xf32>, %out: tensor<3x40xf32> {bufferization.writable = true}) -> tensor<3x40xf32> attributes {kernel} {
// CHECK-NEXT:      %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %0 = linalg.fill ins(%cst : f32) outs(%out : tensor<3x40xf32>) -> tensor<3x40xf32>
// CHECK-NEXT:      %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d1)>, affine_map<(d0, d1, d2, d3, d4) -> (d2, d1)>, affine_map<(d0, d1, d2, d3, d4) -> (0, 0)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%a, %w, %s, %z : tensor<3x2x16x2xf32>, tensor<2x16x40xi8>, tensor<2x40xf32>, tensor<1x1xf32>) outs(%0 : tensor<3x40xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: i8, %in_1: f32, %in_2: f32, %out_3: f32):
// CHECK-NEXT:        %1 = arith.extui %in_0 : i8 to i32
// CHECK-NEXT:        %2 = linalg.index 4 : index
// CHECK-NEXT:        %3 = arith.index_cast %2 : index to i32
// CHECK-NEXT:        %c4_i32 = arith.constant 4 : i32
// CHECK-NEXT:        %4 = arith.muli %3, %c4_i32 : i32
// CHECK-NEXT:        %5 = arith.shrui %1, %4 : i32
// CHECK-NEXT:        %c15_i32 = arith.constant 15 : i32
// CHECK-NEXT:        %6 = arith.andi %5, %c15_i32 : i32
// CHECK-NEXT:        %7 = arith.sitofp %6 : i32 to f32
// CHECK-NEXT:        %8 = arith.subf %7, %in_2 : f32
// CHECK-NEXT:        %9 = arith.mulf %8, %in_1 : f32
// CHECK-NEXT:        %10 = arith.mulf %in, %9 fastmath<contract> : f32
// CHECK-NEXT:        %11 = arith.addf %out_3, %10 fastmath<contract> : f32
// CHECK-NEXT:        linalg.yield %11 : f32
// CHECK-NEXT:      } -> tensor<3x40xf32>
// CHECK-NEXT:      return %y : tensor<3x40xf32>
// CHECK-NEXT:    }
// SCHEDULE: func.func private @product(%a: tensor<3x2x16x2xf32>, %w: tensor<2x16x40xi8>, %s: tensor<2x40xf32>, %z: tensor<1x1xf32>, %out: tensor<3x40xf32> {bufferization.writable = true}) -> tensor<3x40xf32> attributes {kernel, schedule = {{\[\[}}"static", "k", "k2"], ["fuse", "m", "n"], ["split", "m", 3, "mr", "exact"], ["split", "n", 48, "nr"], ["reorder", "m", "n", "mr", "nr"], ["parallel", "m", "n"], ["jam", "mr", "nr"], ["vectorize", "mr", "nr"], ["unroll", "k2", "full"{{\]\]}}} {
func.func private @product(%a: tensor<3x2x16x2xf32>, %w: tensor<2x16x40xui8>, %s: tensor<2x40xf32>, %z: tensor<1x1xf32>) -> tensor<3x40xf32> attributes {kernel} {
  %y = nn.block_quantized_matmul %a, %w, %s, %z : tensor<3x2x16x2xf32>, tensor<2x16x40xui8>, tensor<2x40xf32>, tensor<1x1xf32> -> tensor<3x40xf32>
  func.return %y : tensor<3x40xf32>
}
