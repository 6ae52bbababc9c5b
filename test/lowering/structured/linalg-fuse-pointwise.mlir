// RUN: mlopt %s --mlir-print-local-scope --linalg-fuse-pointwise | filecheck %s

#ij = affine_map<(i, j) -> (i, j)>
#ji = affine_map<(i, j) -> (j, i)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>

// A chain becomes one body; a constant operand becomes a constant of the body.
// CHECK-LABEL: func.func private @chain(%x: tensor<4x8xf32>, %b: tensor<8xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
// CHECK-NEXT:      %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%out : tensor<4x8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:        %0 = arith.addf %in, %in_0 : f32
// CHECK-NEXT:        %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:        %1 = arith.maximumf %0, %cst : f32
// CHECK-NEXT:        linalg.yield %1 : f32
// CHECK-NEXT:      } -> tensor<4x8xf32>
// CHECK-NEXT:      return %y : tensor<4x8xf32>
// CHECK-NEXT:    }
func.func private @chain(%x: tensor<4x8xf32>, %b: tensor<8xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %s = linalg.generic {indexing_maps = [#ij, #j, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.addf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#ij, affine_map<(i, j) -> ()>, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%s, %zero : tensor<4x8xf32>, f32) outs(%out : tensor<4x8xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.maximumf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// Maps compose: the producer is read transposed.
// CHECK-LABEL: func.func private @transposed(%x: tensor<8x4xf32>, %b: tensor<4xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
// CHECK-NEXT:      %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %b : tensor<8x4xf32>, tensor<4xf32>) outs(%out : tensor<4x8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:        %0 = arith.mulf %in, %in_0 : f32
// CHECK-NEXT:        %1 = math.absf %0 : f32
// CHECK-NEXT:        linalg.yield %1 : f32
// CHECK-NEXT:      } -> tensor<4x8xf32>
// CHECK-NEXT:      return %y : tensor<4x8xf32>
// CHECK-NEXT:    }
func.func private @transposed(%x: tensor<8x4xf32>, %b: tensor<4xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
  %e = tensor.empty() : tensor<8x4xf32>
  %s = linalg.generic {indexing_maps = [#ij, #j, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %b : tensor<8x4xf32>, tensor<4xf32>) outs(%e : tensor<8x4xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.mulf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<8x4xf32>
  %y = linalg.generic {indexing_maps = [#ji, #ij], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<8x4xf32>) outs(%out : tensor<4x8xf32>) {
  ^bb0(%0: f32, %2: f32):
    %3 = math.absf %0 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// A producer that is used once is fused into a reduction; the fill that the reduction starts from stays.
// CHECK-LABEL: func.func private @into_reduction(%x: tensor<4x8xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel} {
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %0 = math.exp %in : f32
// CHECK-NEXT:        %1 = arith.addf %out_0, %0 : f32
// CHECK-NEXT:        linalg.yield %1 : f32
// CHECK-NEXT:      } -> tensor<4xf32>
// CHECK-NEXT:      return %y : tensor<4xf32>
// CHECK-NEXT:    }
func.func private @into_reduction(%x: tensor<4x8xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %s = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%0: f32, %2: f32):
    %3 = math.exp %0 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4xf32>) -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]} ins(%s : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%0: f32, %2: f32):
    %3 = arith.addf %2, %0 : f32
    linalg.yield %3 : f32
  } -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// What is read many times per element is not computed again; a transpose costs nothing and is fused everywhere.
// CHECK-LABEL: func.func private @matmul_of_exp(%x: tensor<4x6xf32>, %w: tensor<8x6xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %e = tensor.empty() : tensor<4x6xf32>
// CHECK-NEXT:      %s = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x6xf32>) outs(%e : tensor<4x6xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %0 = math.exp %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      } -> tensor<4x6xf32>
// CHECK-NEXT:      %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%s, %w : tensor<4x6xf32>, tensor<8x6xf32>) outs(%f : tensor<4x8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:        %0 = arith.mulf %in, %in_0 : f32
// CHECK-NEXT:        %1 = arith.addf %out_1, %0 : f32
// CHECK-NEXT:        linalg.yield %1 : f32
// CHECK-NEXT:      } -> tensor<4x8xf32>
// CHECK-NEXT:      return %y : tensor<4x8xf32>
// CHECK-NEXT:    }
func.func private @matmul_of_exp(%x: tensor<4x6xf32>, %w: tensor<8x6xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %s = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%0: f32, %2: f32):
    %3 = math.exp %0 : f32
    linalg.yield %3 : f32
  } -> tensor<4x6xf32>
  %t = tensor.empty() : tensor<6x8xf32>
  %wt = linalg.transpose ins(%w : tensor<8x6xf32>) outs(%t : tensor<6x8xf32>) permutation = [1, 0]
  %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s, %wt : tensor<4x6xf32>, tensor<6x8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.mulf %0, %1 : f32
    %4 = arith.addf %2, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// An expensive value with two readers stays; a cheap one is computed in both, and once in a body that needs it twice.
// CHECK-LABEL: func.func private @two_readers(%x: tensor<4x8xf32>, %m: tensor<4xf32>, %o1: tensor<4x8xf32>, %o2: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) attributes {kernel} {
// CHECK-NEXT:      %a = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %m : tensor<4x8xf32>, tensor<4xf32>) outs(%o1 : tensor<4x8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out: f32):
// CHECK-NEXT:        %0 = arith.subf %in, %in_0 : f32
// CHECK-NEXT:        %1 = math.exp %0 : f32
// CHECK-NEXT:        linalg.yield %1 : f32
// CHECK-NEXT:      } -> tensor<4x8xf32>
// CHECK-NEXT:      %b = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%a, %x, %m : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4xf32>) outs(%o2 : tensor<4x8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %in_1: f32, %out: f32):
// CHECK-NEXT:        %0 = arith.subf %in_0, %in_1 : f32
// CHECK-NEXT:        %1 = arith.mulf %0, %0 : f32
// CHECK-NEXT:        %2 = arith.mulf %1, %in : f32
// CHECK-NEXT:        linalg.yield %2 : f32
// CHECK-NEXT:      } -> tensor<4x8xf32>
// CHECK-NEXT:      return %a, %b : tensor<4x8xf32>, tensor<4x8xf32>
// CHECK-NEXT:    }
func.func private @two_readers(%x: tensor<4x8xf32>, %m: tensor<4xf32>, %o1: tensor<4x8xf32>, %o2: tensor<4x8xf32>)
    -> (tensor<4x8xf32>, tensor<4x8xf32>) attributes {kernel} {
  %e = tensor.empty() : tensor<4x8xf32>
  %d = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.subf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<4x8xf32>) outs(%o1 : tensor<4x8xf32>) {
  ^bb0(%0: f32, %2: f32):
    %3 = math.exp %0 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  %b = linalg.generic {indexing_maps = [#ij, #ij, #ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%d, %a, %d : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) outs(%o2 : tensor<4x8xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32, %3: f32):
    %4 = arith.mulf %0, %2 : f32
    %5 = arith.mulf %4, %1 : f32
    linalg.yield %5 : f32
  } -> tensor<4x8xf32>
  func.return %a, %b : tensor<4x8xf32>, tensor<4x8xf32>
}

// The position in the producer is said in the consumer's loops.
// CHECK-LABEL: func.func private @index(%x: tensor<4xf32>, %out: tensor<2xi64>) -> tensor<2xi64> attributes {kernel} {
// CHECK-NEXT:      %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%out : tensor<2xi64>) {
// CHECK-NEXT:      ^bb0(%out_0: i64):
// CHECK-NEXT:        %0 = linalg.index 0 : index
// CHECK-NEXT:        %1 = affine.apply affine_map<(d0) -> (d0 * 2 + 1)>(%0)
// CHECK-NEXT:        %2 = arith.index_cast %1 : index to i64
// CHECK-NEXT:        linalg.yield %2 : i64
// CHECK-NEXT:      } -> tensor<2xi64>
// CHECK-NEXT:      return %y : tensor<2xi64>
// CHECK-NEXT:    }
func.func private @index(%x: tensor<4xf32>, %out: tensor<2xi64>) -> tensor<2xi64> attributes {kernel} {
  %e = tensor.empty() : tensor<4xi64>
  %n = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e : tensor<4xi64>) {
  ^bb0(%2: i64):
    %3 = linalg.index 0 : index
    %4 = arith.index_cast %3 : index to i64
    linalg.yield %4 : i64
  } -> tensor<4xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i * 2 + 1)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%n : tensor<4xi64>) outs(%out : tensor<2xi64>) {
  ^bb0(%0: i64, %2: i64):
    linalg.yield %0 : i64
  } -> tensor<2xi64>
  func.return %y : tensor<2xi64>
}

// A mean asks how many numbers its operand has. The temporary that it asked is no longer there; an argument of the same extent is asked.
// CHECK-LABEL: func.func private @mean(%x: tensor<4x8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {kernel} {
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %f = linalg.fill ins(%zero : f32) outs(%out : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:      %s = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%f : tensor<8xf32>) {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %2 = math.exp %in : f32
// CHECK-NEXT:        %3 = arith.addf %out_0, %2 : f32
// CHECK-NEXT:        linalg.yield %3 : f32
// CHECK-NEXT:      } -> tensor<8xf32>
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %n = tensor.dim %x, %c0 : tensor<4x8xf32>
// CHECK-NEXT:      %0 = arith.index_cast %n : index to i64
// CHECK-NEXT:      %1 = arith.sitofp %0 : i64 to f32
// CHECK-NEXT:      %y = linalg.generic
func.func private @mean(%x: tensor<4x8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %e = tensor.empty() : tensor<4x8xf32>
  %t = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = math.exp %0 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%out : tensor<8xf32>) -> tensor<8xf32>
  %s = linalg.generic {indexing_maps = [#ij, affine_map<(i, j) -> (j)>], iterator_types = ["reduction", "parallel"]} ins(%t : tensor<4x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.addf %1, %0 : f32
    linalg.yield %2 : f32
  } -> tensor<8xf32>
  %n = tensor.dim %t, %c0 : tensor<4x8xf32>
  %3 = arith.index_cast %n : index to i64
  %4 = arith.sitofp %3 : i64 to f32
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%s : tensor<8xf32>) {
  ^bb0(%0: f32):
    %5 = arith.divf %0, %4 : f32
    linalg.yield %5 : f32
  } -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}
