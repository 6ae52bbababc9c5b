// RUN: mlopt %s --transform-interpreter | filecheck %s
// RUN: mlopt %s --validate-each --transform-interpreter -o /dev/null

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.add"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loop = transform.structured.fuse %0 tile_sizes [4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }

// CHECK-LABEL: func.func @chain(%a: tensor<8xf32>, %b: tensor<8xf32>, %f: f32) -> tensor<8xf32> {
// CHECK-NEXT:    %e = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %0 = scf.for %arg0 = %c0 to %c8 step %c4 iter_args(%arg1 = %e) -> (tensor<8xf32>) {
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %a[%arg0] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %e[%arg0] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:      %1 = linalg.fill ins(%f : f32) outs(%extracted_slice_0 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %extracted_slice_1 = tensor.extract_slice %e[%arg0] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:      %2 = linalg.mul ins(%extracted_slice, %1 : tensor<4xf32>, tensor<4xf32>) outs(%extracted_slice_1 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %extracted_slice_2 = tensor.extract_slice %b[%arg0] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:      %extracted_slice_3 = tensor.extract_slice %arg1[%arg0] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:      %3 = linalg.add ins(%2, %extracted_slice_2 : tensor<4xf32>, tensor<4xf32>) outs(%extracted_slice_3 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %3 into %arg1[%arg0] [4] [1] : tensor<4xf32> into tensor<8xf32>
// CHECK-NEXT:      scf.yield %inserted_slice : tensor<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %0 : tensor<8xf32>
// CHECK-NEXT:  }
  func.func @chain(%a: tensor<8xf32>, %b: tensor<8xf32>, %f: f32) -> tensor<8xf32> {
    %e = tensor.empty() : tensor<8xf32>
    %0 = linalg.fill ins(%f : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    %1 = linalg.mul ins(%a, %0 : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    %2 = linalg.add ins(%1, %b : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    return %2 : tensor<8xf32>
  }
}
