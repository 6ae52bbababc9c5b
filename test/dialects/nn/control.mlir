// RUN: mlopt %s | mlopt | filecheck %s

// CHECK-LABEL: func.func @control
func.func @control(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<5x4xf32>, %h0: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK:      %y = nn.if %c {note = "a"} : tensor<i1> -> tensor<4xf32> {
  // CHECK-NEXT:   nn.yield %h0 : tensor<4xf32>
  // CHECK-NEXT: } else {
  // CHECK-NEXT:   %a = nn.exp %h0 : tensor<4xf32>
  // CHECK-NEXT:   nn.yield %a : tensor<4xf32>
  // CHECK-NEXT: }
  %y = nn.if %c {note = "a"} : tensor<i1> -> tensor<4xf32> {
    nn.yield %h0 : tensor<4xf32>
  } else {
    %a = nn.exp %h0 : tensor<4xf32>
    nn.yield %a : tensor<4xf32>
  }
  // CHECK-NEXT: nn.if %c : tensor<i1> -> () {
  // CHECK-NEXT:   nn.yield
  // CHECK-NEXT: } else {
  // CHECK-NEXT:   nn.yield
  // CHECK-NEXT: }
  nn.if %c : tensor<i1> -> () {
  } else {
  }
  // CHECK-NEXT: %h:2 = nn.loop trips = 5 carry(%y) scan(%x [0] reversed) stack([1]) : tensor<4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<4x5xf32>) {
  // CHECK-NEXT: ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>, %row: tensor<4xf32>):
  // CHECK-NEXT:   nn.yield %row, %h1 : tensor<4xf32>, tensor<4xf32>
  // CHECK-NEXT: }
  %h, %s = nn.loop trips = 5 carry(%y) scan(%x [0] reversed) stack([1]) : tensor<4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<4x5xf32>) {
  ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>, %row: tensor<4xf32>):
    nn.yield %row, %h1 : tensor<4xf32>, tensor<4xf32>
  }
  // CHECK-NEXT: %w = nn.loop count(%n) while(%c) carry(%h#0) : tensor<i64>, tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  // CHECK-NEXT: ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>):
  // CHECK-NEXT:   nn.yield %c, %h1 : tensor<i1>, tensor<4xf32>
  // CHECK-NEXT: }
  %w = nn.loop count(%n) while(%c) carry(%h) : tensor<i64>, tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>):
    nn.yield %c, %h1 : tensor<i1>, tensor<4xf32>
  }
  func.return %w : tensor<4xf32>
}
