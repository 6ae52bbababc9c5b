// RUN: mlopt %s --mlir-print-local-scope --convert-nn-to-linalg | filecheck %s

// One generic for each elementwise op; what broadcasts is read at 0; the last op writes to the destination.
// CHECK-LABEL: func.func private @add_relu(%x: tensor<2x3x4xf32>, %b: tensor<3x1xf32>, %out: tensor<2x3x4xf32> {bufferization.writable = true}) -> tensor<2x3x4xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<2x3x4xf32>
// CHECK-NEXT:    %s = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d1, 0)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %b : tensor<2x3x4xf32>, tensor<3x1xf32>) outs(%0 : tensor<2x3x4xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:      %1 = arith.addf %in, %in_0 : f32
// CHECK-NEXT:      linalg.yield %1 : f32
// CHECK-NEXT:    } -> tensor<2x3x4xf32>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<2x3x4xf32>) outs(%out : tensor<2x3x4xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:      %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %1 = arith.maximumf %in, %cst : f32
// CHECK-NEXT:      linalg.yield %1 : f32
// CHECK-NEXT:    } -> tensor<2x3x4xf32>
// CHECK-NEXT:    return %y : tensor<2x3x4xf32>
// CHECK-NEXT:  }
func.func private @add_relu(%x: tensor<2x3x4xf32>, %b: tensor<3x1xf32>) -> tensor<2x3x4xf32> attributes {kernel} {
  %s = nn.add %x, %b : tensor<2x3x4xf32>, tensor<3x1xf32> -> tensor<2x3x4xf32>
  %y = nn.relu %s : tensor<2x3x4xf32>
  func.return %y : tensor<2x3x4xf32>
}

// Halves are computed in f32 and rounded once.
// CHECK-LABEL: func.func private @half(%x: tensor<4xbf16>, %out: tensor<4xbf16> {bufferization.writable = true}) -> tensor<4xbf16> attributes {kernel} {
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<4xbf16>) outs(%out : tensor<4xbf16>) {
// CHECK-NEXT:    ^bb0(%in: bf16, %out_0: bf16):
// CHECK-NEXT:      %0 = arith.extf %in : bf16 to f32
// CHECK-NEXT:      %cst = arith.constant 1.000000e+00 : f32
// CHECK-NEXT:      %1 = arith.negf %0 : f32
// CHECK-NEXT:      %2 = math.exp %1 : f32
// CHECK-NEXT:      %3 = arith.addf %cst, %2 : f32
// CHECK-NEXT:      %4 = arith.divf %cst, %3 : f32
// CHECK-NEXT:      %5 = arith.truncf %4 : f32 to bf16
// CHECK-NEXT:      linalg.yield %5 : bf16
// CHECK-NEXT:    } -> tensor<4xbf16>
// CHECK-NEXT:    return %y : tensor<4xbf16>
// CHECK-NEXT:  }
func.func private @half(%x: tensor<4xbf16>) -> tensor<4xbf16> attributes {kernel} {
  %y = nn.sigmoid %x : tensor<4xbf16>
  func.return %y : tensor<4xbf16>
}

// Integers become signless; their sign lives on in the ops.
// CHECK-LABEL: func.func private @unsigned(%x: tensor<4xi8>, %z: tensor<4xi8>, %out: tensor<4xf32> {bufferization.writable = true}) -> tensor<4xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4xi8>
// CHECK-NEXT:    %m = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x, %z : tensor<4xi8>, tensor<4xi8>) outs(%0 : tensor<4xi8>) {
// CHECK-NEXT:    ^bb0(%in: i8, %in_0: i8, %out_1: i8):
// CHECK-NEXT:      %1 = arith.maxui %in, %in_0 : i8
// CHECK-NEXT:      linalg.yield %1 : i8
// CHECK-NEXT:    } -> tensor<4xi8>
// CHECK-NEXT:    %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%m : tensor<4xi8>) outs(%out : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%in: i8, %out_0: f32):
// CHECK-NEXT:      %1 = arith.uitofp %in : i8 to f32
// CHECK-NEXT:      linalg.yield %1 : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func private @unsigned(%x: tensor<4xui8>, %z: tensor<4xui8>) -> tensor<4xf32> attributes {kernel} {
  %m = nn.max %x, %z : tensor<4xui8>, tensor<4xui8> -> tensor<4xui8>
  %y = nn.cast %m : tensor<4xui8> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// A value that is returned as it came is copied.
// CHECK-LABEL: func.func private @copy(%x: tensor<4xf32>, %out: tensor<4xf32> {bufferization.writable = true}) -> tensor<4xf32> attributes {kernel} {
// CHECK-NEXT:    %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%out : tensor<4xf32>) {
// CHECK-NEXT:    ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:      linalg.yield %in : f32
// CHECK-NEXT:    } -> tensor<4xf32>
// CHECK-NEXT:    return %0 : tensor<4xf32>
// CHECK-NEXT:  }
func.func private @copy(%x: tensor<4xf32>) -> tensor<4xf32> attributes {kernel} {
  func.return %x : tensor<4xf32>
}

// Callers pass destinations.
// CHECK-LABEL: func.func @main(%x: tensor<4xi8>) -> tensor<4xf32> {
// CHECK-NEXT:    %z = arith.constant dense<[0, -128, -56, -1]> : tensor<4xi8>
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %y = call @unsigned(%x, %z, %0) : (tensor<4xi8>, tensor<4xi8>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func @main(%x: tensor<4xui8>) -> (tensor<4xf32>) {
  %z = nn.constant dense<[0, 128, 200, 255]> : tensor<4xui8>
  %y = func.call @unsigned(%x, %z) : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
