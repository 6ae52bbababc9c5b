// RUN: mlopt %s --mlir-print-local-scope --transform-interpreter --split-input-file | filecheck %s

// What is read by a slice of a slice is computed in the loop: the slices are merged.

// CHECK-LABEL: func.func @behind_slices(%a: tensor<64xf32>, %b: tensor<32xf32>) -> tensor<32xf32> {
// CHECK-NOT:     linalg.exp
// CHECK:         scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[OUT:.*]] = %b) -> (tensor<32xf32>) {
// CHECK-NEXT:      %[[AT:.*]] = affine.apply affine_map<()[s0] -> (s0 + 16)>()[%[[I]]]
// CHECK:           %[[X:.*]] = tensor.extract_slice %a[%[[AT]]] [8] [1] : tensor<64xf32> to tensor<8xf32>
// CHECK:           %[[E:.*]] = linalg.exp ins(%[[X]] : tensor<8xf32>)
// CHECK:           linalg.add ins(%[[E]], %{{.*}} : tensor<8xf32>, tensor<8xf32>)
func.func @behind_slices(%a: tensor<64xf32>, %b: tensor<32xf32>) -> tensor<32xf32> {
  %0 = linalg.exp ins(%a : tensor<64xf32>) outs(%a : tensor<64xf32>) -> tensor<64xf32>
  %1 = tensor.extract_slice %0[16] [32] [1] : tensor<64xf32> to tensor<32xf32>
  %2 = linalg.add ins(%1, %b : tensor<32xf32>, tensor<32xf32>) outs(%b : tensor<32xf32>) -> tensor<32xf32>
  return %2 : tensor<32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.add"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loop = transform.structured.fuse %0 tile_sizes [8] {apply_cleanup} : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// CHECK-LABEL: func.func @merged(%t: tensor<64x64xf32>, %i: index, %s: tensor<4xf32>) -> (tensor<4xf32>, tensor<64x64xf32>) {
// CHECK-NEXT:    %[[AT:.*]] = affine.apply affine_map<()[s0] -> (s0 * 2 + 8)>()[%i]
// CHECK-NEXT:    %b = tensor.extract_slice %t[3, %[[AT]]] [1, 4] [1, 2] : tensor<64x64xf32> to tensor<4xf32>
// CHECK-NEXT:    %d = tensor.insert_slice %s into %t[2, 8] [1, 4] [1, 1] : tensor<4xf32> into tensor<64x64xf32>
// CHECK-NEXT:    return %b, %d
func.func @merged(%t: tensor<64x64xf32>, %i: index, %s: tensor<4xf32>) -> (tensor<4xf32>, tensor<64x64xf32>) {
  %a = tensor.extract_slice %t[3, 8] [1, 16] [1, 2] : tensor<64x64xf32> to tensor<16xf32>
  %b = tensor.extract_slice %a[%i] [4] [1] : tensor<16xf32> to tensor<4xf32>
  %e = tensor.empty() : tensor<1x4xf32>
  %c = tensor.insert_slice %s into %e[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<1x4xf32>
  %d = tensor.insert_slice %c into %t[2, 8] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<64x64xf32>
  return %b, %d : tensor<4xf32>, tensor<64x64xf32>
}

// A part of what is inserted comes from elsewhere.

// CHECK-LABEL: func.func @partly
// CHECK:         tensor.insert_slice %s into %e[2]
func.func @partly(%t: tensor<64xf32>, %e: tensor<8xf32>, %s: tensor<4xf32>) -> tensor<64xf32> {
  %c = tensor.insert_slice %s into %e[2] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %d = tensor.insert_slice %c into %t[8] [8] [1] : tensor<8xf32> into tensor<64xf32>
  return %d : tensor<64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["func.func"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.apply_patterns to %0 {
      transform.apply_patterns.tensor.merge_consecutive_insert_extract_slice
    } : !transform.any_op
    transform.yield
  }
}
