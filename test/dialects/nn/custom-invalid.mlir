// RUN: not mlopt %s --split-input-file 2>&1 | filecheck %s

// CHECK: nn.custom_vjp: its forward region takes (tensor<3xf32>), expected (tensor<4xf32>)
func.func @f(%x: tensor<4xf32>) -> tensor<3xf32> {
  %y = nn.custom_vjp(%x) : tensor<4xf32> -> tensor<3xf32> forward {
  ^bb0(%a: tensor<3xf32>):
    nn.yield %a : tensor<3xf32>
  } backward {
  ^bb0(%ct: tensor<4xf32>):
    nn.yield %ct : tensor<4xf32>
  }
  func.return %y : tensor<3xf32>
}

// -----

// CHECK: nn.custom_vjp: its backward region takes (tensor<4xf32>), expected (tensor<4xi64>, tensor<4xf32>)
func.func @f(%x: tensor<4xf32>, %n: tensor<4xi64>) -> tensor<4xf32> {
  %y = nn.custom_vjp(%x, %n) : tensor<4xf32>, tensor<4xi64> -> tensor<4xf32> forward {
  ^bb0(%a: tensor<4xf32>, %k: tensor<4xi64>):
    nn.yield %a, %k : tensor<4xf32>, tensor<4xi64>
  } backward {
  ^bb0(%ct: tensor<4xf32>):
    nn.yield %ct : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: nn.custom_vjp: its backward region yields (tensor<4xf32>, tensor<4xf32>), expected (tensor<4xf32>)
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.custom_vjp(%x) : tensor<4xf32> -> tensor<4xf32> forward {
  ^bb0(%a: tensor<4xf32>):
    nn.yield %a : tensor<4xf32>
  } backward {
  ^bb0(%ct: tensor<4xf32>):
    nn.yield %ct, %ct : tensor<4xf32>, tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}
