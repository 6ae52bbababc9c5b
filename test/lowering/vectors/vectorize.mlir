// RUN: mlopt %s --mlir-print-local-scope --vectorize --split-input-file --verify-diagnostics | filecheck %s

// A register tile is one value through the loop; elements of A are broadcast along the lanes, panels of B along the rows.
// CHECK-LABEL: func.func private @tile(%A: memref<?x?xf32, strided<[?, 1], offset: ?>>, %B: memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>, %C: memref<?x?xf32, strided<[?, 1], offset: ?>>, %m: index, %n: index, %K: index) {
// CHECK-NEXT:    %cst = arith.constant dense<0.000000e+00> : vector<4x32xf32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %cst_0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = affine.apply affine_map<(d0) -> (d0 floordiv 32)>(%n)
// CHECK-NEXT:    %acc = scf.for %k = %c0 to %K step %c1 iter_args(%acc_1 = %cst) -> (vector<4x32xf32>) {
// CHECK-NEXT:      %A_2 = vector.transfer_read %A[%m, %k], %cst_0 {in_bounds = [true, true]} : memref<?x?xf32, strided<[?, 1], offset: ?>>, vector<4x1xf32>
// CHECK-NEXT:      %B_3 = vector.transfer_read %B[%0, %k, %c0], %cst_0 {in_bounds = [true]} : memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>, vector<32xf32>
// CHECK-NEXT:      %1 = vector.broadcast %A_2 : vector<4x1xf32> to vector<4x32xf32>
// CHECK-NEXT:      %2 = vector.broadcast %B_3 : vector<32xf32> to vector<4x32xf32>
// CHECK-NEXT:      %s = vector.fma %1, %2, %acc_1 : vector<4x32xf32>
// CHECK-NEXT:      scf.yield %s : vector<4x32xf32>
// CHECK-NEXT:    } {unroll = 4 : index}
// CHECK-NEXT:    vector.transfer_write %acc, %C[%m, %n] {in_bounds = [true, true]} : vector<4x32xf32>, memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @tile(%A: memref<?x?xf32, strided<[?, 1], offset: ?>>, %B: memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>, %C: memref<?x?xf32, strided<[?, 1], offset: ?>>, %m: index, %n: index, %K: index) {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloca() : memref<4x32xf32>
  affine.for %mr = 0 to 4 {
    affine.for %nr = 0 to 32 {
      affine.store %zero, %acc[%mr, %nr] : memref<4x32xf32>
    } {vector = 32 : index}
  } {vector = 4 : index}
  affine.for %k = 0 to %K {
    affine.for %mr = 0 to 4 {
      affine.for %nr = 0 to 32 {
        %a = affine.load %A[%m + %mr, %k] : memref<?x?xf32, strided<[?, 1], offset: ?>>
        %b = affine.load %B[%n floordiv 32, %k, %nr] : memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>
        %c = affine.load %acc[%mr, %nr] : memref<4x32xf32>
        %p = arith.mulf %a, %b fastmath<contract> : f32
        %s = arith.addf %c, %p fastmath<contract> : f32
        affine.store %s, %acc[%mr, %nr] : memref<4x32xf32>
      } {vector = 32 : index}
    } {vector = 4 : index}
  } {unroll = 4 : index}
  affine.for %mr = 0 to 4 {
    affine.for %nr = 0 to 32 {
      %c = affine.load %acc[%mr, %nr] : memref<4x32xf32>
      affine.store %c, %C[%m + %mr, %n + %nr] : memref<?x?xf32, strided<[?, 1], offset: ?>>
    } {vector = 32 : index}
  } {vector = 4 : index}
  func.return
}

// -----

// Ragged lanes are masked; those of a packed panel need not be.
// CHECK-LABEL: func.func private @ragged(%x: memref<?xf32>, %p: memref<?x8xf32>, %y: memref<?xf32>, %N: index) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    scf.for %n = %c0 to %N step %c8 {
// CHECK-NEXT:      %0 = affine.apply affine_map<(d0, d1) -> (d1 - d0)>(%n, %N)
// CHECK-NEXT:      %1 = vector.create_mask %0 : vector<8xi1>
// CHECK-NEXT:      %2 = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%n)
// CHECK-NEXT:      %x_0 = vector.transfer_read %x[%n], %cst, %1 {in_bounds = [true]} : memref<?xf32>, vector<8xf32>
// CHECK-NEXT:      %p_1 = vector.transfer_read %p[%2, %c0], %cst {in_bounds = [true]} : memref<?x8xf32>, vector<8xf32>
// CHECK-NEXT:      %s = arith.addf %x_0, %p_1 : vector<8xf32>
// CHECK-NEXT:      vector.transfer_write %s, %y[%n], %1 {in_bounds = [true]} : vector<8xf32>, memref<?xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @ragged(%x: memref<?xf32>, %p: memref<?x8xf32>, %y: memref<?xf32>, %N: index) {
  affine.for %n = 0 to %N step 8 {
    affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
      %a = affine.load %x[%n + %nr] : memref<?xf32>
      %b = affine.load %p[%n floordiv 8, %nr] : memref<?x8xf32>
      %s = arith.addf %a, %b : f32
      affine.store %s, %y[%n + %nr] : memref<?xf32>
    } {vector = 8 : index}
  }
  func.return
}

// -----

// An overlapping tail moves the last tile back; nothing is masked.
// CHECK-LABEL: func.func private @overlap(%x: memref<?xf32>, %y: memref<?xf32>, %N: index) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    scf.parallel (%n) = (%c0) to (%N) step (%c8) {
// CHECK-NEXT:      %n_0 = affine.min affine_map<(d0, d1) -> (d0, d1 - 8)>(%n, %N)
// CHECK-NEXT:      %x_1 = vector.transfer_read %x[%n_0], %cst {in_bounds = [true]} : memref<?xf32>, vector<8xf32>
// CHECK-NEXT:      vector.transfer_write %x_1, %y[%n_0] {in_bounds = [true]} : vector<8xf32>, memref<?xf32>
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @overlap(%x: memref<?xf32>, %y: memref<?xf32>, %N: index) {
  affine.parallel (%n) = (0) to (%N) step (8) {
    affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
      %a = affine.load %x[%n + %nr] : memref<?xf32>
      affine.store %a, %y[%n + %nr] : memref<?xf32>
    } {tail = "overlap", vector = 8 : index}
  }
  func.return
}

// -----

// A horizontal reduction; the lanes beyond the bound are neutral.
// CHECK-LABEL: func.func private @sum(%x: memref<?xf32>, %y: memref<f32>, %N: index) {
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %cst_0 = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-NEXT:    %acc = scf.for %n = %c0 to %N step %c8 iter_args(%acc_1 = %cst) -> (f32) {
// CHECK-NEXT:      %0 = affine.apply affine_map<(d0, d1) -> (d1 - d0)>(%n, %N)
// CHECK-NEXT:      %1 = vector.create_mask %0 : vector<8xi1>
// CHECK-NEXT:      %x_2 = vector.transfer_read %x[%n], %cst, %1 {in_bounds = [true]} : memref<?xf32>, vector<8xf32>
// CHECK-NEXT:      %2 = arith.select %1, %x_2, %cst_0 : vector<8xi1>, vector<8xf32>
// CHECK-NEXT:      %3 = vector.reduction <add>, %2, %acc_1 fastmath<reassoc> : vector<8xf32> into f32
// CHECK-NEXT:      scf.yield %3 : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.store %acc, %y[] : memref<f32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @sum(%x: memref<?xf32>, %y: memref<f32>, %N: index) {
  %acc = memref.alloca() : memref<f32>
  %zero = arith.constant 0.0 : f32
  affine.store %zero, %acc[] : memref<f32>
  affine.for %n = 0 to %N step 8 {
    affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
      %a = affine.load %x[%n + %nr] : memref<?xf32>
      %c = affine.load %acc[] : memref<f32>
      %s = arith.addf %c, %a : f32
      affine.store %s, %acc[] : memref<f32>
    } {iterator = "reduction", vector = 8 : index}
  }
  %r = affine.load %acc[] : memref<f32>
  affine.store %r, %y[] : memref<f32>
  func.return
}

// -----

// Read along one side, transposed in registers, written along the other.
// CHECK-LABEL: func.func private @transpose(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %m: index, %n: index) {
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %x_0 = vector.transfer_read %x[%n, %m], %cst {in_bounds = [true, true]} : memref<?x?xf32>, vector<8x4xf32>
// CHECK-NEXT:    %0 = vector.transpose %x_0, [1, 0] : vector<8x4xf32> to vector<4x8xf32>
// CHECK-NEXT:    vector.transfer_write %0, %y[%m, %n] {in_bounds = [true, true]} : vector<4x8xf32>, memref<?x?xf32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @transpose(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %m: index, %n: index) {
  affine.for %mr = 0 to 4 {
    affine.for %nr = 0 to 8 {
      %a = affine.load %x[%n + %nr, %m + %mr] : memref<?x?xf32>
      affine.store %a, %y[%m + %mr, %n + %nr] : memref<?x?xf32>
    } {vector = 8 : index}
  } {vector = 4 : index}
  func.return
}

// -----

// Rows two apart are a strided view; the row that is read is chosen by data.
// CHECK-LABEL: func.func private @strided_and_gathered(%x: memref<?x?xf32>, %i: memref<?xi32>, %y: memref<?x?xf32>, %m: index) {
// CHECK-NEXT:    %subview = memref.subview %x[%m, 0] [4, 8] [2, 1] : memref<?x?xf32> to memref<4x8xf32, strided<[?, 1], offset: ?>>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %x_0 = vector.transfer_read %subview[%c0, %c0], %cst {in_bounds = [true, true]} : memref<4x8xf32, strided<[?, 1], offset: ?>>, vector<4x8xf32>
// CHECK-NEXT:    %0 = memref.load %i[%m] : memref<?xi32>
// CHECK-NEXT:    %row = arith.index_cast %0 : i32 to index
// CHECK-NEXT:    %x_1 = vector.transfer_read %x[%row, %c0], %cst {in_bounds = [true]} : memref<?x?xf32>, vector<8xf32>
// CHECK-NEXT:    %1 = vector.broadcast %x_1 : vector<8xf32> to vector<4x8xf32>
// CHECK-NEXT:    %s = arith.addf %x_0, %1 : vector<4x8xf32>
// CHECK-NEXT:    vector.transfer_write %s, %y[%m, %c0] {in_bounds = [true, true]} : vector<4x8xf32>, memref<?x?xf32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @strided_and_gathered(%x: memref<?x?xf32>, %i: memref<?xi32>, %y: memref<?x?xf32>, %m: index) {
  affine.for %mr = 0 to 4 {
    affine.for %nr = 0 to 8 {
      %a = affine.load %x[%m + %mr * 2, %nr] : memref<?x?xf32>
      %j = affine.load %i[%m] : memref<?xi32>
      %row = arith.index_cast %j : i32 to index
      %b = memref.load %x[%row, %nr] : memref<?x?xf32>
      %s = arith.addf %a, %b : f32
      affine.store %s, %y[%m + %mr, %nr] : memref<?x?xf32>
    } {vector = 8 : index}
  } {vector = 4 : index}
  func.return
}

// -----

// A condition of the loops is a branch; a register that one side changes is its result.
// CHECK-LABEL: func.func private @branch(%x: memref<?xf32>, %N: index) {
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %cst = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-NEXT:      %cst_0 = arith.constant dense<1.000000e+00> : vector<8xf32>
// CHECK-NEXT:      %acc = scf.for %n = %c0 to %N step %c8 iter_args(%acc_1 = %cst) -> (vector<8xf32>) {
// CHECK-NEXT:        %0 = affine.apply affine_map<(d0) -> (d0 + 8)>(%n)
// CHECK-NEXT:        %1 = arith.cmpi sge, %n, %c8 : index
// CHECK-NEXT:        %2 = arith.cmpi sge, %N, %0 : index
// CHECK-NEXT:        %3 = arith.andi %1, %2 : i1
// CHECK-NEXT:        %4 = scf.if %3 -> (vector<8xf32>) {
// CHECK-NEXT:          scf.yield %cst_0 : vector<8xf32>
// CHECK-NEXT:        } else {
// CHECK-NEXT:          scf.yield %acc_1 : vector<8xf32>
// CHECK-NEXT:        }
// CHECK-NEXT:        vector.transfer_write %4, %x[%n] {in_bounds = [true]} : vector<8xf32>, memref<?xf32>
// CHECK-NEXT:        scf.yield %4 : vector<8xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @branch(%x: memref<?xf32>, %N: index) {
  %acc = memref.alloca() : memref<8xf32>
  %one = arith.constant 1.0 : f32
  affine.for %n = 0 to %N step 8 {
    affine.if affine_set<(d0)[s0] : (d0 - 8 >= 0, s0 - d0 - 8 >= 0)>(%n)[%N] {
      affine.for %nr = 0 to 8 {
        affine.store %one, %acc[%nr] : memref<8xf32>
      } {vector = 8 : index}
    }
    affine.for %nr = 0 to 8 {
      %a = affine.load %acc[%nr] : memref<8xf32>
      affine.store %a, %x[%n + %nr] : memref<?xf32>
    } {vector = 8 : index}
  }
  func.return
}

// -----

// Lanes that would have to be gathered one by one by data are refused.
// expected-error @below {{kernel @lookup: a subscript that is read from memory differs between the lanes of the vectorised loops nr (vectorise a loop on which it does not depend)}}
func.func private @lookup(%x: memref<?xf32>, %i: memref<?xi32>, %y: memref<?xf32>) {
  affine.for %nr = 0 to 8 {
    %j = affine.load %i[%nr] : memref<?xi32>
    %k = arith.index_cast %j : i32 to index
    %b = memref.load %x[%k] : memref<?xf32>
    affine.store %b, %y[%nr] : memref<?xf32>
  } {loop = "nr", vector = 8 : index}
  func.return
}

// -----

// Tiles that read what they wrote must not be computed twice.
// expected-error @below {{kernel @twice: the tiles of loop 'n' cannot overlap: they read and write the same buffer (use the tail "mask" or "exact")}}
func.func private @twice(%x: memref<?xf32>, %N: index) {
  affine.for %n = 0 to %N step 8 {
    affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
      %a = affine.load %x[%n + %nr] : memref<?xf32>
      %s = arith.addf %a, %a : f32
      affine.store %s, %x[%n + %nr] : memref<?xf32>
    } {loop = "nr", tail = "overlap", vector = 8 : index}
  }
  func.return
}

// -----

// A temporary that is a whole row has no place.
// expected-error @below {{kernel @row: a temporary of memref<?xf32> remains (a stage must write its result into the output, or the schedule must make the temporary a tile)}}
func.func private @row(%x: memref<?xf32>, %N: index) {
  %t = memref.alloca(%N) : memref<?xf32>
  affine.for %n = 0 to %N {
    %a = affine.load %x[%n] : memref<?xf32>
    affine.store %a, %t[%n] : memref<?xf32>
  }
  func.return
}
