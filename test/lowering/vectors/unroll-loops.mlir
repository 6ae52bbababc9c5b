// RUN: mlopt %s --mlir-print-local-scope --unroll-loops --split-input-file --verify-diagnostics | filecheck %s

// By a factor: whole groups, then what is left; index arithmetic of the copies is composed.
// CHECK-LABEL: func.func @by_factor(%x: memref<?xf32>, %N: index) -> f32 {
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %0 = affine.apply affine_map<(d0) -> ((d0 floordiv 2) * 2)>(%N)
// CHECK-NEXT:    %r = scf.for %i = %c0 to %0 step %c2 iter_args(%a = %zero) -> (f32) {
// CHECK-NEXT:      %1 = affine.apply affine_map<(d0) -> (d0 * 2 + 3)>(%i)
// CHECK-NEXT:      %v = memref.load %x[%1] : memref<?xf32>
// CHECK-NEXT:      %s = arith.addf %a, %v : f32
// CHECK-NEXT:      %2 = affine.apply affine_map<(d0) -> (d0 * 2 + 5)>(%i)
// CHECK-NEXT:      %v_1 = memref.load %x[%2] : memref<?xf32>
// CHECK-NEXT:      %s_2 = arith.addf %s, %v_1 : f32
// CHECK-NEXT:      scf.yield %s_2 : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    %r_0 = scf.for %i = %0 to %N step %c1 iter_args(%a = %r) -> (f32) {
// CHECK-NEXT:      %j = affine.apply affine_map<(d0) -> (d0 * 2 + 3)>(%i)
// CHECK-NEXT:      %v = memref.load %x[%j] : memref<?xf32>
// CHECK-NEXT:      %s = arith.addf %a, %v : f32
// CHECK-NEXT:      scf.yield %s : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    return %r_0 : f32
// CHECK-NEXT:  }
func.func @by_factor(%x: memref<?xf32>, %N: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %N step %c1 iter_args(%a = %zero) -> (f32) {
    %j = affine.apply affine_map<(d0) -> (d0 * 2 + 3)>(%i)
    %v = memref.load %x[%j] : memref<?xf32>
    %s = arith.addf %a, %v : f32
    scf.yield %s : f32
  } {unroll = 2 : index}
  func.return %r : f32
}

// -----

// Fully: no loop remains, and indices are constants.
// CHECK-LABEL: func.func @fully(%x: memref<?xf32>) {
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    memref.store %zero, %x[%c0] : memref<?xf32>
// CHECK-NEXT:    memref.store %zero, %x[%c2] : memref<?xf32>
// CHECK-NEXT:    memref.store %zero, %x[%c4] : memref<?xf32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @fully(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c3 step %c1 {
    %j = affine.apply affine_map<(d0) -> (d0 * 2)>(%i)
    memref.store %zero, %x[%j] : memref<?xf32>
  } {unroll = "full"}
  func.return
}

// -----

// A constant multiple of the factor leaves nothing over; a loop inside is copied.
// CHECK-LABEL: func.func @exact(%x: memref<?x?xf32>, %N: index) {
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    scf.for %i = %c0 to %c8 step %c2 {
// CHECK-NEXT:      scf.for %j = %c0 to %N step %c1 {
// CHECK-NEXT:        memref.store %zero, %x[%i, %j] : memref<?x?xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.for %j = %c0 to %N step %c1 {
// CHECK-NEXT:        %0 = affine.apply affine_map<(d0) -> (d0 + 1)>(%i)
// CHECK-NEXT:        memref.store %zero, %x[%0, %j] : memref<?x?xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @exact(%x: memref<?x?xf32>, %N: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    scf.for %j = %c0 to %N step %c1 {
      memref.store %zero, %x[%i, %j] : memref<?x?xf32>
    }
  } {unroll = 2 : index}
  func.return
}

// -----

// Without constant bounds there is no full unrolling.
func.func @dynamic(%x: memref<?xf32>, %N: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{kernel @dynamic: a loop to unroll fully has bounds that are not constant}}
  scf.for %i = %c0 to %N step %c1 {
    memref.store %zero, %x[%i] : memref<?xf32>
  } {unroll = "full"}
  func.return
}
