// RUN: mlopt %s --plan-views --outline-copies --split-input-file --verify-diagnostics

func.func @dynamic(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  // expected-error @below {{@dynamic: 'tensor.empty' has a result of type tensor<?xf32>, whose extents are not known}}
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = func.call @f(%x, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}
func.func private @f(tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>

// -----

func.func @computed_padding(%x: tensor<4xf32>, %v: f32) -> tensor<5xf32> {
  // expected-error @below {{'tensor.pad' needs static widths and a constant to pad with}}
  %p = tensor.pad %x low[1] high[0] {
  ^bb0(%i: index):
    tensor.yield %v : f32
  } : tensor<4xf32> to tensor<5xf32>
  func.return %p : tensor<5xf32>
}

// -----

func.func @computed_fill(%v: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{'linalg.fill' outside of a kernel needs a constant}}
  %f = linalg.fill ins(%v : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  func.return %f : tensor<4xf32>
}
