// RUN: mlopt %s --mlir-print-local-scope --vectorize | filecheck %s

// A sum of four products of widened bytes is one contraction.
// CHECK-LABEL: func.func private @tile(%A: memref<?x?xi8, strided<[?, 1], offset: ?>>, %B: memref<?x?x16x4xi8, strided<[?, 64, 4, 1], offset: ?>>, %C: memref<?x?xi32, strided<[?, 1], offset: ?>>, %m: index, %n: index, %K: index) {
// CHECK-NEXT:     %cst = arith.constant dense<0> : vector<2x16xi32>
// CHECK-NEXT:     %c0 = arith.constant 0 : index
// CHECK-NEXT:     %c4 = arith.constant 4 : index
// CHECK-NEXT:     %c0_i8 = arith.constant 0 : i8
// CHECK-NEXT:     %0 = affine.apply affine_map<(d0) -> (d0 floordiv 16)>(%n)
// CHECK-NEXT:     %acc = scf.for %k = %c0 to %K step %c4 iter_args(%acc_0 = %cst) -> (vector<2x16xi32>) {
// CHECK-NEXT:       %1 = affine.apply affine_map<(d0) -> (d0 floordiv 4)>(%k)
// CHECK-NEXT:       %A_1 = vector.transfer_read %A[%m, %k], %c0_i8 {in_bounds = [true, true]} : memref<?x?xi8, strided<[?, 1], offset: ?>>, vector<2x4xi8>
// CHECK-NEXT:       %B_2 = vector.transfer_read %B[%0, %1, %c0, %c0], %c0_i8 {in_bounds = [true, true]} : memref<?x?x16x4xi8, strided<[?, 64, 4, 1], offset: ?>>, vector<16x4xi8>
// CHECK-NEXT:       %2 = vector.shape_cast %A_1 : vector<2x4xi8> to vector<2x1x4xi8>
// CHECK-NEXT:       %u = arith.extui %2 : vector<2x1x4xi8> to vector<2x1x4xi32>
// CHECK-NEXT:       %s = arith.extsi %B_2 : vector<16x4xi8> to vector<16x4xi32>
// CHECK-NEXT:       %3 = vector.shape_cast %u : vector<2x1x4xi32> to vector<2x4xi32>
// CHECK-NEXT:       %4 = vector.contract {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %3, %s, %acc_0 : vector<2x4xi32>, vector<16x4xi32> into vector<2x16xi32>
// CHECK-NEXT:       scf.yield %4 : vector<2x16xi32>
// CHECK-NEXT:     }
// CHECK-NEXT:     vector.transfer_write %acc, %C[%m, %n] {in_bounds = [true, true]} : vector<2x16xi32>, memref<?x?xi32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:     return
// CHECK-NEXT:   }
func.func private @tile(%A: memref<?x?xi8, strided<[?, 1], offset: ?>>, %B: memref<?x?x16x4xi8, strided<[?, 64, 4, 1], offset: ?>>, %C: memref<?x?xi32, strided<[?, 1], offset: ?>>, %m: index, %n: index, %K: index) {
  %zero = arith.constant 0 : i32
  %acc = memref.alloca() : memref<2x16xi32>
  affine.for %mr = 0 to 2 {
    affine.for %nr = 0 to 16 {
      affine.store %zero, %acc[%mr, %nr] : memref<2x16xi32>
    } {vector = 16 : index}
  } {vector = 2 : index}
  affine.for %k = 0 to %K step 4 {
    affine.for %mr = 0 to 2 {
      affine.for %nr = 0 to 16 {
        affine.for %kr = 0 to 4 {
          %a = affine.load %A[%m + %mr, %k + %kr] : memref<?x?xi8, strided<[?, 1], offset: ?>>
          %b = affine.load %B[%n floordiv 16, %k floordiv 4, %nr, %kr] : memref<?x?x16x4xi8, strided<[?, 64, 4, 1], offset: ?>>
          %c = affine.load %acc[%mr, %nr] : memref<2x16xi32>
          %u = arith.extui %a : i8 to i32
          %s = arith.extsi %b : i8 to i32
          %p = arith.muli %u, %s : i32
          %t = arith.addi %c, %p : i32
          affine.store %t, %acc[%mr, %nr] : memref<2x16xi32>
        } {iterator = "reduction", vector = 4 : index}
      } {iterator = "parallel", vector = 16 : index}
    } {iterator = "parallel", vector = 2 : index}
  }
  affine.for %mr = 0 to 2 {
    affine.for %nr = 0 to 16 {
      %c = affine.load %acc[%mr, %nr] : memref<2x16xi32>
      affine.store %c, %C[%m + %mr, %n + %nr] : memref<?x?xi32, strided<[?, 1], offset: ?>>
    } {vector = 16 : index}
  } {vector = 2 : index}
  func.return
}
