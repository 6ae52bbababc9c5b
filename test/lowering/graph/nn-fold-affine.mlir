// RUN: mlopt %s --nn-fold-affine | filecheck %s

// Batch norm behind a convolution: weights and bias.
// CHECK-LABEL: func.func @conv(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
// CHECK-NEXT:      %0 = nn.constant dense<[[[[2.000000e+00]], [[4.000000e+00]]], [[[1.500000e+00]], [[2.000000e+00]]]]> : tensor<2x2x1x1xf32>
// CHECK-NEXT:      %1 = nn.conv %x, %0 : tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32> -> tensor<1x2x4x4xf32>
// CHECK-NEXT:      %2 = nn.constant dense<3.000000e+00> : tensor<1x2x1x1xf32>
// CHECK-NEXT:      %r = nn.add %1, %2 : tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32> -> tensor<1x2x4x4xf32>
// CHECK-NEXT:      return %r : tensor<1x2x4x4xf32>
// CHECK-NEXT:    }
func.func @conv(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = nn.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %b = nn.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %s = nn.constant dense<[[[[2.0]], [[0.5]]]]> : tensor<1x2x1x1xf32>
  %y = nn.conv %x, %w : tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32> -> tensor<1x2x4x4xf32>
  %a = nn.add %y, %b : tensor<1x2x4x4xf32>, tensor<2x1x1xf32> -> tensor<1x2x4x4xf32>
  %m = nn.mul %a, %s : tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32> -> tensor<1x2x4x4xf32>
  %r = nn.add %m, %b : tensor<1x2x4x4xf32>, tensor<2x1x1xf32> -> tensor<1x2x4x4xf32>
  func.return %r : tensor<1x2x4x4xf32>
}

// The same in the other layout, with groups.
// CHECK-LABEL: func.func @channels_last(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
// CHECK-NEXT:      %0 = nn.constant dense<[[[[3.000000e+00, 5.000000e+00]]]]> : tensor<1x1x1x2xf32>
// CHECK-NEXT:      %m = nn.conv %x, %0 groups = 2 layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<1x1x1x2xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:      return %m : tensor<1x4x4x2xf32>
// CHECK-NEXT:    }
func.func @channels_last(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
  %w = nn.constant dense<[[[[3.0, 5.0]]]]> : tensor<1x1x1x2xf32>
  %s = nn.constant dense<[2.0, 0.5]> : tensor<2xf32>
  %i = nn.mul %x, %s : tensor<1x4x4x2xf32>, tensor<2xf32> -> tensor<1x4x4x2xf32>
  %y = nn.conv %i, %w groups = 2 layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<1x1x1x2xf32> -> tensor<1x4x4x2xf32>
  %m = nn.div %y, %s : tensor<1x4x4x2xf32>, tensor<2xf32> -> tensor<1x4x4x2xf32>
  func.return %m : tensor<1x4x4x2xf32>
}

// CHECK-LABEL: func.func @conv_transpose(%x: tensor<1x2x3xf32>) -> tensor<1x4x6xf32> {
// CHECK-NEXT:      %0 = nn.constant dense<[[[1.000000e+00, 2.000000e+00], [4.500000e+00, 6.000000e+00]], [[4.000000e+01, 4.800000e+01], [7.000000e+01, 8.000000e+01]]]> : tensor<2x2x2xf32>
// CHECK-NEXT:      %m = nn.conv_transpose %x, %0 strides = [2] groups = 2 : tensor<1x2x3xf32>, tensor<2x2x2xf32> -> tensor<1x4x6xf32>
// CHECK-NEXT:      return %m : tensor<1x4x6xf32>
// CHECK-NEXT:    }
func.func @conv_transpose(%x: tensor<1x2x3xf32>) -> tensor<1x4x6xf32> {
  %w = nn.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %s = nn.constant dense<[[[2.0], [3.0], [4.0], [5.0]]]> : tensor<1x4x1xf32>
  %i = nn.constant dense<[[[0.5], [2.0]]]> : tensor<1x2x1xf32>
  %a = nn.mul %x, %i : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
  %y = nn.conv_transpose %a, %w strides = [2] groups = 2 : tensor<1x2x3xf32>, tensor<2x2x2xf32> -> tensor<1x4x6xf32>
  %m = nn.mul %y, %s : tensor<1x4x6xf32>, tensor<1x4x1xf32> -> tensor<1x4x6xf32>
  func.return %m : tensor<1x4x6xf32>
}

// A number between two products ends behind the product, where it costs nothing.
// CHECK-LABEL: func.func @matmul(%x: tensor<3x2xf32>, %k: tensor<2x3xf32>) -> (tensor<3x2xf32>, tensor<3x3xf32>) {
// CHECK-NEXT:      %0 = nn.constant dense<[[2.000000e+00, 4.000000e+00], [1.200000e+01, 1.600000e+01]]> : tensor<2x2xf32>
// CHECK-NEXT:      %y = nn.matmul %x, %0 : tensor<3x2xf32>, tensor<2x2xf32> -> tensor<3x2xf32>
// CHECK-NEXT:      %1 = nn.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT:      %2 = nn.matmul %x, %k : tensor<3x2xf32>, tensor<2x3xf32> -> tensor<3x3xf32>
// CHECK-NEXT:      %s = nn.mul %2, %1 : tensor<3x3xf32>, tensor<f32> -> tensor<3x3xf32>
// CHECK-NEXT:      return %y, %s : tensor<3x2xf32>, tensor<3x3xf32>
// CHECK-NEXT:    }
func.func @matmul(%x: tensor<3x2xf32>, %k: tensor<2x3xf32>) -> (tensor<3x2xf32>, tensor<3x3xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %i = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %a = nn.mul %x, %i : tensor<3x2xf32>, tensor<2xf32> -> tensor<3x2xf32>
  %y = nn.matmul %a, %w : tensor<3x2xf32>, tensor<2x2xf32> -> tensor<3x2xf32>
  %q = nn.mul %x, %half : tensor<3x2xf32>, tensor<f32> -> tensor<3x2xf32>
  %s = nn.matmul %q, %k : tensor<3x2xf32>, tensor<2x3xf32> -> tensor<3x3xf32>
  func.return %y, %s : tensor<3x2xf32>, tensor<3x3xf32>
}

// The bias that comes after the residual goes before it.
// CHECK-LABEL: func.func @residual(%x: tensor<3x2xf32>, %r: tensor<3x2xf32>) -> tensor<3x2xf32> {
// CHECK-NEXT:      %w = nn.constant dense<[[1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-NEXT:      %y = nn.matmul %x, %w : tensor<3x2xf32>, tensor<2x2xf32> -> tensor<3x2xf32>
// CHECK-NEXT:      %0 = nn.constant dense<[3.000000e+00, 7.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:      %1 = nn.add %y, %0 : tensor<3x2xf32>, tensor<2xf32> -> tensor<3x2xf32>
// CHECK-NEXT:      %t = nn.add %1, %r : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
// CHECK-NEXT:      return %t : tensor<3x2xf32>
// CHECK-NEXT:    }
func.func @residual(%x: tensor<3x2xf32>, %r: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %c = nn.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %y = nn.matmul %x, %w : tensor<3x2xf32>, tensor<2x2xf32> -> tensor<3x2xf32>
  %a = nn.add %y, %b : tensor<3x2xf32>, tensor<2xf32> -> tensor<3x2xf32>
  %s = nn.add %a, %r : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
  %t = nn.add %s, %c : tensor<3x2xf32>, tensor<2xf32> -> tensor<3x2xf32>
  func.return %t : tensor<3x2xf32>
}

// Kept: a factor for each row; a product that is used elsewhere; a row plus a column.
// CHECK-LABEL: func.func @kept(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
// CHECK-NEXT:      %w = nn.constant dense<[[1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-NEXT:      %column = nn.constant dense<[[2.000000e+00], [4.000000e+00]]> : tensor<2x1xf32>
// CHECK-NEXT:      %row = nn.constant dense<[2.000000e+00, 4.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:      %y = nn.matmul %x, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %a = nn.mul %y, %column : tensor<2x2xf32>, tensor<2x1xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %z = nn.matmul %x, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %b = nn.mul %z, %row : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %c = nn.add %x, %row : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %d = nn.add %c, %column : tensor<2x2xf32>, tensor<2x1xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      return %a, %b, %z, %d : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
// CHECK-NEXT:    }
func.func @kept(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %column = nn.constant dense<[[2.0], [4.0]]> : tensor<2x1xf32>
  %row = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %y = nn.matmul %x, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %a = nn.mul %y, %column : tensor<2x2xf32>, tensor<2x1xf32> -> tensor<2x2xf32>
  %z = nn.matmul %x, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %b = nn.mul %z, %row : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2xf32>
  %c = nn.add %x, %row : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2xf32>
  %d = nn.add %c, %column : tensor<2x2xf32>, tensor<2x1xf32> -> tensor<2x2xf32>
  func.return %a, %b, %z, %d : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}
