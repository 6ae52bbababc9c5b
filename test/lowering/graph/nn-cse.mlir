// RUN: mlopt %s --nn-cse | filecheck %s

// CHECK-LABEL: func.func @equal_operations(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %a = nn.clip %x min = 0.0 max = 6.0 : tensor<4xf32>
// CHECK-NEXT:      %c = nn.add %a, %a : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %d = nn.clip %x min = 0.0 max = 5.0 : tensor<4xf32>
// CHECK-NEXT:      return %c, %d : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
func.func @equal_operations(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = nn.clip %x min = 0.0 max = 6.0 : tensor<4xf32>
  %b = nn.clip %x min = 0.0 max = 6.0 : tensor<4xf32>
  %c = nn.add %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %d = nn.clip %x min = 0.0 max = 5.0 : tensor<4xf32>
  func.return %c, %d : tensor<4xf32>, tensor<4xf32>
}

// Equal bytes of another type are another constant.
// CHECK-LABEL: func.func @constants() -> (tensor<2xf32>, tensor<2xf32>, tensor<1x2xf32>, tensor<2xi32>) {
// CHECK-NEXT:      %a = nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:      %c = nn.constant dense<[[1.000000e+00, 2.000000e+00]]> : tensor<1x2xf32>
// CHECK-NEXT:      %d = nn.constant dense<[1065353216, 1073741824]> : tensor<2xi32>
// CHECK-NEXT:      return %a, %a, %c, %d : tensor<2xf32>, tensor<2xf32>, tensor<1x2xf32>, tensor<2xi32>
// CHECK-NEXT:    }
func.func @constants() -> (tensor<2xf32>, tensor<2xf32>, tensor<1x2xf32>, tensor<2xi32>) {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %c = nn.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %d = nn.constant dense<[1065353216, 1073741824]> : tensor<2xi32>
  func.return %a, %b, %c, %d : tensor<2xf32>, tensor<2xf32>, tensor<1x2xf32>, tensor<2xi32>
}

// A loop sees what stands before it; what it computes is not seen outside.
// CHECK-LABEL: func.func @regions(%x: tensor<4xf32>, %n: index) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %zero = arith.constant 0 : index
// CHECK-NEXT:      %one = arith.constant 1 : index
// CHECK-NEXT:      %a = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:      %r = scf.for %i = %zero to %n step %one iter_args(%y = %x) -> (tensor<4xf32>) {
// CHECK-NEXT:        %c = nn.relu %x : tensor<4xf32>
// CHECK-NEXT:        %d = nn.add %a, %c : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        scf.yield %d : tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %e = nn.relu %x : tensor<4xf32>
// CHECK-NEXT:      %f = nn.add %a, %e : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      return %r, %f : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
func.func @regions(%x: tensor<4xf32>, %n: index) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %a = nn.exp %x : tensor<4xf32>
  %r = scf.for %i = %zero to %n step %one iter_args(%y = %x) -> (tensor<4xf32>) {
    %b = nn.exp %x : tensor<4xf32>
    %c = nn.relu %x : tensor<4xf32>
    %d = nn.add %b, %c : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    scf.yield %d : tensor<4xf32>
  }
  %e = nn.relu %x : tensor<4xf32>
  %f = nn.add %a, %e : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %r, %f : tensor<4xf32>, tensor<4xf32>
}
