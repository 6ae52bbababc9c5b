// RUN: mlopt %s --mlir-print-local-scope --bufferize-kernels | filecheck %s

#mn = affine_map<(m, n) -> (m, n)>
#m = affine_map<(m, n) -> (m)>

// Extents come last but the grain. The exponentials stand in the destination; sums need a buffer.
// CHECK-LABEL: func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
// CHECK-NEXT:      %c16 = arith.constant 16 : index
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %c4 = arith.constant 4 : index
// CHECK-NEXT:      %e = tensor.empty() : tensor<4x8xf32>
// CHECK-NEXT:      %xc = tensor.cast %x : tensor<4x8xf32> to tensor<?x?xf32>
// CHECK-NEXT:      %ec = tensor.cast %e : tensor<4x8xf32> to tensor<?x?xf32>
// CHECK-NEXT:      %0 = bufferization.to_buffer %xc read_only : tensor<?x?xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:      %1 = bufferization.to_buffer %ec : tensor<?x?xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:      call @normalize(%0, %1, %c4, %c8, %c16) : (memref<?x?xf32, strided<[?, 1], offset: ?>>, memref<?x?xf32, strided<[?, 1], offset: ?>>, index, index, index) -> ()
// CHECK-NEXT:      %r = bufferization.to_tensor %1 restrict writable : memref<?x?xf32, strided<[?, 1], offset: ?>> to tensor<?x?xf32>
// CHECK-NEXT:      %rc = tensor.cast %r : tensor<?x?xf32> to tensor<4x8xf32>
// CHECK-NEXT:      return %rc : tensor<4x8xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %xc = tensor.cast %x : tensor<4x8xf32> to tensor<?x?xf32>
  %ec = tensor.cast %e : tensor<4x8xf32> to tensor<?x?xf32>
  %r = func.call @normalize(%xc, %ec) {grain = 16 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %rc = tensor.cast %r : tensor<?x?xf32> to tensor<4x8xf32>
  func.return %rc : tensor<4x8xf32>
}

// CHECK-LABEL: func.func private @normalize(%x: memref<?x?xf32, strided<[?, 1], offset: ?>>, %out: memref<?x?xf32, strided<[?, 1], offset: ?>>, %M: index, %N: index, %grain: index) attributes {extents = ["m", "n"], grain = 4 : i64, kernel} {
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %f = memref.alloca(%M) : memref<?xf32>
// CHECK-NEXT:      linalg.fill {loops = ["m"], stage = "init"} ins(%zero : f32) outs(%f : memref<?xf32>)
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x?xf32, strided<[?, 1], offset: ?>>) outs(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>) attrs = {loops = ["m", "n"], stage = "exp"} {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %0 = math.exp %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>) outs(%f : memref<?xf32>) attrs = {loops = ["m", "n"], stage = "sum"} {
// CHECK-NEXT:      ^bb0(%in: f32, %out_0: f32):
// CHECK-NEXT:        %0 = arith.addf %out_0, %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%out, %f : memref<?x?xf32, strided<[?, 1], offset: ?>>, memref<?xf32>) outs(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>) attrs = {loops = ["m", "n"], stage = "divide"} {
// CHECK-NEXT:      ^bb0(%in: f32, %in_0: f32, %out_1: f32):
// CHECK-NEXT:        %0 = arith.divf %in, %in_0 : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @normalize(%x: tensor<?x?xf32>, %out: tensor<?x?xf32> {bufferization.writable = true}) -> tensor<?x?xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %M = tensor.dim %out, %c0 : tensor<?x?xf32>
  %t = tensor.empty(%M) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%t : tensor<?xf32>) -> tensor<?xf32>
  %a = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x?xf32>) outs(%out : tensor<?x?xf32>)
      attrs = {loops = ["m", "n"], stage = "exp"} {
  ^bb0(%0: f32, %1: f32):
    %2 = math.exp %0 : f32
    linalg.yield %2 : f32
  } -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]} ins(%a : tensor<?x?xf32>) outs(%f : tensor<?xf32>)
      attrs = {loops = ["m", "n"], stage = "sum"} {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.addf %1, %0 : f32
    linalg.yield %2 : f32
  } -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : tensor<?x?xf32>, tensor<?xf32>) outs(%out : tensor<?x?xf32>) attrs = {loops = ["m", "n"], stage = "divide"} {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.divf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<?x?xf32>
  func.return %r : tensor<?x?xf32>
}

// The pair is read across: the first result of the chain may not stand in the destination. An update of a value that is read again becomes a copy.
// CHECK-LABEL: func.func private @across(%x: memref<?xf32, strided<[1], offset: ?>>, %o0: memref<?xf32, strided<[1], offset: ?>>, %o1: memref<?xf32, strided<[1], offset: ?>>, %D0: index, %grain: index) attributes {extents = ["d0"], grain = 4 : i64, kernel} {
// CHECK-NEXT:      %a = memref.alloca(%D0) : memref<?xf32>
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : memref<?xf32, strided<[1], offset: ?>>) outs(%a : memref<?xf32>) attrs = {loops = ["d0"], stage = "s0"} {
// CHECK-NEXT:      ^bb0(%in: f32, %out: f32):
// CHECK-NEXT:        %0 = math.exp %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%o0 : memref<?xf32, strided<[1], offset: ?>>) attrs = {loops = ["d0"], stage = "s1"} {
// CHECK-NEXT:      ^bb0(%in: f32, %out: f32):
// CHECK-NEXT:        %0 = arith.addf %in, %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%o0 : memref<?xf32, strided<[1], offset: ?>>) outs(%o0 : memref<?xf32, strided<[1], offset: ?>>) attrs = {loops = ["d0"], stage = "s2"} {
// CHECK-NEXT:      ^bb0(%in: f32, %out: f32):
// CHECK-NEXT:        %i = linalg.index 0 : index
// CHECK-NEXT:        %c1 = arith.constant 1 : index
// CHECK-NEXT:        %last = arith.subi %D0, %c1 : index
// CHECK-NEXT:        %j = arith.subi %last, %i : index
// CHECK-NEXT:        %v = memref.load %a[%j] : memref<?xf32>
// CHECK-NEXT:        %0 = arith.addf %in, %v : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%o0 : memref<?xf32, strided<[1], offset: ?>>) outs(%o1 : memref<?xf32, strided<[1], offset: ?>>) attrs = {loops = ["d0"], stage = "s3"} {
// CHECK-NEXT:      ^bb0(%in: f32, %out: f32):
// CHECK-NEXT:        %0 = arith.negf %in : f32
// CHECK-NEXT:        linalg.yield %0 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @across(%x: tensor<?xf32>, %o0: tensor<?xf32>, %o1: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = math.exp %0 : f32
    linalg.yield %2 : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%a : tensor<?xf32>) {
  ^bb0(%1: f32):
    %2 = arith.addf %1, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%b : tensor<?xf32>) outs(%o0 : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %i = linalg.index 0 : index
    %c1 = arith.constant 1 : index
    %m = tensor.dim %x, %c0 : tensor<?xf32>
    %last = arith.subi %m, %c1 : index
    %j = arith.subi %last, %i : index
    %v = tensor.extract %a[%j] : tensor<?xf32>
    %2 = arith.addf %0, %v : f32
    linalg.yield %2 : f32
  } -> tensor<?xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<?xf32>) outs(%o1 : tensor<?xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.negf %0 : f32
    linalg.yield %2 : f32
  } -> tensor<?xf32>
  func.return %r, %q : tensor<?xf32>, tensor<?xf32>
}
