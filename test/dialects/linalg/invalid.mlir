// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @pack_shape(%a: tensor<8x16xf32>, %d: tensor<2x8x8xf32>) {
  // expected-error @below {{expected 'tensor<8x2x8xf32>' for the packed domain value, got 'tensor<2x8x8xf32>'}}
  %p = linalg.pack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x16xf32> -> tensor<2x8x8xf32>
  func.return
}

// -----

func.func @pack_ragged(%a: tensor<8x15xf32>, %d: tensor<8x2x8xf32>) {
  // expected-error @below {{invalid tile factor or output size provided. Only full tiles are supported when padding_value is not set}}
  %p = linalg.pack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x15xf32> -> tensor<8x2x8xf32>
  func.return
}

// -----

func.func @pack_tile(%a: tensor<8x16xf32>, %d: tensor<8x2x?xf32>) {
  // expected-error @below {{mismatch in inner tile sizes specified and shaped of tiled dimension in the packed type at index 0: got ? != 8}}
  %p = linalg.pack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x16xf32> -> tensor<8x2x?xf32>
  func.return
}

// -----

func.func @unpack(%a: tensor<8x2x8xf32>, %d: tensor<8x17xf32>) {
  // expected-error @below {{expected 'tensor<8x3x8xf32>' for the packed domain value, got 'tensor<8x2x8xf32>'}}
  %p = linalg.unpack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x2x8xf32> -> tensor<8x17xf32>
  func.return
}

// -----

func.func @yields(%a: tensor<4xf32>, %i: i32) {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%a : tensor<4xf32>) {
  ^bb0(%x: f32):
    // expected-error @below {{'linalg.yield' op type of yield operand 1 ('i32') doesn't match the element type of the enclosing linalg.generic op ('f32')}}
    linalg.yield %i : i32
  } -> tensor<4xf32>
  func.return
}

// -----

func.func @results(%a: tensor<4xf32>) {
  // expected-error @below {{expected the number of tensor results (0) to be equal to the number of output tensors (1)}}
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%a : tensor<4xf32>) {
  ^bb0(%x: f32):
    linalg.yield %x : f32
  }
  func.return
}

// -----

func.func @maps(%a: tensor<4xf32>, %b: tensor<5xf32>) {
  // expected-error @below {{inferred input/output operand #1 has shape's dimension #0 to be 4, but found 5}}
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%a : tensor<4xf32>) outs(%b : tensor<5xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  } -> tensor<5xf32>
  func.return
}

// -----

func.func @loops(%a: tensor<4xf32>) {
  // expected-error @below {{invalid indexing maps are non-invertible: ((d0, d1) -> (d0))}}
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} outs(%a : tensor<4xf32>) {
  ^bb0(%x: f32):
    linalg.yield %x : f32
  } -> tensor<4xf32>
  func.return
}

// -----

func.func @index(%a: tensor<4xindex>) {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%a : tensor<4xindex>) {
  ^bb0(%x: index):
    // expected-error @+1 {{expected dim (1) to be lower than the number of loops (1) of the enclosing LinalgOp}}
    %i = linalg.index 1 : index
    linalg.yield %i : index
  } -> tensor<4xindex>
  func.return
}

// -----

func.func @index_alone() {
  // expected-error @+1 {{expected parent op with LinalgOp interface}}
  %i = linalg.index 0 : index
  func.return
}

// -----

func.func @fill(%a: tensor<4xf32>, %i: i32) {
  // expected-error @below {{expected fill value type ('i32') to match output element type ('f32')}}
  %r = linalg.fill ins(%i : i32) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @reduce(%a: tensor<4x8xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{init dimensions [8] doesn't match input dimensions after reduction [4]}}
  %r = linalg.reduce { arith.addf } ins(%a : tensor<4x8xf32>) outs(%b : tensor<8xf32>) dimensions = [1]
  func.return
}

// -----

func.func @transpose(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) {
  // expected-error @below {{dim(result, 0) = 4 doesn't match dim(input, permutation[0]) = 8}}
  %r = linalg.transpose ins(%a : tensor<4x8xf32>) outs(%b : tensor<4x8xf32>) permutation = [1, 0]
  func.return
}

// -----

func.func @broadcast(%a: tensor<4xf32>, %b: tensor<4x8xf32>) {
  // expected-error @below {{input dim 0 should match init dim 1. input: 4, init: 8}}
  %r = linalg.broadcast ins(%a : tensor<4xf32>) outs(%b : tensor<4x8xf32>) dimensions = [0]
  func.return
}

// -----

func.func @map(%a: tensor<4xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{expected shape of input (4) to match shape of output (8)}}
  %r = linalg.map { math.exp } ins(%a : tensor<4xf32>) outs(%b : tensor<8xf32>)
  func.return
}

// -----

func.func @contract(%a: tensor<4x2xf32>, %b: tensor<2x8xf32>, %c: tensor<4x8xf32>) {
  // expected-error @below {{iteration space dim at index 3 not used to access any operand}}
  %r = linalg.contract indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d2)>, affine_map<(d0, d1, d2, d3) -> (d2, d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1)>]
    ins(%a, %b : tensor<4x2xf32>, tensor<2x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  func.return
}

// -----

func.func @strides(%x: tensor<1x9x9x3xf32>, %w: tensor<3x3x3x5xf32>, %y: tensor<1x4x4x5xf32>) {
  // expected-error @below {{attribute 'strides' failed to satisfy constraint: 64-bit signless int elements attribute of shape [2]}}
  %r = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : tensor<1xi64>} ins(%x, %w : tensor<1x9x9x3xf32>, tensor<3x3x3x5xf32>) outs(%y : tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32>
  func.return
}

// -----

func.func @winograd(%f: tensor<2x3x4x5xf32>, %o: tensor<6x6x5x2xf32>) {
  // expected-error @below {{expect filter width either equals to r or 1}}
  %r = linalg.winograd_filter_transform fmr(F_4_3) ins(%f : tensor<2x3x4x5xf32>) outs(%o : tensor<6x6x5x2xf32>) -> tensor<6x6x5x2xf32>
  func.return
}

// -----

func.func @nothing_to_fill() {
  linalg.fill
  // expected-error@+1 {{custom op 'linalg.fill' [parseNamedStructuredOpRegion] ods-gen generated region expects 2 args, got 0}}
  return
}

// -----

func.func @nothing_to_copy() {
  linalg.copy
  // expected-error@+1 {{custom op 'linalg.copy' [parseNamedStructuredOpRegion] ods-gen generated region expects 2 args, got 0}}
  return
}
