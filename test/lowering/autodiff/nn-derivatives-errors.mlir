// RUN: not mlopt %s --split-input-file --nn-vjp='function=f wrt=1' 2>&1 | filecheck %s

// CHECK: nn-derivatives-errors.mlir:{{.*}}error: 'nn-vjp': argument 1 of @f has type tensor<4xi64> (only floats have derivatives)
func.func @f(%x: tensor<4xf32>, %n: tensor<4xi64>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}

// -----

// CHECK: error: 'nn-vjp': @f has no argument 1 (it has 1)
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}

// -----

// CHECK: error: 'nn-vjp': there is no function @f (functions: other)
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}

// -----

// CHECK: error: 'nn-vjp': there is already a function @f_vjp
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
func.func private @f_vjp()

// -----

// CHECK: nn-derivatives-errors.mlir:{{[0-9]+}}:{{[0-9]+}}: error: nn.if has no derivative: derivatives of branches are not written yet (stepwell.stop_gradient goes around it)
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.if %c : tensor<i1> -> tensor<4xf32> {
    nn.yield %x : tensor<4xf32>
  } else {
    %z = nn.neg %x : tensor<4xf32>
    nn.yield %z : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: nn-derivatives-errors.mlir:{{[0-9]+}}:{{[0-9]+}}: error: nn.exp of unknown extents has no derivative (fix the extents)
func.func @f(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %y = nn.exp %x : tensor<?xf32>
  func.return %y : tensor<?xf32>
}
