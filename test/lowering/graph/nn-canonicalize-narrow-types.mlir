// RUN: mlopt %s --nn-canonicalize | filecheck %s

// A chain of casts is one where the type in the middle holds every number of the first.
// CHECK-LABEL: func.func @chains(
// CHECK-DAG: %[[A:.*]] = nn.cast %x : tensor<4xf8E5M2> -> tensor<4xf16>
// CHECK-DAG: %[[B:.*]] = nn.cast %i saturate = false : tensor<4xi4> -> tensor<4xf8E4M3FN>
// CHECK-DAG: %[[C:.*]] = nn.cast %y : tensor<4xf32> -> tensor<4xf8E5M2>
// CHECK-DAG: %[[D:.*]] = nn.cast %[[C]] : tensor<4xf8E5M2> -> tensor<4xf32>
// CHECK: return %[[A]], %[[B]], %[[D]]
func.func @chains(%x: tensor<4xf8E5M2>, %i: tensor<4xi4>, %y: tensor<4xf32>) -> (tensor<4xf16>, tensor<4xf8E4M3FN>, tensor<4xf32>) {
  %0 = nn.cast %x : tensor<4xf8E5M2> -> tensor<4xf32>
  %1 = nn.cast %0 : tensor<4xf32> -> tensor<4xf16>
  %2 = nn.cast %i : tensor<4xi4> -> tensor<4xf32>
  %3 = nn.cast %2 saturate = false : tensor<4xf32> -> tensor<4xf8E4M3FN>
  %4 = nn.cast %y : tensor<4xf32> -> tensor<4xf8E5M2>
  %5 = nn.cast %4 : tensor<4xf8E5M2> -> tensor<4xf32>
  return %1, %3, %5 : tensor<4xf16>, tensor<4xf8E4M3FN>, tensor<4xf32>
}
