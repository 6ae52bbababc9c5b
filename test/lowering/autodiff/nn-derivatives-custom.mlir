// RUN: mlopt %s --pass-pipeline='builtin.module(nn-vjp{function=f},nn-vjp{function=again},nn-jvp{function=again})' --validate-each | filecheck %s
// RUN: mlopt %s --nn-decompose --validate-each | filecheck %s --check-prefix=DECOMPOSED
// RUN: mlopt %s --nn-vjp='function=again' --nn-decompose --nn-cse --nn-form-kernels | filecheck %s --check-prefix=KERNELS

// Functions with a reverse rule of their own.

// the text is read back; forward stands where the op stood, backward where the cotangent arrives
// CHECK-LABEL: func.func @f(%x: tensor<4xf32>, %n: tensor<4xi64>) -> tensor<4xf32> {
// CHECK-NEXT:      %y = nn.custom_vjp(%x, %n) : tensor<4xf32>, tensor<4xi64> -> tensor<4xf32> forward {
// CHECK-NEXT:      ^bb0(%a: tensor<4xf32>, %k: tensor<4xi64>):
// CHECK-NEXT:        %b = nn.sign %a : tensor<4xf32>
// CHECK-NEXT:        nn.yield %b, %a : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      } backward {
// CHECK-NEXT:      ^bb0(%r: tensor<4xf32>, %ct: tensor<4xf32>):
// CHECK-NEXT:        %g = nn.mul %ct, %r : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %g : tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %z = nn.exp %y : tensor<4xf32>
// CHECK-NEXT:      return %z : tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func @f_vjp(%x: tensor<4xf32>, %n: tensor<4xi64>, %ct_z: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %b = nn.sign %x : tensor<4xf32>
// CHECK-NEXT:      %z = nn.exp %b : tensor<4xf32>
// CHECK-NEXT:      %ct = nn.mul %ct_z, %z : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %g = nn.mul %ct, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      return %z, %g : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
// DECOMPOSED-LABEL: func.func @f(
// DECOMPOSED-NEXT:    %b = nn.sign %x : tensor<4xf32>
// DECOMPOSED-NEXT:    %z = nn.exp %b : tensor<4xf32>
// DECOMPOSED-NEXT:    return %z : tensor<4xf32>
func.func @f(%x: tensor<4xf32>, %n: tensor<4xi64>) -> tensor<4xf32> {
  %y = nn.custom_vjp(%x, %n) : tensor<4xf32>, tensor<4xi64> -> tensor<4xf32> forward {
  ^bb0(%a: tensor<4xf32>, %k: tensor<4xi64>):
    %b = nn.sign %a : tensor<4xf32>
    nn.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  } backward {
  ^bb0(%r: tensor<4xf32>, %ct: tensor<4xf32>):
    %g = nn.mul %ct, %r : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    nn.yield %g : tensor<4xf32>
  }
  %z = nn.exp %y : tensor<4xf32>
  func.return %z : tensor<4xf32>
}

// a checkpoint computes again, forward mode looks through it; the second computation is not merged with the first
// CHECK-LABEL: func.func @again(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:      %y = nn.custom_vjp(%x) checkpoint : tensor<4xf32> -> tensor<4xf32> forward {
// CHECK-NEXT:      ^bb0(%a: tensor<4xf32>):
// CHECK-NEXT:        %b = nn.exp %a : tensor<4xf32>
// CHECK-NEXT:        nn.yield %b, %a : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      } backward {
// CHECK-NEXT:      ^bb0(%r: tensor<4xf32>, %ct: tensor<4xf32>):
// CHECK-NEXT:        %c = nn.recompute %r : tensor<4xf32>
// CHECK-NEXT:        %d = nn.exp %c : tensor<4xf32>
// CHECK-NEXT:        %g = nn.mul %ct, %d : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %g : tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %y : tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func @again_jvp(%x: tensor<4xf32>, %d_x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %b = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:      %0 = nn.mul %d_x, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      return %b, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func @again_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %b = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:      %c = nn.recompute %x : tensor<4xf32>
// CHECK-NEXT:      %d = nn.exp %c : tensor<4xf32>
// CHECK-NEXT:      %g = nn.mul %ct_y, %d : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      return %b, %g : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
// KERNELS-LABEL: func.func @again_vjp(
// KERNELS-NEXT:    %b = call @exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
// KERNELS-NEXT:    %g = call @exp_mul(%x, %ct_y) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @again(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.custom_vjp(%x) checkpoint : tensor<4xf32> -> tensor<4xf32> forward {
  ^bb0(%a: tensor<4xf32>):
    %b = nn.exp %a : tensor<4xf32>
    nn.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  } backward {
  ^bb0(%r: tensor<4xf32>, %ct: tensor<4xf32>):
    %c = nn.recompute %r : tensor<4xf32>
    %d = nn.exp %c : tensor<4xf32>
    %g = nn.mul %ct, %d : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    nn.yield %g : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}
