// RUN: mlopt %s --transform-interpreter | filecheck %s
// RUN: mlopt %s --validate-each --transform-interpreter -o /dev/null

// CHECK: #map = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK-NEXT: #map1 = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-NEXT: #map2 = affine_map<(d0, d1, d2) -> (d1, d2)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %1 = transform.structured.generalize %0 : (!transform.any_op) -> !transform.any_op
    %2 = transform.structured.interchange %1 iterator_interchange = [2, 0, 1] : (!transform.any_op) -> !transform.any_op
    %f = transform.get_parent_op %2 {op_name = "func.func"} : (!transform.any_op) -> !transform.any_op
    transform.apply_patterns to %f {
      transform.apply_patterns.canonicalization
    } : !transform.any_op
    transform.yield
  }

// CHECK-LABEL: func.func @matmul(%a: tensor<8x7xf32>, %b: tensor<7x5xf32>, %c: tensor<8x5xf32>) -> tensor<8x5xf32> {
// CHECK-NEXT:    %0 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["reduction", "parallel", "parallel"]} ins(%a, %b : tensor<8x7xf32>, tensor<7x5xf32>) outs(%c : tensor<8x5xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out: f32):
// CHECK-NEXT:      %1 = arith.mulf %in, %in_0 : f32
// CHECK-NEXT:      %2 = arith.addf %out, %1 : f32
// CHECK-NEXT:      linalg.yield %2 : f32
// CHECK-NEXT:    } -> tensor<8x5xf32>
// CHECK-NEXT:    return %0 : tensor<8x5xf32>
// CHECK-NEXT:  }
  func.func @matmul(%a: tensor<8x7xf32>, %b: tensor<7x5xf32>, %c: tensor<8x5xf32>) -> tensor<8x5xf32> {
    %0 = linalg.matmul ins(%a, %b : tensor<8x7xf32>, tensor<7x5xf32>) outs(%c : tensor<8x5xf32>) -> tensor<8x5xf32>
    return %0 : tensor<8x5xf32>
  }
}
