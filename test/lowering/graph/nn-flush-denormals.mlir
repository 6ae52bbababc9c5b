// RUN: mlopt %s --nn-flush-denormals --split-input-file | filecheck %s

// CHECK: module attributes {stepwell.flushed_denormals = 8 : i64} {
// CHECK-LABEL: func.func @some() -> (tensor<4xf32>, tensor<2x3xf32>, tensor<2xi32>) {
// CHECK-NEXT:    %a = nn.constant dense<[1.000000e+00, 0.000000e+00, -0.000000e+00, 1.200000e-38]> : tensor<4xf32>
// CHECK-NEXT:    %b = nn.constant dense<0.000000e+00> : tensor<2x3xf32>
// CHECK-NEXT:    %c = nn.constant dense<[1, 2]> : tensor<2xi32>
// CHECK-NEXT:    return %a, %b, %c : tensor<4xf32>, tensor<2x3xf32>, tensor<2xi32>
// CHECK-NEXT:  }
func.func @some() -> (tensor<4xf32>, tensor<2x3xf32>, tensor<2xi32>) {
  %a = nn.constant dense<[1.0, 1.0e-40, -1.0e-39, 1.2e-38]> : tensor<4xf32>
  %b = nn.constant dense<1.0e-44> : tensor<2x3xf32>
  %c = nn.constant dense<[1, 2]> : tensor<2xi32>
  func.return %a, %b, %c : tensor<4xf32>, tensor<2x3xf32>, tensor<2xi32>
}

// -----

// CHECK: module attributes {stepwell.flushed_denormals = 0 : i64} {
// CHECK-LABEL: func.func @none() -> tensor<2xf32> {
// CHECK-NEXT:    %a = nn.constant dense<[0.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    return %a : tensor<2xf32>
// CHECK-NEXT:  }
func.func @none() -> tensor<2xf32> {
  %a = nn.constant dense<[0.0, 1.0]> : tensor<2xf32>
  func.return %a : tensor<2xf32>
}
