// RUN: mlopt %s --mlir-print-local-scope | mlopt --mlir-print-local-scope | filecheck %s
// RUN: mlopt %s --mlir-print-local-scope --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt --mlir-print-local-scope | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

#mn = affine_map<(m, n) -> (m, n)>

// CHECK-LABEL: func.func @f(%a: tensor<4x8xf32>, %b: tensor<8x6xf32>, %c: tensor<4x6xf32>, %z: f32, %i: tensor<768x3000xf32>, %d: tensor<94x768x32xf32>, %n: index, %dyn: tensor<?x?xf32>, %pk: tensor<?x?x?xf32>, %m: memref<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
func.func @f(%a: tensor<4x8xf32>, %b: tensor<8x6xf32>, %c: tensor<4x6xf32>, %z: f32, %i: tensor<768x3000xf32>, %d: tensor<94x768x32xf32>, %n: index, %dyn: tensor<?x?xf32>, %pk: tensor<?x?x?xf32>, %m: memref<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  // CHECK-NEXT: %f = linalg.fill ins(%z : f32) outs(%c : tensor<4x6xf32>) -> tensor<4x6xf32>
  %f = linalg.fill ins(%z : f32) outs(%c : tensor<4x6xf32>) -> tensor<4x6xf32>
  // CHECK-NEXT: linalg.fill {stage = "x"} ins(%z : f32) outs(%m : memref<4x6xf32>)
  linalg.fill {stage = "x"} ins(%z : f32) outs(%m : memref<4x6xf32>)
  // CHECK-NEXT: linalg.copy ins(%m : memref<4x6xf32>) outs(%m : memref<4x6xf32>)
  linalg.copy ins(%m : memref<4x6xf32>) outs(%m : memref<4x6xf32>)
  // CHECK-NEXT: %mm = linalg.matmul ins(%a, %b : tensor<4x8xf32>, tensor<8x6xf32>) outs(%f : tensor<4x6xf32>) -> tensor<4x6xf32>
  %mm = linalg.matmul ins(%a, %b : tensor<4x8xf32>, tensor<8x6xf32>) outs(%f : tensor<4x6xf32>) -> tensor<4x6xf32>
  // CHECK-NEXT: %g:2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%mm : tensor<4x6xf32>) outs(%c, %c : tensor<4x6xf32>, tensor<4x6xf32>) attrs = {loops = ["m", "n"], stage = "e"} {
  %g:2 = linalg.generic {indexing_maps = [#mn, #mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%mm : tensor<4x6xf32>) outs(%c, %c : tensor<4x6xf32>, tensor<4x6xf32>) attrs = {loops = ["m", "n"], stage = "e"} {
  // CHECK-NEXT: ^bb0(%x: f32, %y: f32, %w: f32):
  ^bb0(%x: f32, %y: f32, %w: f32):
    // CHECK-NEXT: %ii = linalg.index 0 : index
    %ii = linalg.index 0 : index
    // CHECK-NEXT: linalg.yield %x, %y : f32, f32
    linalg.yield %x, %y : f32, f32
  // CHECK-NEXT: } -> (tensor<4x6xf32>, tensor<4x6xf32>)
  } -> (tensor<4x6xf32>, tensor<4x6xf32>)
  // CHECK-NEXT: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%m : memref<4x6xf32>) outs(%m : memref<4x6xf32>) {
  linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%m : memref<4x6xf32>) outs(%m : memref<4x6xf32>) {
  // CHECK-NEXT: ^bb0(%x: f32, %y: f32):
  ^bb0(%x: f32, %y: f32):
    // CHECK-NEXT: linalg.yield %x : f32
    linalg.yield %x : f32
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: %p = linalg.pack %i padding_value(%z : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %d : tensor<768x3000xf32> -> tensor<94x768x32xf32>
  %p = linalg.pack %i padding_value(%z : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %d : tensor<768x3000xf32> -> tensor<94x768x32xf32>
  // CHECK-NEXT: %u = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %i : tensor<94x768x32xf32> -> tensor<768x3000xf32>
  %u = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %i : tensor<94x768x32xf32> -> tensor<768x3000xf32>
  // CHECK-NEXT: %q = linalg.pack %dyn padding_value(%z : f32) inner_dims_pos = [1] inner_tiles = [%n] into %pk : tensor<?x?xf32> -> tensor<?x?x?xf32>
  %q = linalg.pack %dyn padding_value(%z : f32) inner_dims_pos = [1] inner_tiles = [%n] into %pk : tensor<?x?xf32> -> tensor<?x?x?xf32>
  // CHECK-NEXT: %e = tensor.empty() : tensor<8x4xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  // CHECK-NEXT: %t = linalg.transpose ins(%a : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
  %t = linalg.transpose ins(%a : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
  // CHECK-NEXT: return %g#0, %g#1 : tensor<4x6xf32>, tensor<4x6xf32>
  func.return %g#0, %g#1 : tensor<4x6xf32>, tensor<4x6xf32>
// CHECK-NEXT: }
}
