// RUN: mlopt %s --nn-dce | filecheck %s

// CHECK-LABEL: func.func @unused(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:      return %x : tensor<4xf32>
// CHECK-NEXT:    }
func.func @unused(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = nn.exp %x : tensor<4xf32>
  %b = nn.relu %a : tensor<4xf32>
  %c = nn.constant dense<1.0> : tensor<4xf32>
  func.return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @used(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:      %a = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:      return %a : tensor<4xf32>
// CHECK-NEXT:    }
func.func @used(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = nn.exp %x : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// A loop whose results nobody uses and that has no effects is dead; a call may have effects.
// CHECK-LABEL: func.func @loops(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
// CHECK-NEXT:      %d = call @called(%x) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      return %x : tensor<4xf32>
// CHECK-NEXT:    }
func.func @loops(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %r = scf.for %i = %zero to %n step %one iter_args(%y = %x) -> (tensor<4xf32>) {
    %b = nn.exp %y : tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  }
  %d = func.call @called(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func private @called(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:      return %x : tensor<4xf32>
// CHECK-NEXT:    }
func.func private @called(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}

// CHECK-NOT: @uncalled
func.func private @uncalled(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
