// RUN: mlopt %s --affine-loop-normalize --split-input-file --validate-each | filecheck %s
// RUN: mlopt %s --affine-loop-normalize="promote-single-iter" --split-input-file | filecheck %s --check-prefix=PROMOTE

// CHECK-DAG: #[[IV:.*]] = affine_map<(d0) -> (d0 * 3 + 2)>
// CHECK-LABEL: func.func @steps
// CHECK: affine.for %[[K:.*]] = 0 to 5 {
// CHECK-NEXT: %[[I:.*]] = affine.apply #[[IV]](%[[K]])
// CHECK-NEXT: affine.load %{{.*}}[%[[I]]]
func.func @steps(%m: memref<16xf32>, %o: memref<16xf32>) {
  affine.for %i = 2 to 16 step 3 {
    %v = affine.load %m[%i] : memref<16xf32>
    affine.store %v, %o[%i] : memref<16xf32>
  }
  return
}

// -----

// CHECK-DAG: #[[SPAN:.*]] = affine_map<()[s0, s1] -> ((s0 - s1) ceildiv 4)>
// CHECK-LABEL: func.func @symbols(%m: memref<16xf32>, %a: index, %b: index)
// CHECK: affine.for %{{.*}} = 0 to #[[SPAN]]()[%b, %a]
func.func @symbols(%m: memref<16xf32>, %a: index, %b: index) attributes {validate_values = [[], 3, 11]} {
  %z = arith.constant 0.0 : f32
  affine.for %i = %a to %b step 4 {
    affine.store %z, %m[%i] : memref<16xf32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @once
// CHECK: affine.for
// PROMOTE-LABEL: func.func @once
// PROMOTE-NOT: affine.for
// PROMOTE: affine.store
func.func @once(%m: memref<4xf32>) {
  %z = arith.constant 0.0 : f32
  affine.for %i = 2 to 3 {
    affine.store %z, %m[%i] : memref<4xf32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @parallel
// CHECK: affine.parallel (%{{.*}}, %{{.*}}) = (0, 0) to (4, 2) {
func.func @parallel(%m: memref<10x5xf32>) {
  %z = arith.constant 1.0 : f32
  affine.parallel (%i, %j) = (0, 1) to (10, 5) step (3, 2) {
    affine.store %z, %m[%i, %j] : memref<10x5xf32>
  }
  return
}
