// RUN: mlopt %s --choose-gpu-schedule --split-input-file | filecheck %s

// Every element of a product is a thread; its sum stays inside.

#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @matmul
// CHECK-SAME:    schedule = [["fuse", "d0", "d1"], ["parallel", "d0", "d1"]]
// CHECK:         loops = ["d0", "d1", "d2"]
func.func private @matmul(%a: tensor<4x8xf32>, %b: tensor<8x6xf32>, %out: tensor<4x6xf32>) -> tensor<4x6xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%out : tensor<4x6xf32>) -> tensor<4x6xf32>
  %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x8xf32>, tensor<8x6xf32>) outs(%init : tensor<4x6xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %p = arith.mulf %x, %y : f32
    %t = arith.addf %s, %p : f32
    linalg.yield %t : f32
  } -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}

// -----

// A schedule that is there stays.

// CHECK-LABEL: @mine
// CHECK-SAME:    schedule = [["parallel", "d0"]]
#id = affine_map<(d0) -> (d0)>
func.func private @mine(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {kernel, schedule = [["parallel", "d0"]]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.negf %a : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

// The rows of a softmax: a block has a row, its threads lie along it.

#row = affine_map<(d0, d1) -> (d0, d1)>
#one = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: @sums
// CHECK-SAME:    schedule = {{.*}}"fuse", "d0"], ["split", "d1", 128, "d1r"], ["rfactor", "d1r"], ["parallel", "d0"], ["bind", ["d1r", 128, 1]]]
func.func private @sums(%x: tensor<4x1000xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%out : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#row, #one], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x1000xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %s, %a : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// A product that fills tiles: both operands pass through shared memory, a thread adds up a small tile.

#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @product
// CHECK-SAME:    ["fuse", "m", "n"], ["split", "m", 128, "mr"], ["split", "n", 128, "nr"], ["split", "k", 32, "kr"]
// CHECK-SAME:    ["reorder", "m", "n", "mr", "nr"], ["parallel", "m", "n"], ["jam", "mr", "nr"]
// CHECK-SAME:    ["cache_read", 0, "k", 4], ["cache_read", 1, "k", 0], ["pad", "kr"], ["unroll", "kr", 4]
// CHECK-SAME:    ["bind", ["mr", 8, 4], ["nr", 32, 1]]]
func.func private @product(%a: tensor<2048x512xf32>, %b: tensor<512x2048xf32>, %out: tensor<2048x2048xf32>) -> tensor<2048x2048xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%out : tensor<2048x2048xf32>) -> tensor<2048x2048xf32>
  %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<2048x512xf32>, tensor<512x2048xf32>) outs(%init : tensor<2048x2048xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %p = arith.mulf %x, %y : f32
    %t = arith.addf %s, %p : f32
    linalg.yield %t : f32
  } -> tensor<2048x2048xf32>
  return %r : tensor<2048x2048xf32>
}
