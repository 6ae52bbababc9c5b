// RUN: mlopt %s --nn-explicit-padding | filecheck %s

// CHECK-LABEL: func.func @conv(%x: tensor<1x4x4x2xf32>, %w: tensor<3x3x2x4xf32>) -> tensor<1x2x2x4xf32> {
// CHECK-NEXT:      %0 = nn.pad %x low = [0, 1, 0, 0] high = [0, 0, 1, 0] : tensor<1x4x4x2xf32> -> tensor<1x5x5x2xf32>
// CHECK-NEXT:      %y = nn.conv %0, %w strides = [2, 2] layout = "channels_last" : tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32> -> tensor<1x2x2x4xf32>
// CHECK-NEXT:      return %y : tensor<1x2x2x4xf32>
// CHECK-NEXT:    }
func.func @conv(%x: tensor<1x4x4x2xf32>, %w: tensor<3x3x2x4xf32>) -> tensor<1x2x2x4xf32> {
  %y = nn.conv %x, %w strides = [2, 2] pads = [1, 0, 0, 1] layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<3x3x2x4xf32> -> tensor<1x2x2x4xf32>
  func.return %y : tensor<1x2x2x4xf32>
}

// CHECK-LABEL: func.func @channels_first(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x5x5xf32> {
// CHECK-NEXT:      %0 = nn.pad %x low = [0, 0, 1, 1] high = [0, 0, 1, 1] : tensor<1x2x4x4xf32> -> tensor<1x2x6x6xf32>
// CHECK-NEXT:      %y = nn.sum_pool %0 kernel = [2, 2] : tensor<1x2x6x6xf32> -> tensor<1x2x5x5xf32>
// CHECK-NEXT:      return %y : tensor<1x2x5x5xf32>
// CHECK-NEXT:    }
func.func @channels_first(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x5x5xf32> {
  %y = nn.sum_pool %x kernel = [2, 2] pads = [1, 1, 1, 1] : tensor<1x2x4x4xf32> -> tensor<1x2x5x5xf32>
  func.return %y : tensor<1x2x5x5xf32>
}

// Padding never wins a maximum.
// CHECK-LABEL: func.func @max_pool(%x: tensor<1x4x4x2xf32>, %y: tensor<1x4x4x2xi8>) -> (tensor<1x4x4x2xf32>, tensor<1x4x4x2xi8>) {
// CHECK-NEXT:      %0 = nn.pad %x low = [0, 0, 0, 0] high = [0, 1, 1, 0] value = -inf : tensor<1x4x4x2xf32> -> tensor<1x5x5x2xf32>
// CHECK-NEXT:      %a = nn.max_pool %0 kernel = [2, 2] layout = "channels_last" : tensor<1x5x5x2xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:      %1 = nn.pad %y low = [0, 0, 0, 0] high = [0, 1, 1, 0] value = -128.0 : tensor<1x4x4x2xi8> -> tensor<1x5x5x2xi8>
// CHECK-NEXT:      %b = nn.max_pool %1 kernel = [2, 2] layout = "channels_last" : tensor<1x5x5x2xi8> -> tensor<1x4x4x2xi8>
// CHECK-NEXT:      return %a, %b : tensor<1x4x4x2xf32>, tensor<1x4x4x2xi8>
// CHECK-NEXT:    }
func.func @max_pool(%x: tensor<1x4x4x2xf32>, %y: tensor<1x4x4x2xi8>) -> (tensor<1x4x4x2xf32>, tensor<1x4x4x2xi8>) {
  %a = nn.max_pool %x kernel = [2, 2] pads = [0, 0, 1, 1] layout = "channels_last" : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xf32>
  %b = nn.max_pool %y kernel = [2, 2] pads = [0, 0, 1, 1] layout = "channels_last" : tensor<1x4x4x2xi8> -> tensor<1x4x4x2xi8>
  func.return %a, %b : tensor<1x4x4x2xf32>, tensor<1x4x4x2xi8>
}

// No pads; and an average that does not count its padding, which nn-decompose takes apart.
// CHECK-LABEL: func.func @kept(%x: tensor<1x4x4x2xf32>, %w: tensor<3x3x2x4xf32>) -> (tensor<1x2x2x4xf32>, tensor<1x4x4x2xf32>) {
// CHECK-NEXT:      %a = nn.conv %x, %w layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<3x3x2x4xf32> -> tensor<1x2x2x4xf32>
// CHECK-NEXT:      %b = nn.avg_pool %x kernel = [3, 3] pads = [1, 1, 1, 1] layout = "channels_last" : tensor<1x4x4x2xf32>
// CHECK-NEXT:      return %a, %b : tensor<1x2x2x4xf32>, tensor<1x4x4x2xf32>
// CHECK-NEXT:    }
func.func @kept(%x: tensor<1x4x4x2xf32>, %w: tensor<3x3x2x4xf32>) -> (tensor<1x2x2x4xf32>, tensor<1x4x4x2xf32>) {
  %a = nn.conv %x, %w layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<3x3x2x4xf32> -> tensor<1x2x2x4xf32>
  %b = nn.avg_pool %x kernel = [3, 3] pads = [1, 1, 1, 1] layout = "channels_last" : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xf32>
  func.return %a, %b : tensor<1x2x2x4xf32>, tensor<1x4x4x2xf32>
}
