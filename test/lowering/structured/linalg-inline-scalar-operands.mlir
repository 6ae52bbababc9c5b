// RUN: mlopt %s --linalg-inline-scalar-operands | filecheck %s
// RUN: mlopt %s --validate-each --linalg-inline-scalar-operands -o /dev/null

// CHECK-LABEL: func.func @scalars
// CHECK:         linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%t : tensor<4xf32>) outs(%t : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%x: f32, %o: f32):
// CHECK-NEXT:      [[I:%[a-z0-9_]+]] = arith.constant 1 : index
// CHECK-NEXT:      [[E:%[a-z0-9_]+]] = tensor.extract %u{{\[}}[[I]]{{\]}} : tensor<2xf32>
// CHECK-NEXT:      [[S:%[a-z0-9_]+]] = tensor.extract %s[] : tensor<f32>
// CHECK-NEXT:      [[A:%[a-z0-9_]+]] = arith.mulf %x, [[S]] : f32
// CHECK-NEXT:      [[B:%[a-z0-9_]+]] = arith.addf [[A]], [[E]] : f32
// CHECK-NEXT:      [[C:%[a-z0-9_]+]] = arith.subf [[B]], %f : f32
// CHECK-NEXT:      linalg.yield [[C]] : f32
func.func @scalars(%t: tensor<4xf32>, %s: tensor<f32>, %u: tensor<2xf32>, %f: f32) -> tensor<4xf32> {
  %0 = linalg.generic {
    indexing_maps = [affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (1)>, affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>],
    iterator_types = ["parallel"]
  } ins(%s, %t, %u, %f : tensor<f32>, tensor<4xf32>, tensor<2xf32>, f32) outs(%t : tensor<4xf32>) {
  ^bb0(%a: f32, %x: f32, %b: f32, %c: f32, %o: f32):
    %0 = arith.mulf %x, %a : f32
    %1 = arith.addf %0, %b : f32
    %2 = arith.subf %1, %c : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Every point reads another element: nothing to do.
// CHECK-LABEL: func.func @none
// CHECK-NOT:     tensor.extract
func.func @none(%t: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%t : tensor<4xf32>) outs(%t : tensor<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %1 = arith.addf %x, %x : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
