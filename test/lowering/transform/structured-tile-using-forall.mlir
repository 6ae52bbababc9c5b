// RUN: mlopt %s --transform-interpreter | filecheck %s
// RUN: mlopt %s --validate-each --transform-interpreter -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0 * 3)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 * -3 + 8, 3)>
// CHECK-NEXT: #map2 = affine_map<(d0) -> (d0 - 1)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.add"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %2 = transform.structured.tile_using_forall %0 num_threads [3] (mapping = [#gpu.thread<x>]) : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }

// CHECK-LABEL: func.func @add(%a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
// CHECK-NEXT:    %0 = scf.forall (%arg0) in (3) shared_outs(%arg1 = %a) -> (tensor<8xf32>) {
// CHECK-NEXT:      %1 = affine.apply #map(%arg0)
// CHECK-NEXT:      %2 = affine.min #map1(%arg0)
// CHECK-NEXT:      %3 = affine.apply #map2(%2)
// CHECK-NEXT:      %4 = affine.apply #map(%arg0)
// CHECK-NEXT:      %5 = affine.apply #map2(%2)
// CHECK-NEXT:      %6 = affine.apply #map(%arg0)
// CHECK-NEXT:      %7 = affine.apply #map2(%2)
// CHECK-NEXT:      %8 = affine.apply #map(%arg0)
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %a[%4] [%2] [1] : tensor<8xf32> to tensor<?xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %b[%6] [%2] [1] : tensor<8xf32> to tensor<?xf32>
// CHECK-NEXT:      %extracted_slice_1 = tensor.extract_slice %arg1[%8] [%2] [1] : tensor<8xf32> to tensor<?xf32>
// CHECK-NEXT:      %9 = linalg.add ins(%extracted_slice, %extracted_slice_0 : tensor<?xf32>, tensor<?xf32>) outs(%extracted_slice_1 : tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT:      scf.forall.in_parallel {
// CHECK-NEXT:        tensor.parallel_insert_slice %9 into %arg1[%8] [%2] [1] : tensor<?xf32> into tensor<8xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:    } {mapping = [#gpu.thread<x>]}
// CHECK-NEXT:    return %0 : tensor<8xf32>
// CHECK-NEXT:  }
  func.func @add(%a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
    %0 = linalg.add ins(%a, %b : tensor<8xf32>, tensor<8xf32>) outs(%a : tensor<8xf32>) -> tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}
