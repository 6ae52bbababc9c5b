// RUN: mlopt %s --nn-to-channels-last | filecheck %s

// One transpose at the start; weights that are constants are transposed now; none at the end, because the mean takes both axes away.
// CHECK-LABEL: func.func @cnn(%x: tensor<1x2x4x4xf32>) -> tensor<1x3xf32> {
// CHECK-NEXT:    %w = nn.constant dense<[[[[1.000000e+00, 2.000000e+00]], [[3.000000e+00, 4.000000e+00]]], [[[5.000000e+00, 6.000000e+00]], [[7.000000e+00, 8.000000e+00]]], [[[9.000000e+00, 1.000000e+01]], [[1.100000e+01, 1.200000e+01]]]]> : tensor<3x2x1x2xf32>
// CHECK-NEXT:    %b = nn.constant dense<[[[1.000000e+00]], [[2.000000e+00]], [[3.000000e+00]]]> : tensor<3x1x1xf32>
// CHECK-NEXT:    %x_0 = nn.transpose %x permutation = [0, 2, 3, 1] : tensor<1x2x4x4xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:    %0 = nn.constant dense<[[[[1.000000e+00, 5.000000e+00, 9.000000e+00], [3.000000e+00, 7.000000e+00, 1.100000e+01]], [[2.000000e+00, 6.000000e+00, 1.000000e+01], [4.000000e+00, 8.000000e+00, 1.200000e+01]]]]> : tensor<1x2x2x3xf32>
// CHECK-NEXT:    %y = nn.conv %x_0, %0 layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<1x2x2x3xf32> -> tensor<1x4x3x3xf32>
// CHECK-NEXT:    %1 = nn.constant dense<[[[[1.000000e+00]], [[2.000000e+00]], [[3.000000e+00]]]]> : tensor<1x3x1x1xf32>
// CHECK-NEXT:    %2 = nn.constant dense<[[[[1.000000e+00, 2.000000e+00, 3.000000e+00]]]]> : tensor<1x1x1x3xf32>
// CHECK-NEXT:    %a = nn.add %y, %2 : tensor<1x4x3x3xf32>, tensor<1x1x1x3xf32> -> tensor<1x4x3x3xf32>
// CHECK-NEXT:    %m = nn.reduce_mean %a axes = [1, 2] : tensor<1x4x3x3xf32> -> tensor<1x3xf32>
// CHECK-NEXT:    return %m : tensor<1x3xf32>
// CHECK-NEXT:  }
func.func @cnn(%x: tensor<1x2x4x4xf32>) -> tensor<1x3xf32> {
  %w = nn.constant dense<[[[[1.0, 2.0]], [[3.0, 4.0]]], [[[5.0, 6.0]], [[7.0, 8.0]]], [[[9.0, 10.0]], [[11.0, 12.0]]]]> : tensor<3x2x1x2xf32>
  %b = nn.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32>
  %y = nn.conv %x, %w : tensor<1x2x4x4xf32>, tensor<3x2x1x2xf32> -> tensor<1x3x4x3xf32>
  %a = nn.add %y, %b : tensor<1x3x4x3xf32>, tensor<3x1x1xf32> -> tensor<1x3x4x3xf32>
  %m = nn.reduce_mean %a axes = [2, 3] : tensor<1x3x4x3xf32> -> tensor<1x3xf32>
  func.return %m : tensor<1x3xf32>
}

// A pointwise convolution is a matmul of its pixels; with a stride it is none.
// CHECK-LABEL: func.func @pointwise(%x: tensor<1x2x4x4xf32>, %w: tensor<3x2x1x1xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x2x2xf32>) {
// CHECK-NEXT:    %x_0 = nn.transpose %x permutation = [0, 2, 3, 1] : tensor<1x2x4x4xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:    %w_1 = nn.transpose %w permutation = [2, 3, 1, 0] : tensor<3x2x1x1xf32> -> tensor<1x1x2x3xf32>
// CHECK-NEXT:    %0 = nn.reshape %w_1 : tensor<1x1x2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:    %a = nn.matmul %x_0, %0 : tensor<1x4x4x2xf32>, tensor<2x3xf32> -> tensor<1x4x4x3xf32>
// CHECK-NEXT:    %b = nn.conv %x_0, %w_1 strides = [2, 2] layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<1x1x2x3xf32> -> tensor<1x2x2x3xf32>
// CHECK-NEXT:    %a_2 = nn.transpose %a permutation = [0, 3, 1, 2] : tensor<1x4x4x3xf32> -> tensor<1x3x4x4xf32>
// CHECK-NEXT:    %b_3 = nn.transpose %b permutation = [0, 3, 1, 2] : tensor<1x2x2x3xf32> -> tensor<1x3x2x2xf32>
// CHECK-NEXT:    return %a_2, %b_3 : tensor<1x3x4x4xf32>, tensor<1x3x2x2xf32>
// CHECK-NEXT:  }
func.func @pointwise(%x: tensor<1x2x4x4xf32>, %w: tensor<3x2x1x1xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x2x2xf32>) {
  %a = nn.conv %x, %w : tensor<1x2x4x4xf32>, tensor<3x2x1x1xf32> -> tensor<1x3x4x4xf32>
  %b = nn.conv %x, %w strides = [2, 2] : tensor<1x2x4x4xf32>, tensor<3x2x1x1xf32> -> tensor<1x3x2x2xf32>
  func.return %a, %b : tensor<1x3x4x4xf32>, tensor<1x3x2x2xf32>
}

// Transposes that an exporter put around a convolution vanish.
// CHECK-LABEL: func.func @between_transposes(%x: tensor<1x4x4x2xf32>, %w: tensor<2x2x3x3xf32>) -> tensor<1x4x4x2xf32> {
// CHECK-NEXT:    %w_0 = nn.transpose %w permutation = [2, 3, 1, 0] : tensor<2x2x3x3xf32> -> tensor<3x3x2x2xf32>
// CHECK-NEXT:    %y = nn.conv %x, %w_0 pads = [1, 1, 1, 1] layout = "channels_last" : tensor<1x4x4x2xf32>, tensor<3x3x2x2xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:    return %y : tensor<1x4x4x2xf32>
// CHECK-NEXT:  }
func.func @between_transposes(%x: tensor<1x4x4x2xf32>, %w: tensor<2x2x3x3xf32>) -> tensor<1x4x4x2xf32> {
  %t = nn.transpose %x permutation = [0, 3, 1, 2] : tensor<1x4x4x2xf32> -> tensor<1x2x4x4xf32>
  %y = nn.conv %t, %w pads = [1, 1, 1, 1] : tensor<1x2x4x4xf32>, tensor<2x2x3x3xf32> -> tensor<1x2x4x4xf32>
  %u = nn.transpose %y permutation = [0, 2, 3, 1] : tensor<1x2x4x4xf32> -> tensor<1x4x4x2xf32>
  func.return %u : tensor<1x4x4x2xf32>
}

// Concat, slice, pad, resize, pool, softmax over channels and a running sum follow.
// CHECK-LABEL: func.func @followers(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x6x3xf32> {
// CHECK-NEXT:    %x_0 = nn.transpose %x permutation = [0, 2, 3, 1] : tensor<1x2x4x4xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:    %p = nn.max_pool %x_0 kernel = [2, 2] strides = [2, 2] layout = "channels_last" : tensor<1x4x4x2xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:    %c = nn.concat %p, %p axis = 3 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32> -> tensor<1x2x2x4xf32>
// CHECK-NEXT:    %s = nn.slice %c starts = [0, 0, 0, 1] ends = [1, 2, 2, 3] : tensor<1x2x2x4xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:    %r = nn.resize %s coordinate_mode = "asymmetric" scales = [1.0, 2.0, 1.0, 1.0] : tensor<1x2x2x2xf32> -> tensor<1x4x2x2xf32>
// CHECK-NEXT:    %q = nn.pad %r low = [0, 1, 0, 0] high = [0, 1, 1, 0] : tensor<1x4x2x2xf32> -> tensor<1x6x3x2xf32>
// CHECK-NEXT:    %m = nn.softmax %q : tensor<1x6x3x2xf32>
// CHECK-NEXT:    %n = nn.cumsum %m axis = 1 : tensor<1x6x3x2xf32>
// CHECK-NEXT:    %n_1 = nn.transpose %n permutation = [0, 3, 1, 2] : tensor<1x6x3x2xf32> -> tensor<1x2x6x3xf32>
// CHECK-NEXT:    return %n_1 : tensor<1x2x6x3xf32>
// CHECK-NEXT:  }
func.func @followers(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x6x3xf32> {
  %p = nn.max_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %c = nn.concat %p, %p axis = 1 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32> -> tensor<1x4x2x2xf32>
  %s = nn.slice %c starts = [0, 1, 0, 0] ends = [1, 3, 2, 2] : tensor<1x4x2x2xf32> -> tensor<1x2x2x2xf32>
  %r = nn.resize %s scales = [1.0, 1.0, 2.0, 1.0] coordinate_mode = "asymmetric" : tensor<1x2x2x2xf32> -> tensor<1x2x4x2xf32>
  %q = nn.pad %r low = [0, 0, 1, 0] high = [0, 0, 1, 1] : tensor<1x2x4x2xf32> -> tensor<1x2x6x3xf32>
  %m = nn.softmax %q axis = 1 : tensor<1x2x6x3xf32>
  %n = nn.cumsum %m axis = 2 : tensor<1x2x6x3xf32>
  func.return %n : tensor<1x2x6x3xf32>
}

// An image as a sequence of pixels is the same bytes; as rows of channels it is not.
// CHECK-LABEL: func.func @reshapes(%x: tensor<1x2x4x4xf32>, %k: tensor<2x5xf32>) -> (tensor<1x16x5xf32>, tensor<1x32xf32>) {
// CHECK-NEXT:    %x_0 = nn.transpose %x permutation = [0, 2, 3, 1] : tensor<1x2x4x4xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:    %p = nn.max_pool %x_0 kernel = [1, 1] layout = "channels_last" : tensor<1x4x4x2xf32>
// CHECK-NEXT:    %r = nn.reshape %p : tensor<1x4x4x2xf32> -> tensor<1x16x2xf32>
// CHECK-NEXT:    %m = nn.matmul %r, %k : tensor<1x16x2xf32>, tensor<2x5xf32> -> tensor<1x16x5xf32>
// CHECK-NEXT:    %p_1 = nn.transpose %p permutation = [0, 3, 1, 2] : tensor<1x4x4x2xf32> -> tensor<1x2x4x4xf32>
// CHECK-NEXT:    %f = nn.reshape %p_1 : tensor<1x2x4x4xf32> -> tensor<1x32xf32>
// CHECK-NEXT:    return %m, %f : tensor<1x16x5xf32>, tensor<1x32xf32>
// CHECK-NEXT:  }
func.func @reshapes(%x: tensor<1x2x4x4xf32>, %k: tensor<2x5xf32>) -> (tensor<1x16x5xf32>, tensor<1x32xf32>) {
  %p = nn.max_pool %x kernel = [1, 1] : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %r = nn.reshape %p : tensor<1x2x4x4xf32> -> tensor<1x2x16xf32>
  %t = nn.transpose %r permutation = [0, 2, 1] : tensor<1x2x16xf32> -> tensor<1x16x2xf32>
  %m = nn.matmul %t, %k : tensor<1x16x2xf32>, tensor<2x5xf32> -> tensor<1x16x5xf32>
  %f = nn.reshape %p : tensor<1x2x4x4xf32> -> tensor<1x32xf32>
  func.return %m, %f : tensor<1x16x5xf32>, tensor<1x32xf32>
}

// Without convolutions the order stays; a transpose moves behind what does not care, and is made where it is needed.
// CHECK-LABEL: func.func @attention(%q: tensor<1x4x2x3xf32>, %k: tensor<1x4x2x3xf32>) -> tensor<1x2x4x4xf32> {
// CHECK-NEXT:    %half = nn.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT:    %b = nn.mul %q, %half : tensor<1x4x2x3xf32>, tensor<f32> -> tensor<1x4x2x3xf32>
// CHECK-NEXT:    %b_0 = nn.transpose %b permutation = [0, 2, 1, 3] : tensor<1x4x2x3xf32> -> tensor<1x2x4x3xf32>
// CHECK-NEXT:    %c = nn.transpose %k permutation = [0, 2, 3, 1] : tensor<1x4x2x3xf32> -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    %s = nn.matmul %b_0, %c : tensor<1x2x4x3xf32>, tensor<1x2x3x4xf32> -> tensor<1x2x4x4xf32>
// CHECK-NEXT:    return %s : tensor<1x2x4x4xf32>
// CHECK-NEXT:  }
func.func @attention(%q: tensor<1x4x2x3xf32>, %k: tensor<1x4x2x3xf32>) -> tensor<1x2x4x4xf32> {
  %half = nn.constant dense<0.5> : tensor<f32>
  %a = nn.transpose %q permutation = [0, 2, 1, 3] : tensor<1x4x2x3xf32> -> tensor<1x2x4x3xf32>
  %b = nn.mul %a, %half : tensor<1x2x4x3xf32>, tensor<f32> -> tensor<1x2x4x3xf32>
  %c = nn.transpose %k permutation = [0, 2, 3, 1] : tensor<1x4x2x3xf32> -> tensor<1x2x3x4xf32>
  %s = nn.matmul %b, %c : tensor<1x2x4x3xf32>, tensor<1x2x3x4xf32> -> tensor<1x2x4x4xf32>
  func.return %s : tensor<1x2x4x4xf32>
}

// Between two orders, the smaller operand moves.
// CHECK-LABEL: func.func @two_orders(%x: tensor<2x3x4xf32>, %y: tensor<1x3x4xf32>) -> tensor<2x4x3xf32> {
// CHECK-NEXT:    %e = nn.exp %y : tensor<1x3x4xf32>
// CHECK-NEXT:    %c = nn.add %x, %e : tensor<2x3x4xf32>, tensor<1x3x4xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:    %c_0 = nn.transpose %c permutation = [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
// CHECK-NEXT:    %d = nn.softmax %c_0 : tensor<2x4x3xf32>
// CHECK-NEXT:    return %d : tensor<2x4x3xf32>
// CHECK-NEXT:  }
func.func @two_orders(%x: tensor<2x3x4xf32>, %y: tensor<1x3x4xf32>) -> tensor<2x4x3xf32> {
  %a = nn.transpose %x permutation = [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %b = nn.transpose %y permutation = [0, 2, 1] : tensor<1x3x4xf32> -> tensor<1x4x3xf32>
  %e = nn.exp %b : tensor<1x4x3xf32>
  %c = nn.add %a, %e : tensor<2x4x3xf32>, tensor<1x4x3xf32> -> tensor<2x4x3xf32>
  %d = nn.softmax %c : tensor<2x4x3xf32>
  func.return %d : tensor<2x4x3xf32>
}
