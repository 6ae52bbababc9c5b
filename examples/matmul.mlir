// A matrix product as plain loops, with a schedule that does next to nothing. Try others:
//
//   mlopt examples/matmul.mlir --apply-schedule                          the loops after the schedule
//   mlopt examples/matmul.mlir --apply-schedule --vectorize              and as operations on vectors
//   mlopt examples/matmul.mlir --apply-schedule --stepwell-to-vector --stepwell-to-llvm
//
// Loops that bear the same name are the same loop to a schedule; docs/architecture.md lists its steps.

!matrix = memref<?x?xf32, strided<[?, 1], offset: ?>>

func.func @matmul(%a: !matrix, %b: !matrix, %c: !matrix, %M: index, %N: index, %K: index)
    attributes {kernel, schedule = [["fuse", "m", "n"]]} {
  %zero = arith.constant 0.0 : f32
  affine.for %m = 0 to %M {
    affine.for %n = 0 to %N {
      affine.store %zero, %c[%m, %n] : !matrix
    } {loop = "n", iterator = "parallel", stage = "init"}
  } {loop = "m", iterator = "parallel", stage = "init"}
  affine.for %m = 0 to %M {
    affine.for %n = 0 to %N {
      affine.for %k = 0 to %K {
        %x = affine.load %a[%m, %k] : !matrix
        %y = affine.load %b[%k, %n] : !matrix
        %old = affine.load %c[%m, %n] : !matrix
        %product = arith.mulf %x, %y fastmath<contract> : f32
        %new = arith.addf %old, %product fastmath<contract> : f32
        affine.store %new, %c[%m, %n] : !matrix
      } {loop = "k", iterator = "reduction", stage = "product"}
    } {loop = "n", iterator = "parallel", stage = "product"}
  } {loop = "m", iterator = "parallel", stage = "product"}
  func.return
}
