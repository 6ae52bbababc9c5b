// RUN: mlopt %s --pass-pipeline='builtin.module(nn-vjp{function=branch},nn-vjp{function=loop},nn-jvp{function=branch},nn-jvp{function=while})' --validate-each | filecheck %s

// Derivatives of branches and loops.

// values that tangents need are further results; the transpose takes the same branch
// CHECK-LABEL: func.func @branch_jvp(%c: tensor<i1>, %x: tensor<4xf32>, %d_x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %y:2 = nn.if %c : tensor<i1> -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %a = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.mul %d_x, %a : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %a, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        nn.yield %x, %d_x : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %y#0, %y#1 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func @branch_vjp(%c: tensor<i1>, %x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %y:2 = nn.if %c : tensor<i1> -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %a = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:        nn.yield %a, %a : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        %1 = nn.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK-NEXT:        nn.yield %x, %1 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %0 = nn.if %c : tensor<i1> -> tensor<4xf32> {
// CHECK-NEXT:        %1 = nn.mul %ct_y, %y#1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %1 : tensor<4xf32>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        nn.yield %ct_y : tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %y#0, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.if %c : tensor<i1> -> tensor<4xf32> {
    %a = nn.exp %x : tensor<4xf32>
    nn.yield %a : tensor<4xf32>
  } else {
    nn.yield %x : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// what tangents need is stacked; the transpose walks from the last step to the first and adds up what every step reads
// CHECK-LABEL: func.func @loop_vjp(%h: tensor<4xf32>, %w: tensor<4xf32>, %x: tensor<5x4xf32>, %ct_y: tensor<4xf32>, %ct_ys: tensor<5x4xf32>) -> (tensor<4xf32>, tensor<5x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<5x4xf32>) {
// CHECK-NEXT:      %y:3 = nn.loop trips = 5 carry(%h) scan(%x [0]) stack([0], [0]) : tensor<4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<5x4xf32>, tensor<5x4xf32>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %row: tensor<4xf32>):
// CHECK-NEXT:        %b = nn.mul %a, %w : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %d = nn.add %b, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %d, %b, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %0 = nn.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK-NEXT:      %1:3 = nn.loop trips = 5 carry(%ct_y, %0) scan(%ct_ys [0] reversed, %y#2 [0] reversed) stack([0] reversed) : tensor<4xf32>, tensor<4xf32>, tensor<5x4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<4xf32>, tensor<5x4xf32>) {
// CHECK-NEXT:      ^bb0(%arg0: tensor<i64>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>):
// CHECK-NEXT:        %2 = nn.add %arg3, %arg1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %3 = nn.mul %arg4, %2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %4 = nn.mul %2, %w : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        %5 = nn.add %arg2, %3 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %4, %5, %arg1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %y#0, %y#1, %1#0, %1#1, %1#2 : tensor<4xf32>, tensor<5x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<5x4xf32>
// CHECK-NEXT:    }
func.func @loop(%h: tensor<4xf32>, %w: tensor<4xf32>, %x: tensor<5x4xf32>) -> (tensor<4xf32>, tensor<5x4xf32>) {
  %y, %ys = nn.loop trips = 5 carry(%h) scan(%x [0]) stack([0]) : tensor<4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<5x4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %row: tensor<4xf32>):
    %b = nn.mul %a, %w : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    %d = nn.add %b, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    nn.yield %d, %b : tensor<4xf32>, tensor<4xf32>
  }
  func.return %y, %ys : tensor<4xf32>, tensor<5x4xf32>
}

// forward mode computes tangents in the same loop, for as long as it runs
// CHECK-LABEL: func.func @while_jvp(%c: tensor<i1>, %x: tensor<4xf32>, %d_x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %y:2 = nn.loop while(%c) carry(%x, %d_x) : tensor<i1>, tensor<4xf32>, tensor<4xf32> -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %arg0: tensor<4xf32>):
// CHECK-NEXT:        %b = nn.exp %a : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.mul %arg0, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:        nn.yield %c, %b, %0 : tensor<i1>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %y#0, %y#1 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }
func.func @while(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.loop while(%c) carry(%x) : tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
    %b = nn.exp %a : tensor<4xf32>
    nn.yield %c, %b : tensor<i1>, tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}
