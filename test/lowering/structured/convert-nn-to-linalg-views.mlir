// RUN: mlopt %s --convert-nn-to-linalg | filecheck %s

// Outside kernels nothing computes: shapes are views.
// CHECK-LABEL: func.func @reshapes(%x: tensor<2x3x4xf32>) -> (tensor<6x4xf32>, tensor<2x3x2x2xf32>, tensor<3x8xf32>, tensor<2x3x4xf32>) {
// CHECK-NEXT:    %collapsed = tensor.collapse_shape %x {{\[\[}}0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
// CHECK-NEXT:    %expanded = tensor.expand_shape %x {{\[\[}}0], [1], [2, 3]] output_shape [2, 3, 2, 2] : tensor<2x3x4xf32> into tensor<2x3x2x2xf32>
// CHECK-NEXT:    %collapsed_0 = tensor.collapse_shape %x {{\[\[}}0, 1, 2]] : tensor<2x3x4xf32> into tensor<24xf32>
// CHECK-NEXT:    %expanded_1 = tensor.expand_shape %collapsed_0 {{\[\[}}0, 1]] output_shape [3, 8] : tensor<24xf32> into tensor<3x8xf32>
// CHECK-NEXT:    return %collapsed, %expanded, %expanded_1, %x : tensor<6x4xf32>, tensor<2x3x2x2xf32>, tensor<3x8xf32>, tensor<2x3x4xf32>
// CHECK-NEXT:  }
func.func @reshapes(%x: tensor<2x3x4xf32>) -> (tensor<6x4xf32>, tensor<2x3x2x2xf32>, tensor<3x8xf32>, tensor<2x3x4xf32>) {
  %0 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %1 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<2x3x2x2xf32>
  %2 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<3x8xf32>
  %3 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  func.return %0, %1, %2, %3 : tensor<6x4xf32>, tensor<2x3x2x2xf32>, tensor<3x8xf32>, tensor<2x3x4xf32>
}

// Extents of 1 join the axis before them; a scalar has no axis to join.
// CHECK-LABEL: func.func @ones(%x: tensor<1x3xf32>, %s: tensor<f32>) -> (tensor<3x1xf32>, tensor<1x1xf32>, tensor<f32>) {
// CHECK-NEXT:    %collapsed = tensor.collapse_shape %x {{\[\[}}0, 1]] : tensor<1x3xf32> into tensor<3xf32>
// CHECK-NEXT:    %expanded = tensor.expand_shape %collapsed {{\[\[}}0, 1]] output_shape [3, 1] : tensor<3xf32> into tensor<3x1xf32>
// CHECK-NEXT:    %expanded_0 = tensor.expand_shape %s [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
// CHECK-NEXT:    %collapsed_1 = tensor.collapse_shape %expanded_0 [] : tensor<1x1xf32> into tensor<f32>
// CHECK-NEXT:    return %expanded, %expanded_0, %collapsed_1 : tensor<3x1xf32>, tensor<1x1xf32>, tensor<f32>
// CHECK-NEXT:  }
func.func @ones(%x: tensor<1x3xf32>, %s: tensor<f32>) -> (tensor<3x1xf32>, tensor<1x1xf32>, tensor<f32>) {
  %0 = nn.reshape %x : tensor<1x3xf32> -> tensor<3x1xf32>
  %1 = nn.reshape %s : tensor<f32> -> tensor<1x1xf32>
  %2 = nn.reshape %1 : tensor<1x1xf32> -> tensor<f32>
  func.return %0, %1, %2 : tensor<3x1xf32>, tensor<1x1xf32>, tensor<f32>
}

// CHECK-LABEL: func.func @slice_and_concat(%x: tensor<2x6xi8>, %z: tensor<2x2xi8>) -> tensor<2x5xi8> {
// CHECK-NEXT:    %extracted_slice = tensor.extract_slice %x[0, 1] [2, 3] [1, 1] : tensor<2x6xi8> to tensor<2x3xi8>
// CHECK-NEXT:    %0 = tensor.empty() : tensor<2x5xi8>
// CHECK-NEXT:    %inserted_slice = tensor.insert_slice %extracted_slice into %0[0, 0] [2, 3] [1, 1] : tensor<2x3xi8> into tensor<2x5xi8>
// CHECK-NEXT:    %inserted_slice_0 = tensor.insert_slice %z into %inserted_slice[0, 3] [2, 2] [1, 1] : tensor<2x2xi8> into tensor<2x5xi8>
// CHECK-NEXT:    return %inserted_slice_0 : tensor<2x5xi8>
// CHECK-NEXT:  }
func.func @slice_and_concat(%x: tensor<2x6xui8>, %z: tensor<2x2xui8>) -> tensor<2x5xui8> {
  %0 = nn.slice %x starts = [0, 1] ends = [2, 4] : tensor<2x6xui8> -> tensor<2x3xui8>
  %1 = nn.concat %0, %z axis = 1 : tensor<2x3xui8>, tensor<2x2xui8> -> tensor<2x5xui8>
  func.return %1 : tensor<2x5xui8>
}

// CHECK-LABEL: func.func @pad(%x: tensor<2x6xi8>) -> tensor<3x6xi8> {
// CHECK-NEXT:    %padded = tensor.pad %x low[0, 0] high[1, 0] {
// CHECK-NEXT:    ^bb0(%arg0: index, %arg1: index):
// CHECK-NEXT:      %c-1_i8 = arith.constant -1 : i8
// CHECK-NEXT:      tensor.yield %c-1_i8 : i8
// CHECK-NEXT:    } : tensor<2x6xi8> to tensor<3x6xi8>
// CHECK-NEXT:    return %padded : tensor<3x6xi8>
// CHECK-NEXT:  }
func.func @pad(%x: tensor<2x6xui8>) -> tensor<3x6xui8> {
  %0 = nn.pad %x low = [0, 0] high = [1, 0] value = 255.0 : tensor<2x6xui8> -> tensor<3x6xui8>
  func.return %0 : tensor<3x6xui8>
}
