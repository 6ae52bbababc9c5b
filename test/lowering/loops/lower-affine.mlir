// RUN: mlopt %s --lower-affine --split-input-file --validate-each | filecheck %s

// CHECK-LABEL: func.func @loop
// CHECK-NEXT: %c0 = arith.constant 0 : index
// CHECK-NEXT: %c8 = arith.constant 8 : index
// CHECK-NEXT: %c2 = arith.constant 2 : index
// CHECK-NEXT: %{{.*}} = scf.for %i = %c0 to %c8 step %c2 iter_args(%a = %x) -> (f32) {
// CHECK-NEXT:   %c3 = arith.constant 3 : index
// CHECK-NEXT:   %[[N:.*]] = arith.addi %i, %c3 : index
// CHECK-NEXT:   %v = memref.load %m[%[[N]]] : memref<16xf32>
// CHECK-NEXT:   %s = arith.addf %a, %v : f32
// CHECK-NEXT:   scf.yield %s : f32
func.func @loop(%m: memref<16xf32>, %x: f32) -> f32 {
  %r = affine.for %i = 0 to 8 step 2 iter_args(%a = %x) -> (f32) {
    %v = affine.load %m[%i + 3] : memref<16xf32>
    %s = arith.addf %a, %v : f32
    affine.yield %s : f32
  }
  return %r : f32
}

// -----

// CHECK-LABEL: func.func @divisions
// CHECK: %[[R:.*]] = arith.remsi %i, %c5 : index
// CHECK-NEXT: %[[Z:.*]] = arith.constant 0 : index
// CHECK-NEXT: %[[N:.*]] = arith.cmpi slt, %[[R]], %[[Z]] : index
// CHECK-NEXT: %[[A:.*]] = arith.addi %[[R]], %c5 : index
// CHECK-NEXT: %{{.*}} = arith.select %[[N]], %[[A]], %[[R]] : index
// CHECK: arith.cmpi slt
// CHECK: arith.divsi
// CHECK: arith.cmpi sle
// CHECK: arith.divsi
func.func @divisions(%i: index) -> (index, index, index) {
  %0 = affine.apply affine_map<(d0) -> (d0 mod 5)>(%i)
  %1 = affine.apply affine_map<(d0) -> (d0 floordiv 3)>(%i)
  %2 = affine.apply affine_map<(d0) -> (d0 ceildiv 3)>(%i)
  return %0, %1, %2 : index, index, index
}

// -----

// CHECK-LABEL: func.func @condition
// CHECK: %[[A:.*]] = arith.cmpi sge
// CHECK: %[[B:.*]] = arith.cmpi eq
// CHECK-NEXT: %[[C:.*]] = arith.andi %[[A]], %[[B]] : i1
// CHECK-NEXT: %{{.*}} = scf.if %[[C]] -> (f32) {
func.func @condition(%i: index, %n: index, %x: f32, %y: f32) -> f32 {
  %r = affine.if affine_set<(d0)[s0] : (d0 - 2 >= 0, s0 - 4 == 0)>(%i)[%n] -> f32 {
    affine.yield %x : f32
  } else {
    affine.yield %y : f32
  }
  return %r : f32
}

// -----

// CHECK-LABEL: func.func @extrema
// CHECK: arith.minsi
// CHECK: arith.maxsi
func.func @extrema(%i: index, %n: index) -> (index, index) {
  %0 = affine.min affine_map<(d0)[s0] -> (d0 + 4, s0)>(%i)[%n]
  %1 = affine.max affine_map<(d0)[s0] -> (d0 - 4, s0)>(%i)[%n]
  return %0, %1 : index, index
}
