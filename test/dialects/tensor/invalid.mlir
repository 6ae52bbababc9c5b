// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @extract_slice(%a: tensor<8x8xf32>) {
  // expected-error @below {{has a slice of type tensor<4x5xf32> where sizes are 4x4}}
  %s = tensor.extract_slice %a[0, 0] [4, 4] [1, 1] : tensor<8x8xf32> to tensor<4x5xf32>
  func.return
}

// -----

func.func @out_of_bounds(%a: tensor<8x8xf32>) {
  // expected-error @below {{runs out-of-bounds along dimension 1}}
  %s = tensor.extract_slice %a[0, 6] [4, 4] [1, 1] : tensor<8x8xf32> to tensor<4x4xf32>
  func.return
}

// -----

func.func @insert_slice(%a: tensor<8x8xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{has a slice of type tensor<4xf32>}}
  %s = tensor.insert_slice %b into %a[0, 0] [4, 4] [1, 1] : tensor<4xf32> into tensor<8x8xf32>
  func.return
}

// -----

func.func @collapse(%a: tensor<2x3x4xf32>) {
  // expected-error @below {{do not collapse to 5}}
  %s = tensor.collapse_shape %a [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<5x4xf32>
  func.return
}

// -----

func.func @expand(%a: tensor<6x4xf32>) {
  // expected-error @below {{do not collapse to 6}}
  %s = tensor.expand_shape %a [[0, 1], [2]] output_shape [2, 4, 4] : tensor<6x4xf32> into tensor<2x4x4xf32>
  func.return
}

// -----

func.func @pad(%a: tensor<4xf32>, %z: f32) {
  // expected-error @below {{where the shape 7 is expected}}
  %s = tensor.pad %a low[1] high[2] {
  ^bb0(%i: index):
    tensor.yield %z : f32
  } : tensor<4xf32> to tensor<8xf32>
  func.return
}

// -----

func.func @generate(%n: index) {
  // expected-error @below {{must yield one f32}}
  %s = tensor.generate %n {
  ^bb0(%i: index):
    tensor.yield %i : index
  } : tensor<?xf32>
  func.return
}

// -----

func.func @gather(%a: tensor<8x4xf32>, %i: tensor<3x2xindex>) {
  // expected-error @below {{along 1 dimensions by indices of type}}
  %s = tensor.gather %a[%i] gather_dims([0]) : (tensor<8x4xf32>, tensor<3x2xindex>) -> tensor<3x4xf32>
  func.return
}
