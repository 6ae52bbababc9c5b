// RUN: mlopt %s --pass-pipeline='builtin.module(nn-vjp{function=sin},nn-vjp{function=exp},nn-vjp{function=tanh},nn-vjp{function=sqrt},nn-vjp{function=relu},nn-vjp{function=sigmoid},nn-vjp{function=product},nn-vjp{function=square},nn-vjp{function=quotient},nn-vjp{function=chosen},nn-vjp{function=constant_argument wrt=1},nn-vjp{function=stopped},nn-vjp{function=flat})' | filecheck %s

// Reverse mode of elementwise ops: each cotangent is the result's times a derivative, summed where an operand was repeated.

// sin' = cos
// CHECK-LABEL: func.func @sin_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.sin %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.cos %x : tensor<4xf32>
// CHECK-NEXT:        %1 = nn.mul %ct_y, %0 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %1 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @sin(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.sin %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// exp' = exp
// CHECK-LABEL: func.func @exp_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.mul %ct_y, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.exp %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// tanh' = 1 - tanh^2
// CHECK-LABEL: func.func @tanh_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.tanh %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.mul %y, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %1 = nn.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT:        %2 = nn.sub %1, %0 : tensor<f32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %3 = nn.mul %ct_y, %2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %3 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.tanh %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// sqrt' = 1 / (2 sqrt)
// CHECK-LABEL: func.func @sqrt_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.sqrt %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.reciprocal %y : tensor<4xf32>
// CHECK-NEXT:        %1 = nn.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT:        %2 = nn.mul %0, %1 : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:        %3 = nn.mul %ct_y, %2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %3 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @sqrt(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.sqrt %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// nothing comes back from where relu is flat
// CHECK-LABEL: func.func @relu_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.relu %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:        %1 = nn.gt %x, %0 : tensor<4xf32>, tensor<f32> -> tensor<4xi1>
// CHECK-NEXT:        %2 = nn.select %1, %ct_y, %0 : tensor<4xi1>, tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %2 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.relu %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// s' = s (1 - s)
// CHECK-LABEL: func.func @sigmoid_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.sigmoid %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT:        %1 = nn.sub %0, %y : tensor<f32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %2 = nn.mul %y, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %3 = nn.mul %ct_y, %2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %3 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @sigmoid(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.sigmoid %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// the product rule; b was used for two rows, so two cotangents are added
// CHECK-LABEL: func.func @product_vjp(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %ct_y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>) {
// CHECK-NEXT:        %y = nn.mul %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %0 = nn.mul %a, %ct_y : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        %1 = nn.reduce_sum %0 axes = [0] : tensor<2x3xf32> -> tensor<3xf32>
// CHECK-NEXT:        %2 = nn.mul %ct_y, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        return %y, %2, %1 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>
// CHECK-NEXT:      }
func.func @product(%a: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<2x3xf32> {
  %y = nn.mul %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// (x^2)' = 2 x
// CHECK-LABEL: func.func @square_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.mul %x, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %0 = nn.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:        %1 = nn.mul %x, %0 : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:        %2 = nn.mul %ct_y, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %2 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @square(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.mul %x, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// 1 / b, and -y / b
// CHECK-LABEL: func.func @quotient_vjp(%a: tensor<4xf32>, %b: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.div %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %0 = nn.div %y, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %1 = nn.neg %ct_y : tensor<4xf32>
// CHECK-NEXT:        %2 = nn.mul %0, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %3 = nn.div %ct_y, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %3, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @quotient(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.div %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// each operand gets what was chosen of it; a condition has no derivative
// CHECK-LABEL: func.func @chosen_vjp(%c: tensor<4xi1>, %a: tensor<4xf32>, %b: tensor<f32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>) {
// CHECK-NEXT:        %y = nn.select %c, %a, %b : tensor<4xi1>, tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:        %0 = nn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:        %1 = nn.select %c, %ct_y, %0 : tensor<4xi1>, tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:        %2 = nn.select %c, %0, %ct_y : tensor<4xi1>, tensor<f32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %3 = nn.reduce_sum %2 : tensor<4xf32> -> tensor<f32>
// CHECK-NEXT:        return %y, %1, %3 : tensor<4xf32>, tensor<4xf32>, tensor<f32>
// CHECK-NEXT:      }
func.func @chosen(%c: tensor<4xi1>, %a: tensor<4xf32>, %b: tensor<f32>) -> tensor<4xf32> {
  %y = nn.select %c, %a, %b : tensor<4xi1>, tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// only by the argument that is asked for
// CHECK-LABEL: func.func @constant_argument_vjp(%x: tensor<4xf32>, %n: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.sub %x, %n : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %0 = nn.neg %ct_y : tensor<4xf32>
// CHECK-NEXT:        return %y, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @constant_argument(%x: tensor<4xf32>, %n: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.sub %x, %n : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// the second factor counts as a constant
// CHECK-LABEL: func.func @stopped_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %a = nn.stop_gradient %x : tensor<4xf32>
// CHECK-NEXT:        %y = nn.mul %x, %a : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %0 = nn.mul %ct_y, %a : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        return %y, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @stopped(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = nn.stop_gradient %x : tensor<4xf32>
  %y = nn.mul %x, %a : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// a function that is constant between jumps has the derivative 0
// CHECK-LABEL: func.func @flat_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.floor %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK-NEXT:        return %y, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @flat(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.floor %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
