// RUN: mlopt %s --nn-canonicalize --validate-each | filecheck %s

// A condition that is known leaves its branch.
// CHECK-LABEL: func.func @known_branch(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %b = nn.abs %x : tensor<4xf32>
// CHECK-NEXT:    return %b : tensor<4xf32>
// CHECK-NEXT:  }
func.func @known_branch(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = nn.constant dense<false> : tensor<i1>
  %y = nn.if %c : tensor<i1> -> tensor<4xf32> {
    %a = nn.exp %x : tensor<4xf32>
    nn.yield %a : tensor<4xf32>
  } else {
    %b = nn.abs %x : tensor<4xf32>
    nn.yield %b : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// A count that is known, and a condition that always holds.
// CHECK-LABEL: func.func @known_count(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %y = nn.loop trips = 3 carry(%x) : tensor<4xf32> -> tensor<4xf32> {
// CHECK-NEXT:    ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
// CHECK-NEXT:      %e = nn.exp %h : tensor<4xf32>
// CHECK-NEXT:      nn.yield %e : tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func @known_count(%x: tensor<4xf32>) -> tensor<4xf32> {
  %n = nn.constant dense<3> : tensor<i64>
  %t = nn.constant dense<true> : tensor<i1>
  %y = nn.loop count(%n) while(%t) carry(%x) : tensor<i64>, tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
    %e = nn.exp %h : tensor<4xf32>
    nn.yield %t, %e : tensor<i1>, tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// One step is no loop.
// CHECK-LABEL: func.func @one_step(%h0: tensor<4xf32>, %x: tensor<1x4xf32>) -> (tensor<4xf32>, tensor<4x1xf32>) {
// CHECK-NEXT:    %row = nn.reshape %x : tensor<1x4xf32> -> tensor<4xf32>
// CHECK-NEXT:    %h2 = nn.add %h0, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    %s = nn.reshape %h2 : tensor<4xf32> -> tensor<4x1xf32>
// CHECK-NEXT:    return %h2, %s : tensor<4xf32>, tensor<4x1xf32>
// CHECK-NEXT:  }
func.func @one_step(%h0: tensor<4xf32>, %x: tensor<1x4xf32>) -> (tensor<4xf32>, tensor<4x1xf32>) {
  %h, %s = nn.loop trips = 1 carry(%h0) scan(%x [0]) stack([1]) : tensor<4xf32>, tensor<1x4xf32> -> (tensor<4xf32>, tensor<4x1xf32>) {
  ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>, %row: tensor<4xf32>):
    %h2 = nn.add %h1, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    nn.yield %h2, %h2 : tensor<4xf32>, tensor<4xf32>
  }
  func.return %h, %s : tensor<4xf32>, tensor<4x1xf32>
}

// No step gives back what it began with.
// CHECK-LABEL: func.func @no_step(%c: tensor<i1>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:    return %x, %x : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:  }
func.func @no_step(%c: tensor<i1>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %never = nn.constant dense<false> : tensor<i1>
  %y = nn.loop while(%never) carry(%x) : tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
    %e = nn.exp %h : tensor<4xf32>
    nn.yield %c, %e : tensor<i1>, tensor<4xf32>
  }
  %n = nn.constant dense<-2> : tensor<i64>
  %z = nn.loop count(%n) carry(%x) : tensor<i64>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
    %e = nn.exp %h : tensor<4xf32>
    nn.yield %e : tensor<4xf32>
  }
  func.return %y, %z : tensor<4xf32>, tensor<4xf32>
}
