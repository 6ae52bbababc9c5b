// RUN: mlopt %s --convert-linalg-to-affine | filecheck %s

// One nest per op; a loop is named and knows whether it reduces. The packed operand keeps its map; constants stand at the top.
// CHECK-LABEL: func.func private @matmul(%a: memref<?x?xf32, strided<[?, 1], offset: ?>>, %b: memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>, %out: memref<?x?xf32, strided<[?, 1], offset: ?>>, %M: index, %N: index, %K: index, %grain: index) attributes {extents = ["m", "n", "k"], grain = 6 : i64, kernel} {
// CHECK-NEXT:      %two = arith.constant 2.000000e+00 : f32
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      affine.for %m = 0 to %M {
// CHECK-NEXT:        affine.for %n = 0 to %N {
// CHECK-NEXT:          affine.store %zero, %out[%m, %n] : memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:        } {iterator = "parallel", loop = "n", stage = "init"}
// CHECK-NEXT:      } {iterator = "parallel", loop = "m", stage = "init"}
// CHECK-NEXT:      affine.for %m = 0 to %M {
// CHECK-NEXT:        affine.for %n = 0 to %N {
// CHECK-NEXT:          affine.for %k = 0 to %K {
// CHECK-NEXT:            %0 = affine.load %a[%m, %k] : memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:            %1 = affine.load %b[%n floordiv 32, %k, %n mod 32] : memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>
// CHECK-NEXT:            %2 = affine.load %out[%m, %n] : memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:            %3 = arith.mulf %0, %1 fastmath<contract> : f32
// CHECK-NEXT:            %4 = arith.mulf %3, %two : f32
// CHECK-NEXT:            %5 = arith.addf %2, %4 fastmath<contract> : f32
// CHECK-NEXT:            affine.store %5, %out[%m, %n] : memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:          } {iterator = "reduction", loop = "k", stage = "mm"}
// CHECK-NEXT:        } {iterator = "parallel", loop = "n", stage = "mm"}
// CHECK-NEXT:      } {iterator = "parallel", loop = "m", stage = "mm"}
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @matmul(%a: memref<?x?xf32, strided<[?, 1], offset: ?>>, %b: memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>,
                          %out: memref<?x?xf32, strided<[?, 1], offset: ?>>, %M: index, %N: index, %K: index, %grain: index)
    attributes {kernel, extents = ["m", "n", "k"], grain = 6 : i64} {
  %zero = arith.constant 0.0 : f32
  linalg.fill {loops = ["m", "n"], stage = "init"} ins(%zero : f32) outs(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>)
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>, affine_map<(m, n, k) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x?xf32, strided<[?, 1], offset: ?>>, memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>)
      outs(%out : memref<?x?xf32, strided<[?, 1], offset: ?>>) attrs = {loops = ["m", "n", "k"], stage = "mm"} {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %two = arith.constant 2.0 : f32
    %3 = arith.mulf %0, %1 fastmath<contract> : f32
    %4 = arith.mulf %3, %two : f32
    %5 = arith.addf %2, %4 fastmath<contract> : f32
    linalg.yield %5 : f32
  }
  func.return
}

// A window that nobody reads gives loops their extents and vanishes; linalg.index is the loop's variable; a data-dependent read stays a load.
// CHECK-LABEL: func.func private @pool_and_gather(%x: memref<?x?xf32, strided<[?, 1], offset: ?>>, %i: memref<?xi64, strided<[1], offset: ?>>, %out: memref<?xf32, strided<[1], offset: ?>>, %O: index, %grain: index) attributes {extents = ["o"], grain = 4 : i64, kernel} {
// CHECK-NEXT:      affine.for %o = 0 to %O {
// CHECK-NEXT:        affine.for %k = 0 to 3 {
// CHECK-NEXT:          %0 = affine.load %i[%o] : memref<?xi64, strided<[1], offset: ?>>
// CHECK-NEXT:          %1 = affine.load %out[%o] : memref<?xf32, strided<[1], offset: ?>>
// CHECK-NEXT:          %row = arith.index_cast %0 : i64 to index
// CHECK-NEXT:          %v = memref.load %x[%row, %k] : memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:          %2 = arith.maximumf %1, %v : f32
// CHECK-NEXT:          affine.store %2, %out[%o] : memref<?xf32, strided<[1], offset: ?>>
// CHECK-NEXT:        } {iterator = "reduction", loop = "k", stage = "pool"}
// CHECK-NEXT:      } {iterator = "parallel", loop = "o", stage = "pool"}
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @pool_and_gather(%x: memref<?x?xf32, strided<[?, 1], offset: ?>>, %i: memref<?xi64, strided<[1], offset: ?>>,
                                   %out: memref<?xf32, strided<[1], offset: ?>>, %O: index, %grain: index)
    attributes {kernel, extents = ["o"], grain = 4 : i64} {
  %w = memref.alloca() : memref<3xf32>
  linalg.generic {indexing_maps = [affine_map<(o, k) -> (o)>, affine_map<(o, k) -> (k)>, affine_map<(o, k) -> (o)>],
          iterator_types = ["parallel", "reduction"]}
      ins(%i, %w : memref<?xi64, strided<[1], offset: ?>>, memref<3xf32>) outs(%out : memref<?xf32, strided<[1], offset: ?>>)
      attrs = {loops = ["o", "k"], stage = "pool"} {
  ^bb0(%0: i64, %1: f32, %2: f32):
    %row = arith.index_cast %0 : i64 to index
    %k = linalg.index 1 : index
    %v = memref.load %x[%row, %k] : memref<?x?xf32, strided<[?, 1], offset: ?>>
    %3 = arith.maximumf %2, %v : f32
    linalg.yield %3 : f32
  }
  func.return
}

// A scalar has no loops.
// CHECK-LABEL: func.func private @scalar(%x: memref<f32, strided<[], offset: ?>>, %out: memref<f32, strided<[], offset: ?>>, %grain: index) attributes {extents = [], grain = 2 : i64, kernel} {
// CHECK-NEXT:      %0 = affine.load %x[] : memref<f32, strided<[], offset: ?>>
// CHECK-NEXT:      %1 = arith.negf %0 : f32
// CHECK-NEXT:      affine.store %1, %out[] : memref<f32, strided<[], offset: ?>>
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @scalar(%x: memref<f32, strided<[], offset: ?>>, %out: memref<f32, strided<[], offset: ?>>, %grain: index)
    attributes {kernel, extents = [], grain = 2 : i64} {
  linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%x : memref<f32, strided<[], offset: ?>>) outs(%out : memref<f32, strided<[], offset: ?>>) attrs = {loops = [], stage = "s0"} {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.negf %0 : f32
    linalg.yield %2 : f32
  }
  func.return
}
