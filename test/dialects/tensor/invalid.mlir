// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @extract_slice(%a: tensor<8x8xf32>) {
  // expected-error @below {{expected type to be 'tensor<4x4xf32>' or a rank-reduced version. (size mismatch)}}
  %s = tensor.extract_slice %a[0, 0] [4, 4] [1, 1] : tensor<8x8xf32> to tensor<4x5xf32>
  func.return
}

// -----

func.func @out_of_bounds(%a: tensor<8x8xf32>) {
  // expected-error @below {{slice along dimension 1 runs out-of-bounds: 9 >= 8}}
  %s = tensor.extract_slice %a[0, 6] [4, 4] [1, 1] : tensor<8x8xf32> to tensor<4x4xf32>
  func.return
}

// -----

func.func @insert_slice(%a: tensor<8x8xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{expected type to be 'tensor<4x4xf32>' or a rank-reduced version. (size mismatch)}}
  %s = tensor.insert_slice %b into %a[0, 0] [4, 4] [1, 1] : tensor<4xf32> into tensor<8x8xf32>
  func.return
}

// -----

func.func @collapse(%a: tensor<2x3x4xf32>) {
  // expected-error @below {{expected dimension 0 of collapsed type to be static value of 6}}
  %s = tensor.collapse_shape %a [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<5x4xf32>
  func.return
}

// -----

func.func @expand(%a: tensor<6x4xf32>) {
  // expected-error @below {{expected dimension 0 of collapsed type to be static value of 8}}
  %s = tensor.expand_shape %a [[0, 1], [2]] output_shape [2, 4, 4] : tensor<6x4xf32> into tensor<2x4x4xf32>
  func.return
}

// -----

func.func @pad(%a: tensor<4xf32>, %z: f32) {
  // expected-error @below {{specified type 'tensor<8xf32>' does not match the inferred type 'tensor<7xf32>'}}
  %s = tensor.pad %a low[1] high[2] {
  ^bb0(%i: index):
    tensor.yield %z : f32
  } : tensor<4xf32> to tensor<8xf32>
  func.return
}

// -----

func.func @generate(%n: index) {
  // expected-error @below {{body must be terminated with a `yield` operation of the tensor element type}}
  %s = tensor.generate %n {
  ^bb0(%i: index):
    tensor.yield %i : index
  } : tensor<?xf32>
  func.return
}

// -----

func.func @gather(%a: tensor<8x4xf32>, %i: tensor<3x2xindex>) {
  // expected-error @below {{gather_dims length must match the size of last dimension of indices}}
  %s = tensor.gather %a[%i] gather_dims([0]) : (tensor<8x4xf32>, tensor<3x2xindex>) -> tensor<3x4xf32>
  func.return
}

// -----

func.func @scatter(%s: tensor<3x1x4xf32>, %a: tensor<8x4xf32>, %i: tensor<3x2xindex>) {
  // expected-error @below {{scatter_dims values must be strictly increasing}}
  %r = tensor.scatter %s into %a[%i] scatter_dims([0, 0]) unique : (tensor<3x1x4xf32>, tensor<8x4xf32>, tensor<3x2xindex>) -> tensor<8x4xf32>
  func.return
}

// -----

func.func @cast(%a: tensor<4x?xf32>) {
  // expected-error @below {{operand type 'tensor<4x?xf32>' and result type 'tensor<5x?xf32>' are cast incompatible}}
  %r = tensor.cast %a : tensor<4x?xf32> to tensor<5x?xf32>
  func.return
}

// -----

func.func @dim(%a: tensor<i8>, %i: index) {
  // expected-error @below {{'tensor.dim' op operand #0 must be non-0-ranked or unranked tensor, but got 'tensor<i8>'}}
  %r = tensor.dim %a, %i : tensor<i8>
  func.return
}

// -----

func.func @splat(%x: i8, %n: index) {
  // expected-error @below {{incorrect number of dynamic sizes, has 2, expected 1}}
  %r = tensor.splat %x[%n, %n] : tensor<4x?xi8>
  func.return
}

// -----

func.func @from_elements(%x: i8) {
  // expected-error @below {{number of operands and types do not match: got 2 operands and 3 types}}
  %r = tensor.from_elements %x, %x : tensor<3xi8>
  func.return
}

// -----

func.func @concat(%x: tensor<2x3xi8>, %y: tensor<2x4xi8>) {
  // expected-error @below {{static concatenation size mismatch along non-concatenated dimension 1}}
  %r = tensor.concat dim(0) %x, %y : (tensor<2x3xi8>, tensor<2x4xi8>) -> tensor<4x3xi8>
  func.return
}

// -----

func.func @unranked(%x: tensor<*xi8>) {
  // expected-error @below {{custom op 'tensor.collapse_shape' invalid kind of type specified: expected builtin.tensor, but found 'tensor<*xi8>'}}
  %r = tensor.collapse_shape %x [[0, 1]] : tensor<*xi8> into tensor<?xi8>
  func.return
}

// -----

func.func @insert(%x: i8, %t: tensor<4x4xi8>, %i: index) {
  // expected-error @below {{incorrect number of indices}}
  %r = tensor.insert %x into %t[%i] : tensor<4x4xi8>
  func.return
}
