// RUN: mlopt %s --transform-interpreter | filecheck %s
// RUN: mlopt %s --validate-each --transform-interpreter -o /dev/null

// CHECK: #map = affine_map<(d0) -> (-d0 + 7, 3)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 - 1)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [4, 0, 3] interchange = [2, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }

// CHECK-LABEL: func.func @matmul(%a: tensor<8x7xf32>, %b: tensor<7x5xf32>, %c: tensor<8x5xf32>) -> tensor<8x5xf32> {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c7 = arith.constant 7 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %0 = scf.for %arg0 = %c0 to %c7 step %c3 iter_args(%arg1 = %c) -> (tensor<8x5xf32>) {
// CHECK-NEXT:      %1 = scf.for %arg2 = %c0 to %c8 step %c4 iter_args(%arg3 = %arg1) -> (tensor<8x5xf32>) {
// CHECK-NEXT:        %c7_0 = arith.constant 7 : index
// CHECK-NEXT:        %2 = affine.min #map(%arg0)
// CHECK-NEXT:        %3 = affine.apply #map1(%2)
// CHECK-NEXT:        %4 = affine.apply #map1(%2)
// CHECK-NEXT:        %5 = affine.apply #map1(%2)
// CHECK-NEXT:        %extracted_slice = tensor.extract_slice %a[%arg2, %arg0] [4, %2] [1, 1] : tensor<8x7xf32> to tensor<4x?xf32>
// CHECK-NEXT:        %extracted_slice_1 = tensor.extract_slice %b[%arg0, 0] [%2, 5] [1, 1] : tensor<7x5xf32> to tensor<?x5xf32>
// CHECK-NEXT:        %extracted_slice_2 = tensor.extract_slice %arg3[%arg2, 0] [4, 5] [1, 1] : tensor<8x5xf32> to tensor<4x5xf32>
// CHECK-NEXT:        %6 = linalg.matmul ins(%extracted_slice, %extracted_slice_1 : tensor<4x?xf32>, tensor<?x5xf32>) outs(%extracted_slice_2 : tensor<4x5xf32>) -> tensor<4x5xf32>
// CHECK-NEXT:        %inserted_slice = tensor.insert_slice %6 into %arg3[%arg2, 0] [4, 5] [1, 1] : tensor<4x5xf32> into tensor<8x5xf32>
// CHECK-NEXT:        scf.yield %inserted_slice : tensor<8x5xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield %1 : tensor<8x5xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %0 : tensor<8x5xf32>
// CHECK-NEXT:  }
  func.func @matmul(%a: tensor<8x7xf32>, %b: tensor<7x5xf32>, %c: tensor<8x5xf32>) -> tensor<8x5xf32> {
    %0 = linalg.matmul ins(%a, %b : tensor<8x7xf32>, tensor<7x5xf32>) outs(%c : tensor<8x5xf32>) -> tensor<8x5xf32>
    return %0 : tensor<8x5xf32>
  }
}
