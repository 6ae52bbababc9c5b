// RUN: mlopt %s --bufferize-kernels --split-input-file --verify-diagnostics

func.func private @undefined(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel} {
  // expected-error @below {{@undefined: 'linalg.generic' reads its destination before anything was written there}}
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

// -----

// expected-error @below {{@argument does not compute each of its results once, in a destination of its own}}
func.func private @argument(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel} {
  func.return %x : tensor<?xf32>
}

// -----

func.func private @reshape(%x: tensor<2x4xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {kernel} {
  // expected-error @below {{@reshape: 'tensor.collapse_shape' stands on tensors and cannot be put on memrefs}}
  %c = tensor.collapse_shape %x [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%c : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%0: f32, %1: f32):
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  func.return %r : tensor<8xf32>
}
