// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @pack_shape(%a: tensor<8x16xf32>, %d: tensor<2x8x4xf32>) {
  // expected-error @below {{where 8x2x8 is expected}}
  %p = linalg.pack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x16xf32> -> tensor<2x8x4xf32>
  func.return
}

// -----

func.func @pack_ragged(%a: tensor<8x15xf32>, %d: tensor<8x2x8xf32>) {
  // expected-error @below {{has no padding value}}
  %p = linalg.pack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x15xf32> -> tensor<8x2x8xf32>
  func.return
}

// -----

func.func @unpack(%a: tensor<8x2x8xf32>, %d: tensor<8x17xf32>) {
  // expected-error @below {{where 8x3x8 is expected}}
  %p = linalg.unpack %a inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x2x8xf32> -> tensor<8x17xf32>
  func.return
}

// -----

func.func @yields(%a: tensor<4xf32>, %i: i32) {
  // expected-error @below {{must yield f32}}
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%a : tensor<4xf32>) {
  ^bb0(%x: f32):
    linalg.yield %i : i32
  } -> tensor<4xf32>
  func.return
}

// -----

func.func @results(%a: tensor<4xf32>) {
  // expected-error @below {{results that are not of the types of its tensor outputs}}
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%a : tensor<4xf32>) {
  ^bb0(%x: f32):
    linalg.yield %x : f32
  }
  func.return
}

// -----

func.func @index(%a: tensor<4xindex>) {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%a : tensor<4xindex>) {
  ^bb0(%x: index):
    // expected-error @+1 {{of dimension 1 in 1 loops}}
    %i = linalg.index 1 : index
    linalg.yield %i : index
  } -> tensor<4xindex>
  func.return
}

// -----

func.func @fill(%a: tensor<4xf32>, %i: i32) {
  // expected-error @below {{fills tensor<4xf32> by i32}}
  %r = linalg.fill ins(%i : i32) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  func.return
}
