// RUN: mlopt %s --mlir-print-local-scope --choose-schedule --split-input-file | filecheck %s

// A contraction: the constant operand is packed, loops get their usual names, the call its costs.
// CHECK-LABEL: func.func private @k(%a: tensor<28x64xf32>, %b: tensor<64x64xf32>, %out: tensor<28x64xf32>) -> tensor<28x64xf32> attributes {kernel, schedule = {{\[\[}}"pack_operand", 1, 1, 32], ["fuse", "m", "n"], ["split", "m", 14, "mr", "exact"], ["split", "n", 32, "nr", "exact"], ["reorder", "m", "n", "mr", "nr"], ["parallel", "m", "n"], ["jam", "mr", "nr"], ["vectorize", "mr", "nr"], ["unroll", "k", 4], ["prefetch", 1, "k", 8{{\]\]}}} {
// CHECK-NEXT:    %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %init = linalg.fill {loops = ["m", "n"], stage = "s0"} ins(%zero : f32) outs(%out : tensor<28x64xf32>) -> tensor<28x64xf32>
// CHECK-NEXT:    %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<28x64xf32>, tensor<64x64xf32>) outs(%init : tensor<28x64xf32>) attrs = {loops = ["m", "n", "k"], stage = "s1"} {
// CHECK-NEXT:    ^bb0(%x: f32, %y: f32, %c: f32):
// CHECK-NEXT:      %p = arith.mulf %x, %y fastmath<contract> : f32
// CHECK-NEXT:      %s = arith.addf %c, %p fastmath<contract> : f32
// CHECK-NEXT:      linalg.yield %s : f32
// CHECK-NEXT:    } -> tensor<28x64xf32>
// CHECK-NEXT:    return %r : tensor<28x64xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.func @main(%a: tensor<28x64xf32>, %e: tensor<28x64xf32>) -> tensor<28x64xf32> {
// CHECK-NEXT:    %w = arith.constant dense<1.000000e+00> : tensor<64x64xf32>
// CHECK-NEXT:    %r = call @k(%a, %w, %e) {bytes = 30720 : i64, flops = 229376 : i64, grain = 1099511627776 : i64} : (tensor<28x64xf32>, tensor<64x64xf32>, tensor<28x64xf32>) -> tensor<28x64xf32>
// CHECK-NEXT:    return %r : tensor<28x64xf32>
// CHECK-NEXT:  }
func.func private @k(%a: tensor<28x64xf32>, %b: tensor<64x64xf32>, %out: tensor<28x64xf32>) -> tensor<28x64xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%out : tensor<28x64xf32>) -> tensor<28x64xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j, l) -> (i, l)>, affine_map<(i, j, l) -> (l, j)>, affine_map<(i, j, l) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<28x64xf32>, tensor<64x64xf32>) outs(%init : tensor<28x64xf32>) {
  ^bb0(%x: f32, %y: f32, %c: f32):
    %p = arith.mulf %x, %y fastmath<contract> : f32
    %s = arith.addf %c, %p fastmath<contract> : f32
    linalg.yield %s : f32
  } -> tensor<28x64xf32>
  func.return %r : tensor<28x64xf32>
}
func.func @main(%a: tensor<28x64xf32>, %e: tensor<28x64xf32>) -> tensor<28x64xf32> {
  %w = arith.constant dense<1.0> : tensor<64x64xf32>
  %r = func.call @k(%a, %w, %e) : (tensor<28x64xf32>, tensor<64x64xf32>, tensor<28x64xf32>) -> tensor<28x64xf32>
  func.return %r : tensor<28x64xf32>
}

// -----

// Loops of one iteration vanish; a row is reduced with one partial result per lane.
// CHECK-LABEL: func.func private @rows(%a: tensor<1x9x200xf32>, %out: tensor<1x9x1xf32>) -> tensor<1x9x1xf32> attributes {kernel, schedule = {{\[\[}}"fuse", "d0"], ["split", "d1", 64, "d1r"], ["rfactor", "d1r"], ["parallel", "d0"], ["vectorize", "d1r"{{\]\]}}} {
// CHECK-NEXT:    %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %init = linalg.generic {indexing_maps = [affine_map<(d0) -> (0, d0, 0)>], iterator_types = ["parallel"]} outs(%out : tensor<1x9x1xf32>) attrs = {loops = ["d0"], stage = "s0"} {
// CHECK-NEXT:    ^bb0(%out_0: f32):
// CHECK-NEXT:      %zero_1 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      linalg.yield %zero_1 : f32
// CHECK-NEXT:    } -> tensor<1x9x1xf32>
// CHECK-NEXT:    %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (0, d0, d1)>, affine_map<(d0, d1) -> (0, d0, 0)>], iterator_types = ["parallel", "reduction"]} ins(%a : tensor<1x9x200xf32>) outs(%init : tensor<1x9x1xf32>) attrs = {loops = ["d0", "d1"], stage = "s1"} {
// CHECK-NEXT:    ^bb0(%x: f32, %c: f32):
// CHECK-NEXT:      %s = arith.addf %c, %x : f32
// CHECK-NEXT:      linalg.yield %s : f32
// CHECK-NEXT:    } -> tensor<1x9x1xf32>
// CHECK-NEXT:    return %r : tensor<1x9x1xf32>
// CHECK-NEXT:  }
func.func private @rows(%a: tensor<1x9x200xf32>, %out: tensor<1x9x1xf32>) -> tensor<1x9x1xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%out : tensor<1x9x1xf32>) -> tensor<1x9x1xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, 0)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a : tensor<1x9x200xf32>) outs(%init : tensor<1x9x1xf32>) {
  ^bb0(%x: f32, %c: f32):
    %s = arith.addf %c, %x : f32
    linalg.yield %s : f32
  } -> tensor<1x9x1xf32>
  func.return %r : tensor<1x9x1xf32>
}

// -----

// Pointwise: whole vectors, the last of them moved back instead of masked.
// CHECK-LABEL: func.func private @pointwise(%a: tensor<100x100xf32>, %out: tensor<100x100xf32>) -> tensor<100x100xf32> attributes {kernel, schedule = {{\[\[}}"fuse", "d0", "d1"], ["split", "d1", 64, "d1r", "overlap"], ["reorder", "d0", "d1", "d1r"], ["parallel", "d0"], ["vectorize", "d1r"{{\]\]}}} {
// CHECK-NEXT:    %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<100x100xf32>) outs(%out : tensor<100x100xf32>) attrs = {loops = ["d0", "d1"], stage = "s0"} {
// CHECK-NEXT:    ^bb0(%x: f32, %c: f32):
// CHECK-NEXT:      %s = arith.negf %x : f32
// CHECK-NEXT:      linalg.yield %s : f32
// CHECK-NEXT:    } -> tensor<100x100xf32>
// CHECK-NEXT:    return %r : tensor<100x100xf32>
// CHECK-NEXT:  }
func.func private @pointwise(%a: tensor<100x100xf32>, %out: tensor<100x100xf32>) -> tensor<100x100xf32> attributes {kernel} {
  %r = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<100x100xf32>) outs(%out : tensor<100x100xf32>) {
  ^bb0(%x: f32, %c: f32):
    %s = arith.negf %x : f32
    linalg.yield %s : f32
  } -> tensor<100x100xf32>
  func.return %r : tensor<100x100xf32>
}
