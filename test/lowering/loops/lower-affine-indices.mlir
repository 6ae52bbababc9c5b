// RUN: mlopt %s --lower-affine --split-input-file | filecheck %s
// RUN: mlopt %s --lower-affine --canonicalize --split-input-file | filecheck %s --check-prefix=VALUE

// CHECK-LABEL: func.func @split
// CHECK: arith.floordivsi
// CHECK: arith.remsi
// CHECK-NOT: affine
func.func @split(%i: index) -> (index, index, index, index) {
  %0:3 = affine.delinearize_index %i into (3, 4) : index, index, index
  %1 = affine.linearize_index [%0#0, %0#2, %0#1] by (7, 4, 3) : index
  return %0#0, %0#1, %0#2, %1 : index, index, index, index
}

// -----

// CHECK-LABEL: func.func @reduction
// CHECK: scf.parallel
// CHECK: scf.reduce(
// CHECK: arith.addf
func.func @reduction(%m: memref<4x3xf32>) -> f32 {
  %r = affine.parallel (%i, %j) = (0, 0) to (4, 3) reduce ("addf") -> (f32) {
    %v = affine.load %m[%i, %j] : memref<4x3xf32>
    affine.yield %v : f32
  }
  return %r : f32
}

// -----

// What is left of known indices are their subscripts.
// CHECK-LABEL: func.func @known
// VALUE-LABEL: func.func @known
// VALUE-DAG: %[[A:.*]] = arith.constant -2 : index
// VALUE-DAG: %[[B:.*]] = arith.constant 1 : index
// VALUE-DAG: %[[C:.*]] = arith.constant 3 : index
// VALUE-DAG: %[[D:.*]] = arith.constant 106 : index
// VALUE: return %[[A]], %[[B]], %[[C]], %[[D]]
func.func @known() -> (index, index, index, index) {
  %i = arith.constant -17 : index
  %c2 = arith.constant 2 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %0:3 = affine.delinearize_index %i into (3, 4) : index, index, index
  %1 = affine.linearize_index [%c2, %c1, %c16] by (7, 4, 10) : index
  return %0#0, %0#1, %0#2, %1 : index, index, index, index
}
