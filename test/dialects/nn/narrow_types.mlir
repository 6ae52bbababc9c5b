// RUN: mlopt %s | filecheck %s
// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s

// CHECK-LABEL: func.func @floats(
// CHECK-SAME: %x: tensor<4xf8E4M3FN>, %y: tensor<4xf8E8M0FNU>
// CHECK: nn.cast %x : tensor<4xf8E4M3FN> -> tensor<4xf32>
// CHECK: nn.cast %x saturate = false : tensor<4xf8E4M3FN> -> tensor<4xf8E4M3FNUZ>
// CHECK: nn.cast %x saturate = false round_mode = "nearest" : tensor<4xf8E4M3FN> -> tensor<4xf8E8M0FNU>
// CHECK: nn.constant dense<[1.000000e+00, 2.000000e+00, 5.000000e-01, -6.000000e+00]> : tensor<4xf4E2M1FN>
// CHECK: nn.constant dense<[1.000000e+00, 0x7F, 5.000000e-01, -4.480000e+02]> : tensor<4xf8E4M3FN>
// CHECK: nn.constant dense<[0.000000e+00, 1.525880e-05, 0x7C, 0x7E]> : tensor<4xf8E5M2>
// CHECK: nn.constant dense<7.500000e+00> : tensor<4xf6E2M3FN>
// CHECK: nn.constant dense<2.800000e+01> : tensor<4xf6E3M2FN>
// CHECK: nn.constant dense<0x80> : tensor<4xf8E5M2FNUZ>
// CHECK: nn.constant dense<1.000000e+00> : tensor<4xf8E8M0FNU>
func.func @floats(%x: tensor<4xf8E4M3FN>, %y: tensor<4xf8E8M0FNU>) {
  %0 = nn.cast %x : tensor<4xf8E4M3FN> -> tensor<4xf32>
  %1 = nn.cast %x saturate = false : tensor<4xf8E4M3FN> -> tensor<4xf8E4M3FNUZ>
  %2 = nn.cast %x saturate = false round_mode = "nearest" : tensor<4xf8E4M3FN> -> tensor<4xf8E8M0FNU>
  %3 = nn.constant dense<[1.0, 2.0, 0.5, -6.0]> : tensor<4xf4E2M1FN>
  %4 = nn.constant dense<"0x387F30FE"> : tensor<4xf8E4M3FN>
  %5 = nn.constant dense<[0x00, 0x01, 0x7C, 0x7E]> : tensor<4xf8E5M2>
  %6 = nn.constant dense<7.5> : tensor<4xf6E2M3FN>
  %7 = nn.constant dense<28.0> : tensor<4xf6E3M2FN>
  %8 = nn.constant dense<0x80> : tensor<4xf8E5M2FNUZ>
  %9 = nn.constant dense<0x7F> : tensor<4xf8E8M0FNU>
  return
}

// CHECK-LABEL: func.func @integers(
// CHECK: nn.constant dense<[1, -1, 7, -8]> : tensor<4xi4>
// CHECK: nn.constant dense<[0, 1, 14, 15]> : tensor<4xui4>
// CHECK: nn.constant dense<[1, 0, -1, -2]> : tensor<4xi2>
// CHECK: nn.constant dense<3> : tensor<4xui2>
// CHECK: nn.pad %{{.*}} low = [1] high = [2] value = 3.0 : tensor<4xui2> -> tensor<7xui2>
// CHECK: nn.transpose %{{.*}} permutation = [1, 0] : tensor<2x3xi4> -> tensor<3x2xi4>
func.func @integers(%x: tensor<2x3xi4>) {
  %0 = nn.constant dense<[1, -1, 7, -8]> : tensor<4xi4>
  %1 = nn.constant dense<[0, 1, 14, 15]> : tensor<4xui4>
  %2 = nn.constant dense<[1, 0, -1, -2]> : tensor<4xi2>
  %3 = nn.constant dense<3> : tensor<4xui2>
  %4 = nn.pad %3 low = [1] high = [2] value = 3.0 : tensor<4xui2> -> tensor<7xui2>
  %5 = nn.transpose %x permutation = [1, 0] : tensor<2x3xi4> -> tensor<3x2xi4>
  return
}

// NaN keeps its bits.
// CHECK-LABEL: func.func @nan(
// CHECK: nn.constant dense<"0x7CFF0100"> : tensor<4xf8E5M2>
// CHECK: nn.constant dense<"0xFF"> : tensor<4xf8E4M3FN>
// CHECK: nn.constant dense<[0x7F, 0.000000e+00]> : tensor<2xf8E4M3FN>
func.func @nan() {
  %0 = nn.constant dense<[0x7C, 0xFF, 0x01, 0x00]> : tensor<4xf8E5M2>
  %1 = nn.constant dense<0xFF> : tensor<4xf8E4M3FN>
  %2 = nn.constant dense<[0x7F, 0x00]> : tensor<2xf8E4M3FN>
  return
}
