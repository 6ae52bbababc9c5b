// RUN: mlopt %s --mlir-print-local-scope --generalize-extents | filecheck %s

#mn = affine_map<(m, n) -> (m, n)>
#m = affine_map<(m, n) -> (m)>

// Temporaries get their sizes from the destination; equal extents that no map ties together stay apart.
// CHECK-LABEL: func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
// CHECK-NEXT:      %e = tensor.empty() : tensor<4x4xf32>
// CHECK-NEXT:      %cast = tensor.cast %x : tensor<4x4xf32> to tensor<?x?xf32>
// CHECK-NEXT:      %cast_0 = tensor.cast %e : tensor<4x4xf32> to tensor<?x?xf32>
// CHECK-NEXT:      %0 = call @rows(%cast, %cast_0) : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
// CHECK-NEXT:      %cast_1 = tensor.cast %0 : tensor<?x?xf32> to tensor<4x4xf32>
// CHECK-NEXT:      return %cast_1 : tensor<4x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %0 = func.call @rows(%x, %e) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  func.return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func private @rows(%x: tensor<?x?xf32>, %out: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {kernel} {
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %dim = tensor.dim %out, %c0 : tensor<?x?xf32>
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %e = tensor.empty(%dim) : tensor<?xf32>
// CHECK-NEXT:      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT:      %s = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xf32>) outs(%f : tensor<?xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %0 = arith.addf %out_0, %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<?xf32>
// CHECK-NEXT:      %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %s : tensor<?x?xf32>, tensor<?xf32>) outs(%out : tensor<?x?xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:        %0 = arith.divf %in, %in_0 : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<?x?xf32>
// CHECK-NEXT:      return %r : tensor<?x?xf32>
// CHECK-NEXT:    }
func.func private @rows(%x: tensor<4x4xf32>, %out: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.addf %1, %0 : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<4x4xf32>, tensor<4xf32>) outs(%out : tensor<4x4xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.divf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<4x4xf32>
  func.return %r : tensor<4x4xf32>
}

// Static stays what the schedule names, a tile, and the window of a pool, which only a temporary tells.
// CHECK-LABEL: func.func private @static(%x: tensor<?x?x8xf32>, %k: tensor<3x8xf32>, %out: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {kernel, schedule = [["parallel", "oh"]]} {
// CHECK-NEXT:      %w = tensor.empty() : tensor<2xf32>
// CHECK-NEXT:      %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d1 floordiv 8, d0 + d2, d1 mod 8)>, affine_map<(d0, d1, d2, d3) -> (d2, d1 mod 8)>, affine_map<(d0, d1, d2, d3) -> (d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]} ins(%x, %k, %w : tensor<?x?x8xf32>, tensor<3x8xf32>, tensor<2xf32>) outs(%out : tensor<?x?xf32>) attrs = {loops = ["oh", "c", "kh", "j"]} {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %in_1: f32, %out_2: f32):
// CHECK-NEXT:        %0 = arith.mulf %in, %in_0 : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<?x?xf32>
// CHECK-NEXT:      return %r : tensor<?x?xf32>
// CHECK-NEXT:    }
func.func private @static(%x: tensor<2x5x8xf32>, %k: tensor<3x8xf32>, %out: tensor<3x16xf32>) -> tensor<3x16xf32>
    attributes {kernel, schedule = [["static", "kh"], ["parallel", "oh"]]} {
  %w = tensor.empty() : tensor<2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(oh, c, kh, j) -> (c floordiv 8, oh + kh, c mod 8)>, affine_map<(oh, c, kh, j) -> (kh, c mod 8)>,
          affine_map<(oh, c, kh, j) -> (j)>, affine_map<(oh, c, kh, j) -> (oh, c)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %k, %w : tensor<2x5x8xf32>, tensor<3x8xf32>, tensor<2xf32>) outs(%out : tensor<3x16xf32>) attrs = {loops = ["oh", "c", "kh", "j"]} {
  ^bb0(%0: f32, %1: f32, %2: f32, %3: f32):
    %4 = arith.mulf %0, %1 : f32
    linalg.yield %4 : f32
  } -> tensor<3x16xf32>
  func.return %r : tensor<3x16xf32>
}
