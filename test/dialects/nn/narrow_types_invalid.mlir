// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @computes(%x: tensor<4xf8E5M2>) {
  // expected-error@+1 {{nn.add: element type f8E5M2 is not supported here (want number)}}
  %y = nn.add %x, %x : tensor<4xf8E5M2>, tensor<4xf8E5M2> -> tensor<4xf8E5M2>
  return
}

// -----

func.func @compares(%x: tensor<4xi4>) {
  // expected-error@+1 {{nn.lt: element type i4 is not supported here (want any)}}
  %y = nn.lt %x, %x : tensor<4xi4>, tensor<4xi4> -> tensor<4xi1>
  return
}

// -----

func.func @saturates_what(%x: tensor<4xf32>) {
  // expected-error@+1 {{nn.cast: saturate means nothing for a result of type i8}}
  %y = nn.cast %x saturate = false : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @rounds_what(%x: tensor<4xf32>) {
  // expected-error@+1 {{nn.cast: round_mode means nothing for a result of type f8E5M2}}
  %y = nn.cast %x round_mode = "up" : tensor<4xf32> -> tensor<4xf8E5M2>
  return
}

// -----

func.func @rounds_how(%x: tensor<4xf32>) {
  // expected-error@+1 {{nn.cast: round_mode is one of up, down, nearest, not 'away'}}
  %y = nn.cast %x round_mode = "away" : tensor<4xf32> -> tensor<4xf8E8M0FNU>
  return
}
