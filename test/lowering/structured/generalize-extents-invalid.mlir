// RUN: mlopt %s --generalize-extents --split-input-file --verify-diagnostics

// expected-error @below {{schedule of @relu: ["static", "kh"] names no loop}}
func.func private @relu(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel, schedule = [["static", "kh"]]} {
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%out : tensor<4xf32>) attrs = {loops = ["m"]} {
  ^bb0(%0: f32, %1: f32):
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// -----

// expected-error @below {{@names runs one loop over extents 4 and 5}}
func.func private @names(%x: tensor<4xf32>, %y: tensor<5xf32>, %o0: tensor<4xf32>, %o1: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) attributes {kernel} {
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%o0 : tensor<4xf32>) attrs = {loops = ["m"]} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%y : tensor<5xf32>) outs(%o1 : tensor<5xf32>) attrs = {loops = ["m"]} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<5xf32>
  func.return %0, %1 : tensor<4xf32>, tensor<5xf32>
}
