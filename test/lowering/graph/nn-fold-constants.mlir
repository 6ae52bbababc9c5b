// RUN: mlopt %s --nn-fold-constants --split-input-file | filecheck %s

// CHECK-LABEL: func.func @computed() -> (tensor<2xf32>, tensor<2x2xi64>) {
// CHECK-NEXT:    %a = nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    %b = nn.constant dense<[3.000000e+00, 5.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    %c = nn.constant dense<[4.000000e+00, 7.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    %d = nn.constant dense<[1.600000e+01, 4.900000e+01]> : tensor<2xf32>
// CHECK-NEXT:    %i = nn.constant dense<[[0, 1], [0, 1]]> : tensor<2x2xi64>
// CHECK-NEXT:    return %d, %i : tensor<2xf32>, tensor<2x2xi64>
// CHECK-NEXT:  }
func.func @computed() -> (tensor<2xf32>, tensor<2x2xi64>) {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = nn.constant dense<[3.0, 5.0]> : tensor<2xf32>
  %c = nn.add %a, %b : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %d = nn.mul %c, %c : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %i = nn.iota axis = 1 : tensor<2x2xi64>
  func.return %d, %i : tensor<2xf32>, tensor<2x2xi64>
}

// -----

// A splat stays one element, whatever its shape.
// CHECK-LABEL: func.func @splats() -> (tensor<64x128xf32>, tensor<128x64xi1>, tensor<8x8xbf16>) {
// CHECK-NEXT:    %a = nn.constant dense<1.500000e+00> : tensor<64x128xf32>
// CHECK-NEXT:    %b = nn.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:    %c = nn.constant dense<3.000000e+00> : tensor<64x128xf32>
// CHECK-NEXT:    %d = nn.constant dense<3.000000e+00> : tensor<128x64xf32>
// CHECK-NEXT:    %e = nn.constant dense<true> : tensor<128x64xi1>
// CHECK-NEXT:    %f = nn.constant dense<2.500000e-01> : tensor<bf16>
// CHECK-NEXT:    %g = nn.constant dense<2.500000e-01> : tensor<8x8xbf16>
// CHECK-NEXT:    return %c, %e, %g : tensor<64x128xf32>, tensor<128x64xi1>, tensor<8x8xbf16>
// CHECK-NEXT:  }
func.func @splats() -> (tensor<64x128xf32>, tensor<128x64xi1>, tensor<8x8xbf16>) {
  %a = nn.constant dense<1.5> : tensor<64x128xf32>
  %b = nn.constant dense<2.0> : tensor<f32>
  %c = nn.mul %a, %b : tensor<64x128xf32>, tensor<f32> -> tensor<64x128xf32>
  %d = nn.transpose %c permutation = [1, 0] : tensor<64x128xf32> -> tensor<128x64xf32>
  %e = nn.gt %d, %b : tensor<128x64xf32>, tensor<f32> -> tensor<128x64xi1>
  %f = nn.constant dense<0.25> : tensor<bf16>
  %g = nn.broadcast_to %f : tensor<bf16> -> tensor<8x8xbf16>
  func.return %c, %e, %g : tensor<64x128xf32>, tensor<128x64xi1>, tensor<8x8xbf16>
}

// -----

// What would make the constants much larger stays an op.
// CHECK-LABEL: func.func @too_large() -> (tensor<1024x1024xi64>, tensor<2x524288xf32>) {
// CHECK-NEXT:    %i = nn.iota : tensor<1024x1024xi64>
// CHECK-NEXT:    %a = nn.constant dense<[[1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32>
// CHECK-NEXT:    %b = nn.broadcast_to %a : tensor<2x1xf32> -> tensor<2x524288xf32>
// CHECK-NEXT:    return %i, %b : tensor<1024x1024xi64>, tensor<2x524288xf32>
// CHECK-NEXT:  }
func.func @too_large() -> (tensor<1024x1024xi64>, tensor<2x524288xf32>) {
  %i = nn.iota axis = 0 : tensor<1024x1024xi64>
  %a = nn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %b = nn.broadcast_to %a : tensor<2x1xf32> -> tensor<2x524288xf32>
  func.return %i, %b : tensor<1024x1024xi64>, tensor<2x524288xf32>
}

// -----

// CHECK-LABEL: func.func @not_all_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
// CHECK-NEXT:    %a = nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    %b = nn.add %x, %a : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:    return %b : tensor<2xf32>
// CHECK-NEXT:  }
func.func @not_all_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = nn.add %x, %a : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  func.return %b : tensor<2xf32>
}
