// RUN: not mlopt %s --pass-pipeline='builtin.module(nn-rematerialize{budget=8300})' 2>&1 | filecheck %s

// Nothing is known of what other functions cost or do: they are not called again.

// CHECK: error: intermediate values need 12288 bytes at once, the budget is 8300
func.func private @other(%x: tensor<1024xf32>) -> tensor<1024xf32>
func.func @main(%x: tensor<1024xf32>) -> tensor<1024xf32> {
  %a = func.call @other(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
  %b = func.call @other(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
  %c = func.call @other(%b) : (tensor<1024xf32>) -> tensor<1024xf32>
  %d = nn.add %c, %a : tensor<1024xf32>, tensor<1024xf32> -> tensor<1024xf32>
  %e = nn.add %d, %a : tensor<1024xf32>, tensor<1024xf32> -> tensor<1024xf32>
  func.return %e : tensor<1024xf32>
}
