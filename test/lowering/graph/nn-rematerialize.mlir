// RUN: mlopt %s --pass-pipeline='builtin.module(nn-rematerialize{budget=17000})' --validate-each | filecheck %s
// RUN: mlopt %s --pass-pipeline='builtin.module(nn-rematerialize{budget=30000})' | filecheck %s --check-prefix=FITS
// RUN: mlopt %s --nn-rematerialize | filecheck %s --check-prefix=NONE
// RUN: not mlopt %s --pass-pipeline='builtin.module(nn-rematerialize{budget=10000})' 2>&1 | filecheck %s --check-prefix=ERROR

// FITS: module attributes {stepwell.memory_estimate = 20496 : i64} {
// FITS-COUNT-1: call @exp
// FITS-NOT: call @exp
// NONE: module {
// ERROR: error: intermediate values need 16400 bytes at once, the budget is 10000 (use a larger budget; arguments and results do not count)

// @wide needs 16384 bytes beside %a, which comes back, with its view, when @mul asks for it.
// CHECK: module attributes {stepwell.memory_estimate = 16400 : i64} {
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %a = call @exp(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
// CHECK-NEXT:    %v = nn.reshape %a : tensor<1024xf32> -> tensor<256x4xf32>
// CHECK-NEXT:    %b = call @sum(%v) : (tensor<256x4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %w = call @wide(%b) : (tensor<4xf32>) -> tensor<1024x4xf32>
// CHECK-NEXT:    %s = call @narrow(%w) : (tensor<1024x4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %a_0 = call @exp(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
// CHECK-NEXT:    %v_1 = nn.reshape %a_0 : tensor<1024xf32> -> tensor<256x4xf32>
// CHECK-NEXT:    %c = call @mul(%v_1) : (tensor<256x4xf32>) -> tensor<256x4xf32>
// CHECK-NEXT:    %d = nn.reshape %c : tensor<256x4xf32> -> tensor<1024xf32>
// CHECK-NEXT:    return %s, %d : tensor<4xf32>, tensor<1024xf32>
func.func @main(%x: tensor<1024xf32>) -> (tensor<4xf32>, tensor<1024xf32>) {
  %a = func.call @exp(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
  %v = nn.reshape %a : tensor<1024xf32> -> tensor<256x4xf32>
  %b = func.call @sum(%v) : (tensor<256x4xf32>) -> tensor<4xf32>
  %w = func.call @wide(%b) : (tensor<4xf32>) -> tensor<1024x4xf32>
  %s = func.call @narrow(%w) : (tensor<1024x4xf32>) -> tensor<4xf32>
  %c = func.call @mul(%v) : (tensor<256x4xf32>) -> tensor<256x4xf32>
  %d = nn.reshape %c : tensor<256x4xf32> -> tensor<1024xf32>
  func.return %s, %d : tensor<4xf32>, tensor<1024xf32>
}
func.func private @exp(%x: tensor<1024xf32>) -> tensor<1024xf32> attributes {kernel} {
  %0 = nn.exp %x : tensor<1024xf32>
  func.return %0 : tensor<1024xf32>
}
func.func private @sum(%x: tensor<256x4xf32>) -> tensor<4xf32> attributes {kernel} {
  %0 = nn.reduce_sum %x axes = [0] : tensor<256x4xf32> -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
func.func private @wide(%x: tensor<4xf32>) -> tensor<1024x4xf32> attributes {kernel} {
  %0 = nn.broadcast_to %x : tensor<4xf32> -> tensor<1024x4xf32>
  func.return %0 : tensor<1024x4xf32>
}
func.func private @narrow(%x: tensor<1024x4xf32>) -> tensor<4xf32> attributes {kernel} {
  %0 = nn.reduce_sum %x axes = [0] : tensor<1024x4xf32> -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
func.func private @mul(%x: tensor<256x4xf32>) -> tensor<256x4xf32> attributes {kernel} {
  %0 = nn.mul %x, %x : tensor<256x4xf32>, tensor<256x4xf32> -> tensor<256x4xf32>
  func.return %0 : tensor<256x4xf32>
}
