// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @if_condition(%c: tensor<1xi1>, %x: tensor<4xf32>) {
  // expected-error @below {{nn.if: its condition is tensor<i1>, not tensor<1xi1>}}
  %y = nn.if %c : tensor<1xi1> -> tensor<4xf32> { nn.yield %x : tensor<4xf32> } else { nn.yield %x : tensor<4xf32> }
  func.return
}

// -----

func.func @if_types(%c: tensor<i1>, %x: tensor<4xf32>, %z: tensor<5xf32>) {
  // expected-error @below {{nn.if: its else region yields (tensor<5xf32>), expected (tensor<4xf32>)}}
  %y = nn.if %c : tensor<i1> -> tensor<4xf32> { nn.yield %x : tensor<4xf32> } else { nn.yield %z : tensor<5xf32> }
  func.return
}

// -----

func.func @endless(%x: tensor<4xf32>) {
  // expected-error @below {{nn.loop: it would never end; it needs 'trips', a count or a condition}}
  %y = nn.loop carry(%x) : tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
    nn.yield %h : tensor<4xf32>
  }
  func.return
}

// -----

func.func @twice(%n: tensor<i64>) {
  // expected-error @below {{nn.loop: its number of steps is given twice, as an operand and as 'trips'}}
  nn.loop trips = 3 count(%n) : tensor<i64> -> () {
  ^bb0(%i: tensor<i64>):
  }
  func.return
}

// -----

func.func @stack_of_unknown_length(%n: tensor<i64>, %x: tensor<4xf32>) {
  // expected-error @below {{nn.loop: what scans or stacks has a known number of steps ('trips') and no condition}}
  %y = nn.loop count(%n) stack([0]) : tensor<i64> -> tensor<4x4xf32> {
  ^bb0(%i: tensor<i64>):
    nn.yield %x : tensor<4xf32>
  }
  func.return
}

// -----

func.func @scanned_extent(%x: tensor<4x2xf32>) {
  // expected-error @below {{nn.loop: it takes 3 steps over axis 0 of a tensor of shape 4x2}}
  nn.loop trips = 3 scan(%x [0]) : tensor<4x2xf32> -> () {
  ^bb0(%i: tensor<i64>, %row: tensor<2xf32>):
  }
  func.return
}

// -----

func.func @arguments(%x: tensor<4xf32>) {
  // expected-error @below {{nn.loop: its region takes (tensor<i32>, tensor<4xf32>), expected (tensor<i64>, tensor<4xf32>)}}
  %y = nn.loop trips = 3 carry(%x) : tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i32>, %h: tensor<4xf32>):
    nn.yield %h : tensor<4xf32>
  }
  func.return
}

// -----

func.func @carried_on(%x: tensor<4xf32>, %z: tensor<5xf32>) {
  // expected-error @below {{nn.loop: its region carries on (tensor<5xf32>), expected (tensor<4xf32>)}}
  %y = nn.loop trips = 3 carry(%x) : tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
    nn.yield %z : tensor<5xf32>
  }
  func.return
}

// -----

func.func @condition_missing(%c: tensor<i1>) {
  // expected-error @below {{nn.loop: its region must yield the condition of the next step first}}
  nn.loop while(%c) : tensor<i1> -> () {
  ^bb0(%i: tensor<i64>):
  }
  func.return
}

// -----

func.func @stack_type(%x: tensor<4xf32>) {
  // expected-error @below {{nn.loop: a stack is tensor<3x4xf32>, the shape rule says tensor<4x3xf32>}}
  %y = nn.loop trips = 3 stack([1]) : -> tensor<3x4xf32> {
  ^bb0(%i: tensor<i64>):
    nn.yield %x : tensor<4xf32>
  }
  func.return
}
