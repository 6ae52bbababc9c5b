// RUN: mlopt %s --pack-operands --split-input-file --verify-diagnostics

// expected-error @below {{schedule of @short: ["pack_operand", 0 : i64] is not a packing}}
func.func private @short(%a: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel, schedule = [["pack_operand", 0]]} {
  func.return %out : tensor<4xf32>
}

// -----

// expected-error @below {{@destination cannot pack argument 1: it has 1 inputs}}
func.func private @destination(%a: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel, schedule = [["pack_operand", 1, 0, 4]]} {
  func.return %out : tensor<4xf32>
}

// -----

func.func private @extracted(%a: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel, schedule = [["pack_operand", 0, 0, 4]]} {
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%out : tensor<4xf32>) {
  ^bb0(%0: f32):
    %i = linalg.index 0 : index
    // expected-error @below {{@extracted cannot pack argument 0: 'tensor.extract' uses it}}
    %1 = tensor.extract %a[%i] : tensor<4xf32>
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// -----

// expected-error @below {{schedule of @word: "split" is not a step}}
func.func private @word(%a: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel, schedule = ["split"]} {
  func.return %out : tensor<4xf32>
}
