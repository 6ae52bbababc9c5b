// RUN: mlopt %s --pass-pipeline='builtin.module(nn-jvp{function=chain},nn-jvp{function=product},nn-jvp{function=matmul},nn-jvp{function=log_sum_exp},nn-jvp{function=two_results})' | filecheck %s

// Forward mode: the tangent of every op stands right behind it.

// exp(sin x)' = exp(sin x) cos x
// CHECK-LABEL: func.func @chain_jvp(%x: tensor<4xf32>, %d_x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %a = nn.sin %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.cos %x : tensor<4xf32>
// CHECK-NEXT:        %1 = nn.mul %d_x, %0 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %y = nn.exp %a : tensor<4xf32>
// CHECK-NEXT:        %2 = nn.mul %1, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %2 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @chain(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = nn.sin %x : tensor<4xf32>
  %y = nn.exp %a : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// a' b + a b'
// CHECK-LABEL: func.func @product_jvp(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %d_a: tensor<2x3xf32>, %d_b: tensor<3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
// CHECK-NEXT:        %y = nn.mul %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %0 = nn.mul %d_a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %1 = nn.mul %a, %d_b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %2 = nn.add %0, %1 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        return %y, %2 : tensor<2x3xf32>, tensor<2x3xf32>
// CHECK-NEXT:      }
func.func @product(%a: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<2x3xf32> {
  %y = nn.mul %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// A' B + A B'
// CHECK-LABEL: func.func @matmul_jvp(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %d_a: tensor<2x3xf32>, %d_b: tensor<3x5xf32>) -> (tensor<2x5xf32>, tensor<2x5xf32>) {
// CHECK-NEXT:        %y = nn.matmul %a, %b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
// CHECK-NEXT:        %0 = nn.matmul %d_a, %b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
// CHECK-NEXT:        %1 = nn.matmul %a, %d_b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
// CHECK-NEXT:        %2 = nn.add %0, %1 : tensor<2x5xf32>, tensor<2x5xf32> -> tensor<2x5xf32>
// CHECK-NEXT:        return %y, %2 : tensor<2x5xf32>, tensor<2x5xf32>
// CHECK-NEXT:      }
func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %y = nn.matmul %a, %b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
  func.return %y : tensor<2x5xf32>
}

// the mean of the tangents, weighted by the softmax
// CHECK-LABEL: func.func @log_sum_exp_jvp(%x: tensor<2x3xf32>, %d_x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
// CHECK-NEXT:        %y = nn.reduce_log_sum_exp %x axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
// CHECK-NEXT:        %0 = nn.reshape %y : tensor<2xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %1 = nn.sub %x, %0 : tensor<2x3xf32>, tensor<2x1xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %2 = nn.exp %1 : tensor<2x3xf32>
// CHECK-NEXT:        %3 = nn.mul %d_x, %2 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %4 = nn.reduce_sum %3 axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
// CHECK-NEXT:        return %y, %4 : tensor<2xf32>, tensor<2xf32>
// CHECK-NEXT:      }
func.func @log_sum_exp(%x: tensor<2x3xf32>) -> tensor<2xf32> {
  %y = nn.reduce_log_sum_exp %x axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}

// integers have no tangent, constants one of zero
// CHECK-LABEL: func.func @two_results_jvp(%x: tensor<4xf32>, %n: tensor<4xi64>, %d_x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi64>, tensor<2xf32>, tensor<4xf32>, tensor<2xf32>) {
// CHECK-NEXT:        %y = nn.neg %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.neg %d_x : tensor<4xf32>
// CHECK-NEXT:        %z = nn.neg %n : tensor<4xi64>
// CHECK-NEXT:        %c = nn.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK-NEXT:        %1 = nn.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK-NEXT:        return %y, %z, %c, %0, %1 : tensor<4xf32>, tensor<4xi64>, tensor<2xf32>, tensor<4xf32>, tensor<2xf32>
// CHECK-NEXT:      }
func.func @two_results(%x: tensor<4xf32>, %n: tensor<4xi64>) -> (tensor<4xf32>, tensor<4xi64>, tensor<2xf32>) {
  %y = nn.neg %x : tensor<4xf32>
  %z = nn.neg %n : tensor<4xi64>
  %c = nn.constant dense<1.0> : tensor<2xf32>
  func.return %y, %z, %c : tensor<4xf32>, tensor<4xi64>, tensor<2xf32>
}
