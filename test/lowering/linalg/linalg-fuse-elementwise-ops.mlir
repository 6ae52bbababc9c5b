// RUN: mlopt %s --linalg-fuse-elementwise-ops | filecheck %s
// RUN: mlopt %s --validate-each --linalg-fuse-elementwise-ops -o /dev/null

// CHECK: #map = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-NEXT: #map1 = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-NEXT: #map2 = affine_map<(d0, d1) -> (d0)>
// CHECK-NEXT: #map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>
#row = affine_map<(i, j) -> (i)>
#scalar = affine_map<(i, j) -> ()>

// CHECK-LABEL: func.func @producer_is_read_transposed(%a: tensor<4x3xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %f = tensor.empty() : tensor<3x4xf32>
// CHECK-NEXT:    %0 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<4x3xf32>, tensor<3x4xf32>) outs(%f : tensor<3x4xf32>) {
// CHECK-NEXT:    ^bb0(%x: f32, %z: f32, %o: f32):
// CHECK-NEXT:      %y = arith.addf %x, %x : f32
// CHECK-NEXT:      %y_0 = arith.mulf %y, %z : f32
// CHECK-NEXT:      linalg.yield %y_0 : f32
// CHECK-NEXT:    } -> tensor<3x4xf32>
// CHECK-NEXT:    return %0 : tensor<3x4xf32>
// CHECK-NEXT:  }
func.func @producer_is_read_transposed(%a: tensor<4x3xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %e = tensor.empty() : tensor<4x3xf32>
  %f = tensor.empty() : tensor<3x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.addf %x, %x : f32
    linalg.yield %y : f32
  } -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#t, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %b : tensor<4x3xf32>, tensor<3x4xf32>) outs(%f : tensor<3x4xf32>) {
  ^bb0(%x: f32, %z: f32, %o: f32):
    %y = arith.mulf %x, %z : f32
    linalg.yield %y : f32
  } -> tensor<3x4xf32>
  return %1 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @into_reduction(%a: tensor<4x3xf32>, %s: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %two = arith.constant 2.000000e+00 : f32
// CHECK-NEXT:    %0 = linalg.generic {indexing_maps = [#map1, #map2], iterator_types = ["parallel", "reduction"]} ins(%a : tensor<4x3xf32>) outs(%s : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%x: f32, %o: f32):
// CHECK-NEXT:      %y = arith.mulf %x, %two : f32
// CHECK-NEXT:      %y_0 = arith.addf %y, %o : f32
// CHECK-NEXT:      linalg.yield %y_0 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    return %0 : tensor<4xf32>
// CHECK-NEXT:  }
func.func @into_reduction(%a: tensor<4x3xf32>, %s: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4x3xf32>
  %c = arith.constant dense<2.0> : tensor<4x3xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %c : tensor<4x3xf32>, tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%x: f32, %two: f32, %o: f32):
    %y = arith.mulf %x, %two : f32
    linalg.yield %y : f32
  } -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%0 : tensor<4x3xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.addf %x, %o : f32
    linalg.yield %y : f32
  } -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: func.func @used_twice(%a: tensor<4x3xi32>) -> (tensor<4x3xi32>, tensor<4x3xi32>) {
// CHECK-NEXT:    %e = tensor.empty() : tensor<4x3xi32>
// CHECK-NEXT:    %0 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x3xi32>) outs(%e : tensor<4x3xi32>) {
// CHECK-NEXT:    ^bb0(%x: i32, %o: i32):
// CHECK-NEXT:      %y = arith.addi %x, %x : i32
// CHECK-NEXT:      linalg.yield %y : i32
// CHECK-NEXT:    } -> tensor<4x3xi32>
// CHECK-NEXT:    %1 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x3xi32>) outs(%e : tensor<4x3xi32>) {
// CHECK-NEXT:    ^bb0(%x: i32, %o: i32):
// CHECK-NEXT:      %y = arith.muli %x, %x : i32
// CHECK-NEXT:      linalg.yield %y : i32
// CHECK-NEXT:    } -> tensor<4x3xi32>
// CHECK-NEXT:    return %0, %1 : tensor<4x3xi32>, tensor<4x3xi32>
// CHECK-NEXT:  }
func.func @used_twice(%a: tensor<4x3xi32>) -> (tensor<4x3xi32>, tensor<4x3xi32>) {
  %e = tensor.empty() : tensor<4x3xi32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x3xi32>) outs(%e : tensor<4x3xi32>) {
  ^bb0(%x: i32, %o: i32):
    %y = arith.addi %x, %x : i32
    linalg.yield %y : i32
  } -> tensor<4x3xi32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x3xi32>) outs(%e : tensor<4x3xi32>) {
  ^bb0(%x: i32, %o: i32):
    %y = arith.muli %x, %x : i32
    linalg.yield %y : i32
  } -> tensor<4x3xi32>
  return %0, %1 : tensor<4x3xi32>, tensor<4x3xi32>
}

// CHECK-LABEL: func.func @expand_behind(%a: tensor<12x3xf32>) -> tensor<4x3x3xf32> {
// CHECK-NEXT:    %expanded = tensor.expand_shape %a {{\[\[}}0, 1], [2]] output_shape [4, 3, 3] : tensor<12x3xf32> into tensor<4x3x3xf32>
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4x3x3xf32>
// CHECK-NEXT:    %1 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded : tensor<4x3x3xf32>) outs(%0 : tensor<4x3x3xf32>) {
// CHECK-NEXT:    ^bb0(%x: f32, %o: f32):
// CHECK-NEXT:      %y = math.absf %x : f32
// CHECK-NEXT:      linalg.yield %y : f32
// CHECK-NEXT:    } -> tensor<4x3x3xf32>
// CHECK-NEXT:    return %1 : tensor<4x3x3xf32>
// CHECK-NEXT:  }
func.func @expand_behind(%a: tensor<12x3xf32>) -> tensor<4x3x3xf32> {
  %e = tensor.empty() : tensor<12x3xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<12x3xf32>) outs(%e : tensor<12x3xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = math.absf %x : f32
    linalg.yield %y : f32
  } -> tensor<12x3xf32>
  %1 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [4, 3, 3] : tensor<12x3xf32> into tensor<4x3x3xf32>
  return %1 : tensor<4x3x3xf32>
}

// CHECK-LABEL: func.func @constant_transposed() -> tensor<3x2xf32> {
// CHECK-NEXT:    %cst = arith.constant dense<{{\[\[}}1.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00], [3.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
// CHECK-NEXT:    return %cst : tensor<3x2xf32>
// CHECK-NEXT:  }
func.func @constant_transposed() -> tensor<3x2xf32> {
  %c = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %0 = linalg.transpose ins(%c : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  return %0 : tensor<3x2xf32>
}
