// RUN: mlopt %s --nn-fold-constants --verify-diagnostics

func.func @outside() -> tensor<1x2xf32> {
  %t = nn.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %i = nn.constant dense<7> : tensor<1xi64>
  // expected-error @below {{nn.gather of constants cannot be computed}}
  %y = nn.gather %t, %i : tensor<1x2xf32>, tensor<1xi64> -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}
