// RUN: mlopt %s --pass-pipeline='builtin.module(nn-vjp{function=softmax},nn-vjp{function=log_softmax},nn-vjp{function=convolution},nn-vjp{function=average},nn-vjp{function=maximum},nn-vjp{function=rms_norm})' | filecheck %s

// Reverse mode of what networks are made of.

// x* = y y* - y sum(y y*)
// CHECK-LABEL: func.func @softmax_vjp(%x: tensor<2x3xf32>, %ct_y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
// CHECK-NEXT:        %y = nn.softmax %x : tensor<2x3xf32>
// CHECK-NEXT:        %0 = nn.neg %ct_y : tensor<2x3xf32>
// CHECK-NEXT:        %1 = nn.mul %y, %0 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %2 = nn.reduce_sum %1 axes = [1] keepdims = true : tensor<2x3xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %3 = nn.broadcast_to %2 : tensor<2x1xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %4 = nn.add %ct_y, %3 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %5 = nn.mul %y, %4 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        return %y, %5 : tensor<2x3xf32>, tensor<2x3xf32>
// CHECK-NEXT:      }
func.func @softmax(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = nn.softmax %x : tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// x* = y* - exp(y) sum(y*)
// CHECK-LABEL: func.func @log_softmax_vjp(%x: tensor<2x3xf32>, %ct_y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
// CHECK-NEXT:        %y = nn.log_softmax %x : tensor<2x3xf32>
// CHECK-NEXT:        %0 = nn.exp %y : tensor<2x3xf32>
// CHECK-NEXT:        %1 = nn.reduce_sum %ct_y axes = [1] keepdims = true : tensor<2x3xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %2 = nn.neg %1 : tensor<2x1xf32>
// CHECK-NEXT:        %3 = nn.broadcast_to %2 : tensor<2x1xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %4 = nn.mul %0, %3 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %5 = nn.add %ct_y, %4 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        return %y, %5 : tensor<2x3xf32>, tensor<2x3xf32>
// CHECK-NEXT:      }
func.func @log_softmax(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = nn.log_softmax %x : tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// by the data a transposed convolution; by the weights a convolution of the data with the cotangent, strides as dilations
// CHECK-LABEL: func.func @convolution_vjp(%x: tensor<1x3x8x8xf32>, %w: tensor<16x3x3x3xf32>, %ct_y: tensor<1x16x4x4xf32>) -> (tensor<1x16x4x4xf32>, tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>) {
// CHECK-NEXT:        %y = nn.conv %x, %w strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32> -> tensor<1x16x4x4xf32>
// CHECK-NEXT:        %0 = nn.transpose %x permutation = [1, 0, 2, 3] : tensor<1x3x8x8xf32> -> tensor<3x1x8x8xf32>
// CHECK-NEXT:        %1 = nn.transpose %ct_y permutation = [1, 0, 2, 3] : tensor<1x16x4x4xf32> -> tensor<16x1x4x4xf32>
// CHECK-NEXT:        %2 = nn.conv %0, %1 pads = [1, 1, 1, 1] dilations = [2, 2] : tensor<3x1x8x8xf32>, tensor<16x1x4x4xf32> -> tensor<3x16x4x4xf32>
// CHECK-NEXT:        %3 = nn.slice %2 starts = [0, 0, 0, 0] ends = [3, 16, 3, 3] : tensor<3x16x4x4xf32> -> tensor<3x16x3x3xf32>
// CHECK-NEXT:        %4 = nn.transpose %3 permutation = [1, 0, 2, 3] : tensor<3x16x3x3xf32> -> tensor<16x3x3x3xf32>
// CHECK-NEXT:        %5 = nn.conv_transpose %ct_y, %w strides = [2, 2] pads = [1, 1, 1, 1] output_pads = [1, 1] : tensor<1x16x4x4xf32>, tensor<16x3x3x3xf32> -> tensor<1x3x8x8xf32>
// CHECK-NEXT:        return %y, %5, %4 : tensor<1x16x4x4xf32>, tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>
// CHECK-NEXT:      }
func.func @convolution(%x: tensor<1x3x8x8xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<1x16x4x4xf32> {
  %y = nn.conv %x, %w strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32> -> tensor<1x16x4x4xf32>
  func.return %y : tensor<1x16x4x4xf32>
}

// a quarter to each of four, side by side
// CHECK-LABEL: func.func @average_vjp(%x: tensor<1x2x4x4xf32>, %ct_y: tensor<1x2x2x2xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x4x4xf32>) {
// CHECK-NEXT:        %y = nn.avg_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:        %0 = nn.constant dense<4.000000e+00> : tensor<1x1x2x2xf32>
// CHECK-NEXT:        %1 = nn.div %ct_y, %0 : tensor<1x2x2x2xf32>, tensor<1x1x2x2xf32> -> tensor<1x2x2x2xf32>
// CHECK-NEXT:        %2 = nn.reshape %1 : tensor<1x2x2x2xf32> -> tensor<1x2x2x1x2x1xf32>
// CHECK-NEXT:        %3 = nn.broadcast_to %2 : tensor<1x2x2x1x2x1xf32> -> tensor<1x2x2x2x2x2xf32>
// CHECK-NEXT:        %4 = nn.reshape %3 : tensor<1x2x2x2x2x2xf32> -> tensor<1x2x4x4xf32>
// CHECK-NEXT:        return %y, %4 : tensor<1x2x2x2xf32>, tensor<1x2x4x4xf32>
// CHECK-NEXT:      }
func.func @average(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
  %y = nn.avg_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  func.return %y : tensor<1x2x2x2xf32>
}

// to the first of the window that is the maximum
// CHECK-LABEL: func.func @maximum_vjp(%x: tensor<1x1x1x4xf32>, %ct_y: tensor<1x1x1x2xf32>) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x4xf32>) {
// CHECK-NEXT:        %y = nn.max_pool %x kernel = [1, 2] strides = [1, 2] : tensor<1x1x1x4xf32> -> tensor<1x1x1x2xf32>
// CHECK-NEXT:        %0 = nn.slice %x starts = [0, 0, 0, 0] ends = [1, 1, 1, 3] steps = [1, 1, 1, 2] : tensor<1x1x1x4xf32> -> tensor<1x1x1x2xf32>
// CHECK-NEXT:        %1 = nn.slice %x starts = [0, 0, 0, 1] ends = [1, 1, 1, 4] steps = [1, 1, 1, 2] : tensor<1x1x1x4xf32> -> tensor<1x1x1x2xf32>
// CHECK-NEXT:        %2 = nn.eq %0, %y : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32> -> tensor<1x1x1x2xi1>
// CHECK-NEXT:        %3 = nn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:        %4 = nn.eq %1, %y : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32> -> tensor<1x1x1x2xi1>
// CHECK-NEXT:        %5 = nn.not %2 : tensor<1x1x1x2xi1>
// CHECK-NEXT:        %6 = nn.and %4, %5 : tensor<1x1x1x2xi1>, tensor<1x1x1x2xi1> -> tensor<1x1x1x2xi1>
// CHECK-NEXT:        %7 = nn.select %6, %ct_y, %3 : tensor<1x1x1x2xi1>, tensor<1x1x1x2xf32>, tensor<f32> -> tensor<1x1x1x2xf32>
// CHECK-NEXT:        %8 = nn.reshape %7 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x1xf32>
// CHECK-NEXT:        %9 = nn.pad %8 low = [0, 0, 0, 0, 0] high = [0, 0, 0, 0, 1] : tensor<1x1x1x2x1xf32> -> tensor<1x1x1x2x2xf32>
// CHECK-NEXT:        %10 = nn.reshape %9 : tensor<1x1x1x2x2xf32> -> tensor<1x1x1x4xf32>
// CHECK-NEXT:        %11 = nn.slice %10 starts = [0, 0, 0, 0] ends = [1, 1, 1, 3] : tensor<1x1x1x4xf32> -> tensor<1x1x1x3xf32>
// CHECK-NEXT:        %12 = nn.pad %11 low = [0, 0, 0, 1] high = [0, 0, 0, 0] : tensor<1x1x1x3xf32> -> tensor<1x1x1x4xf32>
// CHECK-NEXT:        %13 = nn.select %2, %ct_y, %3 : tensor<1x1x1x2xi1>, tensor<1x1x1x2xf32>, tensor<f32> -> tensor<1x1x1x2xf32>
// CHECK-NEXT:        %14 = nn.reshape %13 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x1xf32>
// CHECK-NEXT:        %15 = nn.pad %14 low = [0, 0, 0, 0, 0] high = [0, 0, 0, 0, 1] : tensor<1x1x1x2x1xf32> -> tensor<1x1x1x2x2xf32>
// CHECK-NEXT:        %16 = nn.reshape %15 : tensor<1x1x1x2x2xf32> -> tensor<1x1x1x4xf32>
// CHECK-NEXT:        %17 = nn.add %12, %16 : tensor<1x1x1x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x1x4xf32>
// CHECK-NEXT:        return %y, %17 : tensor<1x1x1x2xf32>, tensor<1x1x1x4xf32>
// CHECK-NEXT:      }
func.func @maximum(%x: tensor<1x1x1x4xf32>) -> tensor<1x1x1x2xf32> {
  %y = nn.max_pool %x kernel = [1, 2] strides = [1, 2] : tensor<1x1x1x4xf32> -> tensor<1x1x1x2xf32>
  func.return %y : tensor<1x1x1x2xf32>
}

// with z the normalised x: x* = r (g - z mean(z g)), g = s y*
// CHECK-LABEL: func.func @rms_norm_vjp(%x: tensor<2x4xf32>, %s: tensor<4xf32>, %ct_y: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.rms_norm %x, %s : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %0 = nn.mul %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %1 = nn.reduce_mean %0 axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %2 = nn.constant dense<1.000000e-05> : tensor<f32>
// CHECK-NEXT:        %3 = nn.add %1, %2 : tensor<2x1xf32>, tensor<f32> -> tensor<2x1xf32>
// CHECK-NEXT:        %4 = nn.rsqrt %3 : tensor<2x1xf32>
// CHECK-NEXT:        %5 = nn.mul %x, %4 : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %6 = nn.mul %5, %ct_y : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %7 = nn.reduce_sum %6 axes = [0] : tensor<2x4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %8 = nn.mul %ct_y, %s : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %9 = nn.mul %4, %8 : tensor<2x1xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %10 = nn.neg %9 : tensor<2x4xf32>
// CHECK-NEXT:        %11 = nn.mul %5, %10 : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %12 = nn.reduce_sum %11 axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %13 = nn.constant dense<2.500000e-01> : tensor<f32>
// CHECK-NEXT:        %14 = nn.mul %12, %13 : tensor<2x1xf32>, tensor<f32> -> tensor<2x1xf32>
// CHECK-NEXT:        %15 = nn.broadcast_to %14 : tensor<2x1xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %16 = nn.mul %5, %15 : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %17 = nn.add %9, %16 : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        return %y, %17, %7 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @rms_norm(%x: tensor<2x4xf32>, %s: tensor<4xf32>) -> tensor<2x4xf32> {
  %y = nn.rms_norm %x, %s : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}
