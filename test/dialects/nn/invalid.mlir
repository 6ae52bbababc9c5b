// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @broadcast(%a: tensor<2x3xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{nn.add: shapes 2x3 and 4 do not broadcast (axis 1: [3, 4])}}
  %0 = nn.add %a, %b : tensor<2x3xf32>, tensor<4xf32>
  func.return
}

// -----

func.func @elements(%a: tensor<2xf32>, %b: tensor<2xi32>) {
  // expected-error @below {{nn.add: operands differ in element type: f32, i32}}
  %0 = nn.add %a, %b : tensor<2xf32>, tensor<2xi32>
  func.return
}

// -----

func.func @kind(%a: tensor<2xi32>) {
  // expected-error @below {{nn.exp: element type i32 is not supported here (want float)}}
  %0 = nn.exp %a : tensor<2xi32>
  func.return
}

// -----

func.func @attribute(%a: tensor<2xf32>) {
  // expected-error @below {{nn.elu has no attribute 'beta' (it has: alpha)}}
  %0 = nn.elu %a beta = 1.0 : tensor<2xf32>
  func.return
}

// -----

func.func @missing(%a: tensor<2x3xf32>) {
  // expected-error @below {{nn.transpose needs the attribute 'permutation'}}
  %0 = nn.transpose %a : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return
}

// -----

func.func @axis(%a: tensor<2x3xf32>) {
  // expected-error @below {{nn.softmax: axis 2 is out of range for rank 2}}
  %0 = nn.softmax %a axis = 2 : tensor<2x3xf32>
  func.return
}

// -----

func.func @result(%a: tensor<2x3xf32>) {
  // expected-error @below {{nn.relu: result type is tensor<3x2xf32>, the shape rule says tensor<2x3xf32>}}
  %0 = nn.relu %a : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return
}

// -----

func.func @inner(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @below {{nn.matmul: inner extents of 2x3 and 4x5 differ (3 and 4)}}
  %0 = nn.matmul %a, %b : tensor<2x3xf32>, tensor<4x5xf32>
  func.return
}

// -----

func.func @bits(%a: tensor<3x2x4x3xf32>, %w: tensor<2x4x5xui8>, %s: tensor<2x5xf32>) {
  // expected-error @below {{nn.block_quantized_matmul: weights of type tensor<2x4x5xui8> do not fit tensor<3x2x4x3xf32>}}
  %0 = nn.block_quantized_matmul %a, %w, %s, %s : tensor<3x2x4x3xf32>, tensor<2x4x5xui8>, tensor<2x5xf32>, tensor<2x5xf32>
  func.return
}

// -----

func.func @blocks(%a: tensor<3x2x4x2xf32>, %w: tensor<3x4x5xui8>, %s: tensor<2x5xf32>) {
  // expected-error @below {{nn.block_quantized_matmul: 3x2x4x2 and 3x4x5 have other blocks}}
  %0 = nn.block_quantized_matmul %a, %w, %s, %s : tensor<3x2x4x2xf32>, tensor<3x4x5xui8>, tensor<2x5xf32>, tensor<2x5xf32>
  func.return
}

// -----

func.func @scales(%a: tensor<3x2x4x2xf32>, %w: tensor<2x4x5xui8>, %s: tensor<5x2xf32>) {
  // expected-error @below {{nn.block_quantized_matmul: parameters of shape 5x2 do not broadcast to blocks and columns of tensor<2x4x5xui8>}}
  %0 = nn.block_quantized_matmul %a, %w, %s, %s : tensor<3x2x4x2xf32>, tensor<2x4x5xui8>, tensor<5x2xf32>, tensor<5x2xf32>
  func.return
}

// -----

func.func @channels(%x: tensor<1x3x8x8xf32>, %w: tensor<4x2x3x3xf32>) {
  // expected-error @below {{nn.conv: 3 channels in the data, 1 groups of 2 in the weights}}
  %0 = nn.conv %x, %w : tensor<1x3x8x8xf32>, tensor<4x2x3x3xf32>
  func.return
}

// -----

func.func @window(%x: tensor<1x3x2x8xf32>) {
  // expected-error @below {{nn.max_pool: a window of 3 (dilation 1) does not fit into extent 2 with its pads}}
  %0 = nn.max_pool %x kernel = [3, 3] : tensor<1x3x2x8xf32>
  func.return
}

// -----

func.func @reshape(%x: tensor<2x3xf32>) {
  // expected-error @below {{nn.reshape: tensor<2x3xf32> and tensor<4x2xf32> differ in their number of elements}}
  %0 = nn.reshape %x : tensor<2x3xf32> -> tensor<4x2xf32>
  func.return
}

// -----

func.func @slice(%x: tensor<5xf32>) {
  // expected-error @below {{nn.slice: elements 2 to 6 of axis 0 lie outside its extent 5}}
  %0 = nn.slice %x starts = [2] ends = [7] steps = [2] : tensor<5xf32>
  func.return
}

// -----

func.func @lstm(%x: tensor<5x1x3xf32>, %w: tensor<1x8x3xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x8xf32>, %h: tensor<1x1x2xf32>) {
  // expected-error @below {{nn.lstm: b has shape 1x8, expected 1x16}}
  %0, %1, %2 = nn.lstm %x, %w, %r, %b, %h, %h : tensor<5x1x3xf32>, tensor<1x8x3xf32>, tensor<1x8x2xf32>, tensor<1x8xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
  func.return
}

// -----

func.func @attention(%q: tensor<1x3x2x4xf32>, %k: tensor<1x2x5x4xf32>) {
  // expected-error @below {{nn.attention: 3 heads of queries cannot share 2 heads of keys}}
  %0 = nn.attention %q, %k, %k : tensor<1x3x2x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32> -> tensor<1x3x2x4xf32>
  func.return
}

// -----

func.func @attention_mask(%q: tensor<1x2x2x4xf32>, %m: tensor<2x2x2x2xf32>) {
  // expected-error @below {{nn.attention: the mask of shape 2x2x2x2 does not broadcast to 1x2x2x2}}
  %0 = nn.attention %q, %q, %q, %m : tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<2x2x2x2xf32> -> tensor<1x2x2x4xf32>
  func.return
}

// -----

func.func @rotary(%x: tensor<2x3xf32>) {
  // expected-error @below {{nn.rotary_embedding: the last axis of tensor<2x3xf32> has no halves}}
  %0 = nn.rotary_embedding %x, %x, %x : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----

func.func @window(%m: tensor<2x4xf32>, %x: tensor<3x8xf32>) {
  // expected-error @below {{nn.window_transform: a window of 4 does not fit into extent 3}}
  %0 = nn.window_transform %m, %x axis = 0 place = 0 : tensor<2x4xf32>, tensor<3x8xf32>
  func.return
}

// -----

func.func @place(%m: tensor<2x2xf32>, %x: tensor<3x8xf32>) {
  // expected-error @below {{nn.window_transform: place 3 or stride 1 is out of range for 3x8}}
  %0 = nn.window_transform %m, %x axis = 0 place = 3 : tensor<2x2xf32>, tensor<3x8xf32>
  func.return
}
