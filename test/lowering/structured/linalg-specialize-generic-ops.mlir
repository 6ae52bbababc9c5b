// RUN: mlopt %s --linalg-specialize-generic-ops | filecheck %s
// RUN: mlopt %s --linalg-generalize-named-ops --linalg-specialize-generic-ops | filecheck %s
// RUN: mlopt %s --validate-each --linalg-generalize-named-ops --linalg-specialize-generic-ops -o /dev/null

// CHECK-LABEL: func.func @difference
// CHECK-NEXT:    [[R:%[a-z0-9_]+]] = linalg.sub ins(%b, %a : tensor<4x3xf32>, tensor<4x3xf32>) outs(%c : tensor<4x3xf32>) -> tensor<4x3xf32>
// CHECK-NEXT:    return [[R]]
func.func @difference(%a: tensor<4x3xf32>, %b: tensor<4x3xf32>, %c: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<4x3xf32>, tensor<4x3xf32>) outs(%c : tensor<4x3xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %1 = arith.subf %y, %x : f32
    linalg.yield %1 : f32
  } -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// What was generalized gets its name back.
// CHECK-LABEL: func.func @round_trip
// CHECK-NEXT:    linalg.fill ins(%s : f32) outs(%x : tensor<4x3xf32>)
// CHECK-NEXT:    linalg.exp ins(
// CHECK-NEXT:    linalg.transpose ins({{.*}} permutation = [1, 0]
// CHECK-NEXT:    linalg.matmul ins(
// CHECK-NEXT:    linalg.broadcast ins({{.*}} dimensions = [1]
// CHECK-NEXT:    linalg.matvec ins(
// CHECK-NEXT:    return
func.func @round_trip(%x: tensor<4x3xf32>, %t: tensor<3x4xf32>, %m: tensor<4x4xf32>, %v: tensor<4xf32>, %s: f32) -> (tensor<4x4xf32>, tensor<4xf32>) {
  %f = linalg.fill ins(%s : f32) outs(%x : tensor<4x3xf32>) -> tensor<4x3xf32>
  %e = linalg.exp ins(%f : tensor<4x3xf32>) outs(%x : tensor<4x3xf32>) -> tensor<4x3xf32>
  %p = linalg.transpose ins(%e : tensor<4x3xf32>) outs(%t : tensor<3x4xf32>) permutation = [1, 0]
  %c = linalg.matmul ins(%e, %p : tensor<4x3xf32>, tensor<3x4xf32>) outs(%m : tensor<4x4xf32>) -> tensor<4x4xf32>
  %b = linalg.broadcast ins(%v : tensor<4xf32>) outs(%c : tensor<4x4xf32>) dimensions = [1]
  %w = linalg.matvec ins(%b, %v : tensor<4x4xf32>, tensor<4xf32>) outs(%v : tensor<4xf32>) -> tensor<4xf32>
  return %c, %w : tensor<4x4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @no_name
// CHECK:         linalg.generic
func.func @no_name(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%a : tensor<4xf32>) outs(%a : tensor<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %1 = math.exp %x : f32
    %2 = arith.addf %1, %x : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
