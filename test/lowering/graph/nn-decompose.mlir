// RUN: mlopt %s --nn-decompose | filecheck %s

// Padding that does not count: a table of reciprocal counts. Without padding: one number.
// CHECK-LABEL: func.func @avg_pool(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
// CHECK-NEXT:    %0 = nn.sum_pool %x kernel = [3, 3] strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:    %1 = nn.constant dense<[[[[2.500000e-01, 0.166666672], [0.166666672, 0.111111112]]]]> : tensor<1x1x2x2xf32>
// CHECK-NEXT:    %a = nn.mul %0, %1 : tensor<1x2x2x2xf32>, tensor<1x1x2x2xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:    %2 = nn.sum_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:    %3 = nn.constant dense<2.500000e-01> : tensor<f32>
// CHECK-NEXT:    %b = nn.mul %2, %3 : tensor<1x2x2x2xf32>, tensor<f32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:    return %a, %b : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
// CHECK-NEXT:  }
func.func @avg_pool(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %a = nn.avg_pool %x kernel = [3, 3] strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %b = nn.avg_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  func.return %a, %b : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// CHECK-LABEL: func.func @batch_norm(%x: tensor<1x2x3xf32>, %s: tensor<2xf32>, %v: tensor<2xf32>) -> tensor<1x2x3xf32> {
// CHECK-NEXT:    %w = nn.mul %v, %v : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:    %0 = nn.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT:    %1 = nn.add %w, %0 : tensor<2xf32>, tensor<f32> -> tensor<2xf32>
// CHECK-NEXT:    %2 = nn.rsqrt %1 : tensor<2xf32>
// CHECK-NEXT:    %3 = nn.mul %s, %2 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:    %4 = nn.mul %s, %3 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:    %5 = nn.sub %s, %4 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:    %6 = nn.reshape %3 : tensor<2xf32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %7 = nn.reshape %5 : tensor<2xf32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %8 = nn.mul %x, %6 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    %y = nn.add %8, %7 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    return %y : tensor<1x2x3xf32>
// CHECK-NEXT:  }
func.func @batch_norm(%x: tensor<1x2x3xf32>, %s: tensor<2xf32>, %v: tensor<2xf32>) -> tensor<1x2x3xf32> {
  %w = nn.mul %v, %v : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %y = nn.batch_norm %x, %s, %s, %s, %w epsilon = 1.0 : tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2x3xf32>
  func.return %y : tensor<1x2x3xf32>
}

// CHECK-LABEL: func.func @instance_norm(%x: tensor<1x2x3xf32>, %s: tensor<2xf32>) -> tensor<1x2x3xf32> {
// CHECK-NEXT:    %0 = nn.reduce_mean %x axes = [2] keepdims = true : tensor<1x2x3xf32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %1 = nn.sub %x, %0 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    %2 = nn.mul %1, %1 : tensor<1x2x3xf32>, tensor<1x2x3xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    %3 = nn.reduce_mean %2 axes = [2] keepdims = true : tensor<1x2x3xf32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %4 = nn.constant dense<1.000000e-05> : tensor<f32>
// CHECK-NEXT:    %5 = nn.add %3, %4 : tensor<1x2x1xf32>, tensor<f32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %6 = nn.rsqrt %5 : tensor<1x2x1xf32>
// CHECK-NEXT:    %7 = nn.mul %1, %6 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    %8 = nn.reshape %s : tensor<2xf32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %9 = nn.reshape %s : tensor<2xf32> -> tensor<1x2x1xf32>
// CHECK-NEXT:    %10 = nn.mul %7, %8 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    %y = nn.add %10, %9 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:    return %y : tensor<1x2x3xf32>
// CHECK-NEXT:  }
func.func @instance_norm(%x: tensor<1x2x3xf32>, %s: tensor<2xf32>) -> tensor<1x2x3xf32> {
  %y = nn.instance_norm %x, %s, %s : tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2x3xf32>
  func.return %y : tensor<1x2x3xf32>
}

// CHECK-LABEL: func.func @group_norm(%x: tensor<1x4x3xf32>, %s: tensor<4xf32>) -> tensor<1x4x3xf32> {
// CHECK-NEXT:    %0 = nn.reshape %x : tensor<1x4x3xf32> -> tensor<1x2x2x3xf32>
// CHECK-NEXT:    %1 = nn.reduce_mean %0 axes = [2, 3] keepdims = true : tensor<1x2x2x3xf32> -> tensor<1x2x1x1xf32>
// CHECK-NEXT:    %2 = nn.sub %0, %1 : tensor<1x2x2x3xf32>, tensor<1x2x1x1xf32> -> tensor<1x2x2x3xf32>
// CHECK-NEXT:    %3 = nn.mul %2, %2 : tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32> -> tensor<1x2x2x3xf32>
// CHECK-NEXT:    %4 = nn.reduce_mean %3 axes = [2, 3] keepdims = true : tensor<1x2x2x3xf32> -> tensor<1x2x1x1xf32>
// CHECK-NEXT:    %5 = nn.constant dense<1.000000e-05> : tensor<f32>
// CHECK-NEXT:    %6 = nn.add %4, %5 : tensor<1x2x1x1xf32>, tensor<f32> -> tensor<1x2x1x1xf32>
// CHECK-NEXT:    %7 = nn.rsqrt %6 : tensor<1x2x1x1xf32>
// CHECK-NEXT:    %8 = nn.mul %2, %7 : tensor<1x2x2x3xf32>, tensor<1x2x1x1xf32> -> tensor<1x2x2x3xf32>
// CHECK-NEXT:    %9 = nn.reshape %8 : tensor<1x2x2x3xf32> -> tensor<1x4x3xf32>
// CHECK-NEXT:    %10 = nn.reshape %s : tensor<4xf32> -> tensor<1x4x1xf32>
// CHECK-NEXT:    %11 = nn.reshape %s : tensor<4xf32> -> tensor<1x4x1xf32>
// CHECK-NEXT:    %12 = nn.mul %9, %10 : tensor<1x4x3xf32>, tensor<1x4x1xf32> -> tensor<1x4x3xf32>
// CHECK-NEXT:    %y = nn.add %12, %11 : tensor<1x4x3xf32>, tensor<1x4x1xf32> -> tensor<1x4x3xf32>
// CHECK-NEXT:    return %y : tensor<1x4x3xf32>
// CHECK-NEXT:  }
func.func @group_norm(%x: tensor<1x4x3xf32>, %s: tensor<4xf32>) -> tensor<1x4x3xf32> {
  %y = nn.group_norm %x, %s, %s groups = 2 : tensor<1x4x3xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<1x4x3xf32>
  func.return %y : tensor<1x4x3xf32>
}

// One dimension becomes the second of two; of two, the one that is 1 becomes the first, so that rows are long.
// CHECK-LABEL: func.func @one_dimension(%x: tensor<1x2x8xf32>, %w: tensor<4x2x3xf32>, %y: tensor<1x2x8x1xf32>) -> (tensor<1x4x4xf32>, tensor<1x2x6x1xf32>) {
// CHECK-NEXT:    %0 = nn.reshape %x : tensor<1x2x8xf32> -> tensor<1x2x1x8xf32>
// CHECK-NEXT:    %1 = nn.reshape %w : tensor<4x2x3xf32> -> tensor<4x2x1x3xf32>
// CHECK-NEXT:    %2 = nn.conv %0, %1 strides = [1, 2] pads = [0, 1, 0, 0] : tensor<1x2x1x8xf32>, tensor<4x2x1x3xf32> -> tensor<1x4x1x4xf32>
// CHECK-NEXT:    %a = nn.reshape %2 : tensor<1x4x1x4xf32> -> tensor<1x4x4xf32>
// CHECK-NEXT:    %3 = nn.reshape %y : tensor<1x2x8x1xf32> -> tensor<1x2x1x8xf32>
// CHECK-NEXT:    %4 = nn.max_pool %3 kernel = [1, 3] : tensor<1x2x1x8xf32> -> tensor<1x2x1x6xf32>
// CHECK-NEXT:    %b = nn.reshape %4 : tensor<1x2x1x6xf32> -> tensor<1x2x6x1xf32>
// CHECK-NEXT:    return %a, %b : tensor<1x4x4xf32>, tensor<1x2x6x1xf32>
// CHECK-NEXT:  }
func.func @one_dimension(%x: tensor<1x2x8xf32>, %w: tensor<4x2x3xf32>, %y: tensor<1x2x8x1xf32>) -> (tensor<1x4x4xf32>, tensor<1x2x6x1xf32>) {
  %a = nn.conv %x, %w strides = [2] pads = [1, 0] : tensor<1x2x8xf32>, tensor<4x2x3xf32> -> tensor<1x4x4xf32>
  %b = nn.max_pool %y kernel = [3, 1] : tensor<1x2x8x1xf32> -> tensor<1x2x6x1xf32>
  func.return %a, %b : tensor<1x4x4xf32>, tensor<1x2x6x1xf32>
}

// Windows that do not overlap: a matmul, whose outputs are spread over the pixels. Overlapping ones stay.
// CHECK-LABEL: func.func @conv_transpose(%x: tensor<1x2x3x3xf32>, %w: tensor<2x4x2x2xf32>) -> (tensor<1x4x6x6xf32>, tensor<1x4x6x4xf32>) {
// CHECK-NEXT:    %0 = nn.transpose %x permutation = [0, 2, 3, 1] : tensor<1x2x3x3xf32> -> tensor<1x3x3x2xf32>
// CHECK-NEXT:    %1 = nn.transpose %w permutation = [0, 2, 3, 1] : tensor<2x4x2x2xf32> -> tensor<2x2x2x4xf32>
// CHECK-NEXT:    %2 = nn.reshape %1 : tensor<2x2x2x4xf32> -> tensor<2x16xf32>
// CHECK-NEXT:    %3 = nn.matmul %0, %2 : tensor<1x3x3x2xf32>, tensor<2x16xf32> -> tensor<1x3x3x16xf32>
// CHECK-NEXT:    %4 = nn.reshape %3 : tensor<1x3x3x16xf32> -> tensor<1x3x3x2x2x4xf32>
// CHECK-NEXT:    %5 = nn.transpose %4 permutation = [0, 1, 3, 2, 4, 5] : tensor<1x3x3x2x2x4xf32> -> tensor<1x3x2x3x2x4xf32>
// CHECK-NEXT:    %6 = nn.reshape %5 : tensor<1x3x2x3x2x4xf32> -> tensor<1x6x6x4xf32>
// CHECK-NEXT:    %a = nn.transpose %6 permutation = [0, 3, 1, 2] : tensor<1x6x6x4xf32> -> tensor<1x4x6x6xf32>
// CHECK-NEXT:    %b = nn.conv_transpose %x, %w strides = [2, 1] : tensor<1x2x3x3xf32>, tensor<2x4x2x2xf32> -> tensor<1x4x6x4xf32>
// CHECK-NEXT:    return %a, %b : tensor<1x4x6x6xf32>, tensor<1x4x6x4xf32>
// CHECK-NEXT:  }
func.func @conv_transpose(%x: tensor<1x2x3x3xf32>, %w: tensor<2x4x2x2xf32>) -> (tensor<1x4x6x6xf32>, tensor<1x4x6x4xf32>) {
  %a = nn.conv_transpose %x, %w strides = [2, 2] : tensor<1x2x3x3xf32>, tensor<2x4x2x2xf32> -> tensor<1x4x6x6xf32>
  %b = nn.conv_transpose %x, %w strides = [2, 1] : tensor<1x2x3x3xf32>, tensor<2x4x2x2xf32> -> tensor<1x4x6x4xf32>
  func.return %a, %b : tensor<1x4x6x6xf32>, tensor<1x4x6x4xf32>
}

// CHECK-LABEL: func.func @reductions(%x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
// CHECK-NEXT:    %0 = nn.abs %x : tensor<2x3xf32>
// CHECK-NEXT:    %a = nn.reduce_sum %0 axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
// CHECK-NEXT:    %1 = nn.mul %x, %x : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:    %2 = nn.reduce_sum %1 axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
// CHECK-NEXT:    %b = nn.sqrt %2 : tensor<2xf32>
// CHECK-NEXT:    %3 = nn.reduce_max %x axes = [1] keepdims = true : tensor<2x3xf32> -> tensor<2x1xf32>
// CHECK-NEXT:    %4 = nn.is_inf %3 : tensor<2x1xf32> -> tensor<2x1xi1>
// CHECK-NEXT:    %5 = nn.is_nan %3 : tensor<2x1xf32> -> tensor<2x1xi1>
// CHECK-NEXT:    %6 = nn.or %4, %5 : tensor<2x1xi1>, tensor<2x1xi1> -> tensor<2x1xi1>
// CHECK-NEXT:    %7 = nn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:    %8 = nn.select %6, %7, %3 : tensor<2x1xi1>, tensor<f32>, tensor<2x1xf32> -> tensor<2x1xf32>
// CHECK-NEXT:    %9 = nn.sub %x, %8 : tensor<2x3xf32>, tensor<2x1xf32> -> tensor<2x3xf32>
// CHECK-NEXT:    %10 = nn.exp %9 : tensor<2x3xf32>
// CHECK-NEXT:    %11 = nn.reduce_sum %10 axes = [1] keepdims = true : tensor<2x3xf32> -> tensor<2x1xf32>
// CHECK-NEXT:    %12 = nn.log %11 : tensor<2x1xf32>
// CHECK-NEXT:    %13 = nn.add %12, %8 : tensor<2x1xf32>, tensor<2x1xf32> -> tensor<2x1xf32>
// CHECK-NEXT:    %c = nn.reshape %13 : tensor<2x1xf32> -> tensor<2xf32>
// CHECK-NEXT:    return %a, %b, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
// CHECK-NEXT:  }
func.func @reductions(%x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = nn.reduce_l1 %x axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
  %b = nn.reduce_l2 %x axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
  %c = nn.reduce_log_sum_exp %x axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
  func.return %a, %b, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func.func @vectors(%x: tensor<2x3xf32>, %v: tensor<3xf32>, %u: tensor<2xf32>) -> (tensor<2xf32>, tensor<3xf32>, tensor<f32>) {
// CHECK-NEXT:    %0 = nn.reshape %x : tensor<2x3xf32>
// CHECK-NEXT:    %1 = nn.reshape %v : tensor<3xf32> -> tensor<3x1xf32>
// CHECK-NEXT:    %2 = nn.matmul %0, %1 : tensor<2x3xf32>, tensor<3x1xf32> -> tensor<2x1xf32>
// CHECK-NEXT:    %a = nn.reshape %2 : tensor<2x1xf32> -> tensor<2xf32>
// CHECK-NEXT:    %3 = nn.reshape %u : tensor<2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %4 = nn.reshape %x : tensor<2x3xf32>
// CHECK-NEXT:    %5 = nn.matmul %3, %4 : tensor<1x2xf32>, tensor<2x3xf32> -> tensor<1x3xf32>
// CHECK-NEXT:    %b = nn.reshape %5 : tensor<1x3xf32> -> tensor<3xf32>
// CHECK-NEXT:    %6 = nn.reshape %v : tensor<3xf32> -> tensor<1x3xf32>
// CHECK-NEXT:    %7 = nn.reshape %v : tensor<3xf32> -> tensor<3x1xf32>
// CHECK-NEXT:    %8 = nn.matmul %6, %7 : tensor<1x3xf32>, tensor<3x1xf32> -> tensor<1x1xf32>
// CHECK-NEXT:    %c = nn.reshape %8 : tensor<1x1xf32> -> tensor<f32>
// CHECK-NEXT:    return %a, %b, %c : tensor<2xf32>, tensor<3xf32>, tensor<f32>
// CHECK-NEXT:  }
func.func @vectors(%x: tensor<2x3xf32>, %v: tensor<3xf32>, %u: tensor<2xf32>) -> (tensor<2xf32>, tensor<3xf32>, tensor<f32>) {
  %a = nn.matmul %x, %v : tensor<2x3xf32>, tensor<3xf32> -> tensor<2xf32>
  %b = nn.matmul %u, %x : tensor<2xf32>, tensor<2x3xf32> -> tensor<3xf32>
  %c = nn.matmul %v, %v : tensor<3xf32>, tensor<3xf32> -> tensor<f32>
  func.return %a, %b, %c : tensor<2xf32>, tensor<3xf32>, tensor<f32>
}

// CHECK-LABEL: func.func @one_hot(%i: tensor<2xi64>, %v: tensor<2xf32>) -> tensor<2x3xf32> {
// CHECK-NEXT:    %0 = nn.reshape %i : tensor<2xi64> -> tensor<2x1xi64>
// CHECK-NEXT:    %1 = nn.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %2 = nn.constant dense<3> : tensor<i64>
// CHECK-NEXT:    %3 = nn.lt %0, %1 : tensor<2x1xi64>, tensor<i64> -> tensor<2x1xi1>
// CHECK-NEXT:    %4 = nn.add %0, %2 : tensor<2x1xi64>, tensor<i64> -> tensor<2x1xi64>
// CHECK-NEXT:    %5 = nn.select %3, %4, %0 : tensor<2x1xi1>, tensor<2x1xi64>, tensor<2x1xi64> -> tensor<2x1xi64>
// CHECK-NEXT:    %6 = nn.constant dense<[[0, 1, 2]]> : tensor<1x3xi64>
// CHECK-NEXT:    %7 = nn.slice %v starts = [0] ends = [1] : tensor<2xf32> -> tensor<1xf32>
// CHECK-NEXT:    %8 = nn.reshape %7 : tensor<1xf32> -> tensor<f32>
// CHECK-NEXT:    %9 = nn.slice %v starts = [1] ends = [2] : tensor<2xf32> -> tensor<1xf32>
// CHECK-NEXT:    %10 = nn.reshape %9 : tensor<1xf32> -> tensor<f32>
// CHECK-NEXT:    %11 = nn.eq %5, %6 : tensor<2x1xi64>, tensor<1x3xi64> -> tensor<2x3xi1>
// CHECK-NEXT:    %y = nn.select %11, %10, %8 : tensor<2x3xi1>, tensor<f32>, tensor<f32> -> tensor<2x3xf32>
// CHECK-NEXT:    return %y : tensor<2x3xf32>
// CHECK-NEXT:  }
func.func @one_hot(%i: tensor<2xi64>, %v: tensor<2xf32>) -> tensor<2x3xf32> {
  %y = nn.one_hot %i, %v depth = 3 : tensor<2xi64>, tensor<2xf32> -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// A transposed convolution of stride 1 is a convolution with the weights turned round.
// CHECK-LABEL: func.func @unit_stride_conv_transpose(%x: tensor<1x2x5x5xf32>, %w: tensor<2x3x3x3xf32>) -> tensor<1x3x6x5xf32> {
// CHECK-NEXT:      %0 = nn.slice %w starts = [0, 0, 2, 2] ends = [2, 3, -1, -1] steps = [1, 1, -1, -1] : tensor<2x3x3x3xf32>
// CHECK-NEXT:      %1 = nn.reshape %0 : tensor<2x3x3x3xf32> -> tensor<1x2x3x3x3xf32>
// CHECK-NEXT:      %2 = nn.transpose %1 permutation = [0, 2, 1, 3, 4] : tensor<1x2x3x3x3xf32> -> tensor<1x3x2x3x3xf32>
// CHECK-NEXT:      %3 = nn.reshape %2 : tensor<1x3x2x3x3xf32> -> tensor<3x2x3x3xf32>
// CHECK-NEXT:      %y = nn.conv %x, %3 pads = [2, 1, 1, 1] : tensor<1x2x5x5xf32>, tensor<3x2x3x3xf32> -> tensor<1x3x6x5xf32>
// CHECK-NEXT:      return %y : tensor<1x3x6x5xf32>
// CHECK-NEXT:    }
func.func @unit_stride_conv_transpose(%x: tensor<1x2x5x5xf32>, %w: tensor<2x3x3x3xf32>) -> tensor<1x3x6x5xf32> {
  %y = nn.conv_transpose %x, %w pads = [0, 1, 1, 1] : tensor<1x2x5x5xf32>, tensor<2x3x3x3xf32> -> tensor<1x3x6x5xf32>
  func.return %y : tensor<1x3x6x5xf32>
}
