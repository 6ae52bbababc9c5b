// RUN: mlopt %s --split-input-file --canonicalize=test-convergence | filecheck %s

// Extents that a cast forgot, bounds that are known, a mask that is true everywhere.
// CHECK: func.func @transfers(%m: memref<4x8xf32>) -> vector<4x8xf32> {
// CHECK:          [[V:%.*]] = vector.transfer_read %m[%{{.*}}, %{{.*}}], %{{.*}} {in_bounds = [true, true]} : memref<4x8xf32>, vector<4x8xf32>
// CHECK-NEXT:     vector.transfer_write [[V]], %m[%{{.*}}, %{{.*}}] {in_bounds = [true, false]} : vector<4x8xf32>, memref<4x8xf32>
func.func @transfers(%m: memref<4x8xf32>) -> vector<4x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 0.0 : f32
  %true = vector.constant_mask [4, 8] : vector<4x8xi1>
  %c = memref.cast %m : memref<4x8xf32> to memref<?x?xf32>
  %v = vector.transfer_read %c[%c0, %c0], %f, %true : memref<?x?xf32>, vector<4x8xf32>
  vector.transfer_write %v, %c[%c0, %c1] : vector<4x8xf32>, memref<?x?xf32>
  return %v : vector<4x8xf32>
}

// -----

// A stride that a cast asserts is needed by the load behind it.
// CHECK: func.func @asserting_cast(
// CHECK-NEXT:     [[C:%.*]] = memref.cast %m
// CHECK-NEXT:     vector.load [[C]][%i]
func.func @asserting_cast(%m: memref<?xf32, strided<[?], offset: ?>>, %i: index) -> vector<4xf32> {
  %c = memref.cast %m : memref<?xf32, strided<[?], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
  %v = vector.load %c[%i] : memref<?xf32, strided<[1], offset: ?>>, vector<4xf32>
  return %v : vector<4xf32>
}

// -----

// What was written beside is looked over; what was written there is what is read.
// CHECK: func.func @written(%t: tensor<4x4xf32>, %a: vector<1x4xf32>, %b: vector<1x4xf32>) -> (vector<1x4xf32>, vector<4x1x6xf32>) {
// CHECK-NEXT:     [[B:%.*]] = vector.broadcast %b : vector<1x4xf32> to vector<6x1x4xf32>
// CHECK-NEXT:     [[T:%.*]] = vector.transpose [[B]], [2, 1, 0] : vector<6x1x4xf32> to vector<4x1x6xf32>
// CHECK-NEXT:     return %a, [[T]] :
func.func @written(%t: tensor<4x4xf32>, %a: vector<1x4xf32>, %b: vector<1x4xf32>) -> (vector<1x4xf32>, vector<4x1x6xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %f = arith.constant 0.0 : f32
  %0 = vector.transfer_write %a, %t[%c1, %c0] {in_bounds = [true, true]} : vector<1x4xf32>, tensor<4x4xf32>
  %1 = vector.transfer_write %b, %0[%c2, %c0] {in_bounds = [true, true]} : vector<1x4xf32>, tensor<4x4xf32>
  %2 = vector.transfer_read %1[%c1, %c0], %f {in_bounds = [true, true]} : tensor<4x4xf32>, vector<1x4xf32>
  %3 = vector.transfer_read %1[%c2, %c0], %f {in_bounds = [true, true, true], permutation_map = affine_map<(d0, d1) -> (d1, d0, 0)>} : tensor<4x4xf32>, vector<4x1x6xf32>
  return %2, %3 : vector<1x4xf32>, vector<4x1x6xf32>
}

// -----

// The place that is read may be the place that was written.
// CHECK: func.func @written_perhaps(
// CHECK:          vector.transfer_write
// CHECK:          vector.transfer_read
func.func @written_perhaps(%t: tensor<8xf32>, %a: vector<4xf32>, %i: index) -> vector<4xf32> {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %0 = vector.transfer_write %a, %t[%i] {in_bounds = [true]} : vector<4xf32>, tensor<8xf32>
  %1 = vector.transfer_read %0[%c0], %f {in_bounds = [true]} : tensor<8xf32>, vector<4xf32>
  return %1 : vector<4xf32>
}

// -----

// CHECK: func.func @overwritten(%t: tensor<4x4xf32>, %a: vector<1x4xf32>, %b: vector<1x4xf32>) -> tensor<4x4xf32> {
// CHECK:          [[A:%.*]] = vector.transfer_write %a, %t[%c2, %c0]
// CHECK-NEXT:     [[B:%.*]] = vector.transfer_write %b, [[A]][%c1, %c0]
// CHECK-NEXT:     return [[B]] :
func.func @overwritten(%t: tensor<4x4xf32>, %a: vector<1x4xf32>, %b: vector<1x4xf32>) -> tensor<4x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = vector.transfer_write %a, %t[%c1, %c0] {in_bounds = [true, true]} : vector<1x4xf32>, tensor<4x4xf32>
  %1 = vector.transfer_write %a, %0[%c2, %c0] {in_bounds = [true, true]} : vector<1x4xf32>, tensor<4x4xf32>
  %2 = vector.transfer_write %b, %1[%c1, %c0] {in_bounds = [true, true]} : vector<1x4xf32>, tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// -----

// CHECK: func.func @lanes(%m: memref<?xf32>, %mask: vector<4xi1>, %p: vector<4xf32>, %i: index) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>) {
// CHECK-NEXT:     [[A:%.*]] = vector.load %m[%i] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:     [[B:%.*]] = vector.maskedload %m[%i], %mask, %p : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
// CHECK-NEXT:     vector.store %p, %m[%i] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:     return [[A]], [[B]], %p :
func.func @lanes(%m: memref<?xf32>, %mask: vector<4xi1>, %p: vector<4xf32>, %i: index) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  %true = arith.constant dense<true> : vector<4xi1>
  %false = arith.constant dense<false> : vector<4xi1>
  %x = arith.constant dense<[0, 1, 2, 3]> : vector<4xi32>
  %a = vector.maskedload %m[%i], %true, %p : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  %b = vector.gather %m[%i] [%x], %mask, %p : memref<?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  %c = vector.expandload %m[%i], %false, %p : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  vector.compressstore %m[%i], %true, %p : memref<?xf32>, vector<4xi1>, vector<4xf32>
  vector.maskedstore %m[%i], %false, %p : memref<?xf32>, vector<4xi1>, vector<4xf32>
  return %a, %b, %c : vector<4xf32>, vector<4xf32>, vector<4xf32>
}

// -----

// CHECK: func.func @reductions(%a: vector<1xf32>, %b: vector<5x1xf32>, %f: f32, %acc: vector<5xf32>) -> (f32, vector<5xf32>) {
// CHECK-NEXT:     [[E:%.*]] = vector.extract %a[0] : f32 from vector<1xf32>
// CHECK-NEXT:     [[R:%.*]] = arith.addf [[E]], %f fastmath<nnan> : f32
// CHECK-NEXT:     [[S:%.*]] = vector.shape_cast %b : vector<5x1xf32> to vector<5xf32>
// CHECK-NEXT:     [[M:%.*]] = arith.maximumf %acc, [[S]] : vector<5xf32>
// CHECK-NEXT:     return [[R]], [[M]] :
func.func @reductions(%a: vector<1xf32>, %b: vector<5x1xf32>, %f: f32, %acc: vector<5xf32>) -> (f32, vector<5xf32>) {
  %0 = vector.reduction <add>, %a, %f fastmath<nnan> : vector<1xf32> into f32
  %1 = vector.multi_reduction <maximumf>, %b, %acc [1] : vector<5x1xf32> to vector<5xf32>
  return %0, %1 : f32, vector<5xf32>
}

// -----

// What a mask leaves out adds nothing to what there was.
// CHECK: func.func @masked(%a: vector<1xi32>, %b: vector<5x1xi32>, %i: i32, %acc: vector<5xi32>, %m: vector<1xi1>, %n: vector<5x1xi1>)
// CHECK-NEXT:     [[C:%.*]] = vector.extract %m[0] : i1 from vector<1xi1>
// CHECK-NEXT:     [[E:%.*]] = vector.extract %a[0] : i32 from vector<1xi32>
// CHECK-NEXT:     [[R:%.*]] = arith.addi [[E]], %i : i32
// CHECK-NEXT:     [[F:%.*]] = arith.select [[C]], [[R]], %i : i32
// CHECK-NEXT:     [[D:%.*]] = vector.shape_cast %n : vector<5x1xi1> to vector<5xi1>
// CHECK-NEXT:     [[S:%.*]] = vector.shape_cast %b : vector<5x1xi32> to vector<5xi32>
// CHECK-NEXT:     [[M:%.*]] = arith.muli %acc, [[S]] : vector<5xi32>
// CHECK-NEXT:     [[G:%.*]] = arith.select [[D]], [[M]], %acc : vector<5xi1>, vector<5xi32>
// CHECK-NEXT:     return [[F]], [[G]] :
func.func @masked(%a: vector<1xi32>, %b: vector<5x1xi32>, %i: i32, %acc: vector<5xi32>, %m: vector<1xi1>, %n: vector<5x1xi1>) -> (i32, vector<5xi32>) {
  %0 = vector.mask %m { vector.reduction <add>, %a, %i : vector<1xi32> into i32 } : vector<1xi1> -> i32
  %1 = vector.mask %n { vector.multi_reduction <mul>, %b, %acc [1] : vector<5x1xi32> to vector<5xi32> } : vector<5x1xi1> -> vector<5xi32>
  return %0, %1 : i32, vector<5xi32>
}

// -----

// CHECK: func.func @around(%v: vector<4xf32>, %m: vector<4xi1>, %p: vector<4xf32>) -> (f32, vector<4xf32>, vector<4xf32>) {
// CHECK-NEXT:     [[A:%.*]] = vector.reduction <add>, %v : vector<4xf32> into f32
// CHECK-NEXT:     [[B:%.*]] = arith.select %m, %v, %p : vector<4xi1>, vector<4xf32>
// CHECK-NEXT:     return [[A]], [[B]], %v :
func.func @around(%v: vector<4xf32>, %m: vector<4xi1>, %p: vector<4xf32>) -> (f32, vector<4xf32>, vector<4xf32>) {
  %true = vector.constant_mask [4] : vector<4xi1>
  %a = vector.mask %true { vector.reduction <add>, %v : vector<4xf32> into f32 } : vector<4xi1> -> f32
  %b = vector.mask %m, %p { vector.yield %v : vector<4xf32> } : vector<4xi1> -> vector<4xf32>
  %c = vector.mask %m { vector.yield %v : vector<4xf32> } : vector<4xi1> -> vector<4xf32>
  return %a, %b, %c : f32, vector<4xf32>, vector<4xf32>
}

// -----

// CHECK: func.func @contract(%a: vector<2x3xf32>, %b: vector<3xf32>, %c: vector<2xf32>) -> vector<2xf32> {
// CHECK-NEXT:     [[R:%.*]] = vector.contract {{.*}} %a, %b, %c : vector<2x3xf32>, vector<3xf32> into vector<2xf32>
// CHECK-NEXT:     return [[R]] :
func.func @contract(%a: vector<2x3xf32>, %b: vector<3xf32>, %c: vector<2xf32>) -> vector<2xf32> {
  %zero = arith.constant dense<0.0> : vector<2xf32>
  %0 = vector.contract {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]} %a, %b, %zero : vector<2x3xf32>, vector<3xf32> into vector<2xf32>
  %1 = arith.addf %0, %c : vector<2xf32>
  return %1 : vector<2xf32>
}

// -----

// Under a mask, only some of what was written is read, and only some is overwritten.
// CHECK: func.func @written_under_masks(
// CHECK-COUNT-3:  vector.transfer_write
// CHECK:          vector.transfer_read
// CHECK-NOT:      vector.maskedload
func.func @written_under_masks(%t: tensor<4xf32>, %a: vector<4xf32>, %m: vector<4xi1>, %b: memref<4xf32>) -> (vector<4xf32>, tensor<4xf32>, vector<4xf32>) {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %x = vector.step : vector<4xindex>
  %0 = vector.transfer_write %a, %t[%c0] {in_bounds = [true]} : vector<4xf32>, tensor<4xf32>
  %1 = vector.mask %m { vector.transfer_write %a, %0[%c0] {in_bounds = [true]} : vector<4xf32>, tensor<4xf32> } : vector<4xi1> -> tensor<4xf32>
  %2 = vector.transfer_write %a, %t[%c0] {in_bounds = [true]} : vector<4xf32>, tensor<4xf32>
  %3 = vector.mask %m { vector.transfer_read %2[%c0], %f {in_bounds = [true]} : tensor<4xf32>, vector<4xf32> } : vector<4xi1> -> vector<4xf32>
  %4 = vector.mask %m { vector.gather %b[%c0] [%x], %m, %a : memref<4xf32>, vector<4xindex>, vector<4xi1>, vector<4xf32> into vector<4xf32> } : vector<4xi1> -> vector<4xf32>
  return %3, %1, %4 : vector<4xf32>, tensor<4xf32>, vector<4xf32>
}

// -----

// CHECK: func.func @kinds(
// CHECK-COUNT-7:  arith.{{minui|minsi|maxui|maxsi|andi|ori|xori}} {{.*}} : vector<2xi8>
// CHECK-COUNT-3:  arith.{{minnumf|maxnumf|minimumf}} {{.*}} : vector<2xf32>
// CHECK-NOT:      multi_reduction
// CHECK:          return
func.func @kinds(%i: vector<2x1xi8>, %a: vector<2xi8>, %f: vector<2x1xf32>, %b: vector<2xf32>) -> (vector<2xi8>, vector<2xf32>) {
  %0 = vector.multi_reduction <minui>, %i, %a [1] : vector<2x1xi8> to vector<2xi8>
  %1 = vector.multi_reduction <minsi>, %i, %0 [1] : vector<2x1xi8> to vector<2xi8>
  %2 = vector.multi_reduction <maxui>, %i, %1 [1] : vector<2x1xi8> to vector<2xi8>
  %3 = vector.multi_reduction <maxsi>, %i, %2 [1] : vector<2x1xi8> to vector<2xi8>
  %4 = vector.multi_reduction <and>, %i, %3 [1] : vector<2x1xi8> to vector<2xi8>
  %5 = vector.multi_reduction <or>, %i, %4 [1] : vector<2x1xi8> to vector<2xi8>
  %6 = vector.multi_reduction <xor>, %i, %5 [1] : vector<2x1xi8> to vector<2xi8>
  %7 = vector.multi_reduction <minnumf>, %f, %b [1] : vector<2x1xf32> to vector<2xf32>
  %8 = vector.multi_reduction <maxnumf>, %f, %7 [1] : vector<2x1xf32> to vector<2xf32>
  %9 = vector.multi_reduction <minimumf>, %f, %8 [1] : vector<2x1xf32> to vector<2xf32>
  return %6, %9 : vector<2xi8>, vector<2xf32>
}
