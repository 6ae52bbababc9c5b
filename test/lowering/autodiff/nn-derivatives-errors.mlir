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

// CHECK: nn-derivatives-errors.mlir:{{[0-9]+}}:{{[0-9]+}}: error: nn.loop has no derivative in reverse mode: it ends when a condition says so (forward mode (stepwell.jvp) goes through it; {{.*}})
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.loop while(%c) carry(%x) : tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
    %b = nn.exp %a : tensor<4xf32>
    nn.yield %c, %b : tensor<i1>, tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: error: nn.loop has no derivative in reverse mode: its number of steps is known only when it runs ({{.*}})
func.func @f(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.loop count(%n) carry(%x) : tensor<i64>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
    %b = nn.exp %a : tensor<4xf32>
    nn.yield %b : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: nn-derivatives-errors.mlir:{{[0-9]+}}:{{[0-9]+}}: error: nn.exp of unknown extents has no derivative (fix the extents)
func.func @f(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %y = nn.exp %x : tensor<?xf32>
  func.return %y : tensor<?xf32>
}
