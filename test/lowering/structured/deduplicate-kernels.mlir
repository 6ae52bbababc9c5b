// RUN: mlopt %s --mlir-print-local-scope --deduplicate-kernels | filecheck %s

#i = affine_map<(i) -> (i)>

// The name and SSA names do not count, the schedule does.
// CHECK-LABEL: func.func @main(%x: tensor<?xf32>, %e: tensor<?xf32>) -> tensor<?xf32> {
// CHECK-NEXT:      %0 = call @relu(%x, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT:      %1 = call @relu(%0, %e) {grain = 7 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT:      %2 = call @relu_2(%1, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT:      %3 = call @negate(%2, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT:      return %3 : tensor<?xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<?xf32>, %e: tensor<?xf32>) -> tensor<?xf32> {
  %0 = func.call @relu(%x, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %1 = func.call @relu_1(%0, %e) {grain = 7 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %2 = func.call @relu_2(%1, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %3 = func.call @negate(%2, %e) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  func.return %3 : tensor<?xf32>
}

// CHECK-LABEL: func.func private @relu(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel, schedule = [["vectorize", "i"]]} {
// CHECK-NEXT:      %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:        %0 = arith.maximumf %in, %cst : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<?xf32>
// CHECK-NEXT:      return %r : tensor<?xf32>
// CHECK-NEXT:    }
func.func private @relu(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel, schedule = [["vectorize", "i"]]} {
  %r = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.constant 0.0 : f32
    %3 = arith.maximumf %0, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

// CHECK-NOT: func.func private @relu_1(
func.func private @relu_1(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> attributes {schedule = [["vectorize", "i"]], kernel} {
  %t = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]} ins(%a : tensor<?xf32>) outs(%b : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %zero = arith.constant 0.0 : f32
    %3 = arith.maximumf %0, %zero : f32
    linalg.yield %3 : f32
  } -> tensor<?xf32>
  func.return %t : tensor<?xf32>
}

// CHECK-LABEL: func.func private @relu_2(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel, schedule = [["parallel", "i"]]} {
// CHECK-NEXT:      %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:        %0 = arith.maximumf %in, %cst : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<?xf32>
// CHECK-NEXT:      return %r : tensor<?xf32>
// CHECK-NEXT:    }
func.func private @relu_2(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel, schedule = [["parallel", "i"]]} {
  %r = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.constant 0.0 : f32
    %3 = arith.maximumf %0, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

// CHECK-LABEL: func.func private @negate(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel, schedule = [["vectorize", "i"]]} {
// CHECK-NEXT:      %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:        %0 = arith.subf %cst, %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<?xf32>
// CHECK-NEXT:      return %r : tensor<?xf32>
// CHECK-NEXT:    }
func.func private @negate(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel, schedule = [["vectorize", "i"]]} {
  %r = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.constant 0.0 : f32
    %3 = arith.subf %2, %0 : f32
    linalg.yield %3 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}
