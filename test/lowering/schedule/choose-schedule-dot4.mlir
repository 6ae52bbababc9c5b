// RUN: mlopt %s --mlir-print-local-scope --choose-schedule=dot4=true | filecheck %s

// Products of bytes: the weights are packed by fours, a lane sums four products at once.
// CHECK-LABEL: func.func private @k(%a: tensor<28x64xi8>, %b: tensor<64x40xi8>, %out: tensor<28x40xi32>) -> tensor<28x40xi32> attributes {kernel, schedule = {{\[\[}}"pack_operand", 1, 1, 48, 0, 4], ["fuse", "m", "n"], ["split", "m", 7, "mr", "exact"], ["split", "n", 48, "nr"], ["split", "k", 4, "kr", "exact"], ["reorder", "m", "n", "mr", "nr"], ["parallel", "m", "n"], ["jam", "mr", "nr"], ["sink", "kr"], ["vectorize", "mr", "nr", "kr"], ["unroll", "k", 4], ["prefetch", 1, "k", 8{{\]\]}}} {
// CHECK-NEXT:     %zero = arith.constant 0 : i32
// CHECK-NEXT:     %init = linalg.fill {loops = ["m", "n"], stage = "s0"} ins(%zero : i32) outs(%out : tensor<28x40xi32>) -> tensor<28x40xi32>
// CHECK-NEXT:     %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<28x64xi8>, tensor<64x40xi8>) outs(%init : tensor<28x40xi32>) attrs = {loops = ["m", "n", "k"], stage = "s1"} {
// CHECK-NEXT:     ^bb0(%x: i8, %y: i8, %c: i32):
// CHECK-NEXT:       %u = arith.extui %x : i8 to i32
// CHECK-NEXT:       %s = arith.extsi %y : i8 to i32
// CHECK-NEXT:       %p = arith.muli %u, %s : i32
// CHECK-NEXT:       %t = arith.addi %c, %p : i32
// CHECK-NEXT:       linalg.yield %t : i32
// CHECK-NEXT:     } -> tensor<28x40xi32>
// CHECK-NEXT:     return %r : tensor<28x40xi32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func @main(%a: tensor<28x64xi8>) -> tensor<28x40xi32> {
// CHECK-NEXT:     %e = tensor.empty() : tensor<28x40xi32>
// CHECK-NEXT:     %w = arith.constant dense<1> : tensor<64x40xi8>
// CHECK-NEXT:     %r = call @k(%a, %w, %e) {bytes = 8832 : i64, flops = 143360 : i64, grain = 1099511627776 : i64} : (tensor<28x64xi8>, tensor<64x40xi8>, tensor<28x40xi32>) -> tensor<28x40xi32>
// CHECK-NEXT:     return %r : tensor<28x40xi32>
// CHECK-NEXT:   }
func.func private @k(%a: tensor<28x64xi8>, %b: tensor<64x40xi8>, %out: tensor<28x40xi32>) -> tensor<28x40xi32> attributes {kernel} {
  %zero = arith.constant 0 : i32
  %init = linalg.fill ins(%zero : i32) outs(%out : tensor<28x40xi32>) -> tensor<28x40xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j, l) -> (i, l)>, affine_map<(i, j, l) -> (l, j)>, affine_map<(i, j, l) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<28x64xi8>, tensor<64x40xi8>) outs(%init : tensor<28x40xi32>) {
  ^bb0(%x: i8, %y: i8, %c: i32):
    %u = arith.extui %x : i8 to i32
    %s = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %s : i32
    %t = arith.addi %c, %p : i32
    linalg.yield %t : i32
  } -> tensor<28x40xi32>
  func.return %r : tensor<28x40xi32>
}
func.func @main(%a: tensor<28x64xi8>) -> tensor<28x40xi32> {
  %e = tensor.empty() : tensor<28x40xi32>
  %w = arith.constant dense<1> : tensor<64x40xi8>
  %r = func.call @k(%a, %w, %e) : (tensor<28x64xi8>, tensor<64x40xi8>, tensor<28x40xi32>) -> tensor<28x40xi32>
  func.return %r : tensor<28x40xi32>
}
