// RUN: mlopt %s --convert-linalg-to-loops | filecheck %s
// RUN: mlopt %s --convert-linalg-to-affine-loops | filecheck %s --check-prefix=AFFINE
// RUN: mlopt %s --convert-linalg-to-parallel-loops | filecheck %s --check-prefix=PARALLEL
// RUN: mlopt %s --validate-each --convert-linalg-to-loops -o /dev/null
// RUN: mlopt %s --validate-each --convert-linalg-to-parallel-loops -o /dev/null
// RUN: mlopt %s --validate-each --convert-linalg-to-affine-loops -o /dev/null

// CHECK-LABEL: func.func @windowed(%a: memref<4x?xf32>, %b: memref<7x8xf32>, %s: f32)
// CHECK:         [[D:%[a-z0-9_]+]] = memref.dim %a, %c1 : memref<4x?xf32>
// CHECK-NEXT:    scf.for [[M:%[a-z0-9_]+]] = %c0 to %c4 step %c1 {
// CHECK-NEXT:      scf.for [[N:%[a-z0-9_]+]] = %c0 to %c8 step %c1 {
// CHECK-NEXT:        scf.for [[K:%[a-z0-9_]+]] = %c0 to [[D]] step %c1 {
// CHECK-NEXT:          memref.load %a{{\[}}[[M]], [[K]]{{\]}} : memref<4x?xf32>
// CHECK:               [[P:%[a-z0-9_]+]] = affine.apply #map([[M]])
// CHECK:               memref.store {{%[a-z0-9_]+}}, %b{{\[}}[[P]], [[N]]{{\]}} : memref<7x8xf32>

// AFFINE-LABEL: func.func @windowed
// AFFINE:         affine.for [[M:%[a-z0-9_]+]] = 0 to 4 {
// AFFINE-NEXT:      affine.for [[N:%[a-z0-9_]+]] = 0 to 8 {
// AFFINE-NEXT:        affine.for [[K:%[a-z0-9_]+]] = 0 to
// AFFINE-NEXT:          affine.load %a{{\[}}[[M]], [[K]]{{\]}} : memref<4x?xf32>

// PARALLEL-LABEL: func.func @windowed
// PARALLEL:         scf.parallel ([[M:%[a-z0-9_]+]], [[N:%[a-z0-9_]+]]) = (%c0, %c0) to (%c4, %c8) step (%c1, %c1) {
// PARALLEL-NEXT:      scf.for
// PARALLEL:           scf.reduce
func.func @windowed(%a: memref<4x?xf32>, %b: memref<7x8xf32>, %s: f32) {
  linalg.generic {
    indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> ()>, affine_map<(m, n, k) -> (m * 2, n)>],
    iterator_types = ["parallel", "parallel", "reduction"]
  } ins(%a, %s : memref<4x?xf32>, f32) outs(%b : memref<7x8xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.sitofp %j : i32 to f32
    %0 = arith.addf %x, %k : f32
    %1 = arith.addf %0, %y : f32
    linalg.yield %1 : f32
  }
  return
}

// The value of a fill is not read from where it goes; transposes and sums have loops of their own.
// CHECK-LABEL: func.func @named
// CHECK:         scf.for
// CHECK-NEXT:      memref.store %s, %v[{{%[a-z0-9_]+}}] : memref<4xf32>
// CHECK:         memref.store {{%[a-z0-9_]+}}, %t[{{%[a-z0-9_]+}}, {{%[a-z0-9_]+}}] : memref<3x4xf32>
// CHECK-NOT:     linalg
func.func @named(%x: memref<4x3xf32>, %t: memref<3x4xf32>, %v: memref<4xf32>, %s: f32) {
  linalg.fill ins(%s : f32) outs(%v : memref<4xf32>)
  linalg.transpose ins(%x : memref<4x3xf32>) outs(%t : memref<3x4xf32>) permutation = [1, 0]
  linalg.reduce { arith.addf } ins(%t : memref<3x4xf32>) outs(%v : memref<4xf32>) dimensions = [0]
  return
}
