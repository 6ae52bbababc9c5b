// RUN: mlopt %s --linalg-fold-unit-extent-dims | filecheck %s
// RUN: mlopt %s --validate-each --linalg-fold-unit-extent-dims -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> ()>

#in = affine_map<(i, j) -> (i, j)>
#out = affine_map<(i, j) -> (i)>

// CHECK-LABEL: func.func @loop_that_runs_once(%a: tensor<1x8xf32>, %b: tensor<1xf32>) -> tensor<1xf32> {
// CHECK-NEXT:    %collapsed = tensor.collapse_shape %a {{\[\[}}0, 1]] : tensor<1x8xf32> into tensor<8xf32>
// CHECK-NEXT:    %collapsed_0 = tensor.collapse_shape %b [] : tensor<1xf32> into tensor<f32>
// CHECK-NEXT:    %0 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["reduction"]} ins(%collapsed : tensor<8xf32>) outs(%collapsed_0 : tensor<f32>) {
// CHECK-NEXT:    ^bb0(%x: f32, %s: f32):
// CHECK-NEXT:      %j = linalg.index 0 : index
// CHECK-NEXT:      %l = arith.index_cast %j : index to i32
// CHECK-NEXT:      %f = arith.sitofp %l : i32 to f32
// CHECK-NEXT:      %y = arith.addf %x, %f : f32
// CHECK-NEXT:      %z = arith.addf %y, %s : f32
// CHECK-NEXT:      linalg.yield %z : f32
// CHECK-NEXT:    } -> tensor<f32>
// CHECK-NEXT:    %expanded = tensor.expand_shape %0 [] output_shape [1] : tensor<f32> into tensor<1xf32>
// CHECK-NEXT:    return %expanded : tensor<1xf32>
// CHECK-NEXT:  }
func.func @loop_that_runs_once(%a: tensor<1x8xf32>, %b: tensor<1xf32>) -> tensor<1xf32> {
  %0 = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]} ins(%a : tensor<1x8xf32>) outs(%b : tensor<1xf32>) {
  ^bb0(%x: f32, %s: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %i, %j : index
    %l = arith.index_cast %k : index to i32
    %f = arith.sitofp %l : i32 to f32
    %y = arith.addf %x, %f : f32
    %z = arith.addf %y, %s : f32
    linalg.yield %z : f32
  } -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// CHECK-LABEL: func.func @padding(%a: tensor<1x4x1xf32>, %c: f32) -> tensor<1x7x1xf32> {
// CHECK-NEXT:    %collapsed = tensor.collapse_shape %a {{\[\[}}0, 1, 2]] : tensor<1x4x1xf32> into tensor<4xf32>
// CHECK-NEXT:    %padded = tensor.pad %collapsed low[1] high[2] {
// CHECK-NEXT:    ^bb0(%arg0: index):
// CHECK-NEXT:      tensor.yield %c : f32
// CHECK-NEXT:    } : tensor<4xf32> to tensor<7xf32>
// CHECK-NEXT:    %expanded = tensor.expand_shape %padded {{\[\[}}0, 1, 2]] output_shape [1, 7, 1] : tensor<7xf32> into tensor<1x7x1xf32>
// CHECK-NEXT:    return %expanded : tensor<1x7x1xf32>
// CHECK-NEXT:  }
func.func @padding(%a: tensor<1x4x1xf32>, %c: f32) -> tensor<1x7x1xf32> {
  %0 = tensor.pad %a low[0, 1, 0] high[0, 2, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %c : f32
  } : tensor<1x4x1xf32> to tensor<1x7x1xf32>
  return %0 : tensor<1x7x1xf32>
}

// CHECK-LABEL: func.func @slices(%a: tensor<8x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32> {
// CHECK-NEXT:    %extracted_slice = tensor.extract_slice %a[2, 0] [1, 8] [1, 1] : tensor<8x8xf32> to tensor<8xf32>
// CHECK-NEXT:    %inserted_slice = tensor.insert_slice %extracted_slice into %b[1, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<4x8xf32>
// CHECK-NEXT:    return %inserted_slice : tensor<4x8xf32>
// CHECK-NEXT:  }
func.func @slices(%a: tensor<8x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tensor.extract_slice %a[2, 0] [1, 8] [1, 1] : tensor<8x8xf32> to tensor<1x8xf32>
  %1 = tensor.insert_slice %0 into %b[1, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
