// RUN: mlopt %s --split-input-file --canonicalize=test-convergence | filecheck %s

// CHECK: func.func @masks(%d: index) -> (vector<4x3xi1>, vector<[8]xi1>, vector<3xi1>, vector<2x2xi1>, vector<3x4xi1>) {
// CHECK-DAG:     [[S:%.*]] = arith.constant dense<false> : vector<[8]xi1>
// CHECK-DAG:     [[ROW:%.*]] = vector.constant_mask [2] : vector<3xi1>
// CHECK-DAG:     [[M:%.*]] = vector.constant_mask [4, 2] : vector<4x3xi1>
// CHECK:         return [[M]], [[S]], [[ROW]], {{%.*}}, {{%.*}} :
func.func @masks(%d: index) -> (vector<4x3xi1>, vector<[8]xi1>, vector<3xi1>, vector<2x2xi1>, vector<3x4xi1>) {
  %c9 = arith.constant 9 : index
  %c2 = arith.constant 2 : index
  %c-1 = arith.constant -1 : index
  %m = vector.create_mask %c9, %c2 : vector<4x3xi1>
  %s = vector.create_mask %c-1 : vector<[8]xi1>
  %e = vector.extract %m[3] : vector<3xi1> from vector<4x3xi1>
  %l = vector.extract_strided_slice %m {offsets = [2, 1], sizes = [2, 2], strides = [1, 1]} : vector<4x3xi1> to vector<2x2xi1>
  %t = vector.transpose %m, [1, 0] : vector<4x3xi1> to vector<3x4xi1>
  return %m, %s, %e, %l, %t : vector<4x3xi1>, vector<[8]xi1>, vector<3xi1>, vector<2x2xi1>, vector<3x4xi1>
}

// -----

// CHECK: func.func @unknown_masks(%a: index, %b: index) -> (vector<3x4xi1>, vector<2xi1>, vector<4xi1>) {
// CHECK-NEXT:     [[C1:%.*]] = arith.constant 1 : index
// CHECK-NEXT:     [[T:%.*]] = vector.create_mask %b, %a : vector<3x4xi1>
// CHECK-NEXT:     [[B:%.*]] = arith.subi %a, [[C1]] : index
// CHECK-NEXT:     [[S:%.*]] = vector.create_mask [[B]] : vector<2xi1>
// CHECK-NEXT:     [[E:%.*]] = vector.create_mask %b : vector<4xi1>
// CHECK-NEXT:     return [[T]], [[S]], [[E]] :
func.func @unknown_masks(%a: index, %b: index) -> (vector<3x4xi1>, vector<2xi1>, vector<4xi1>) {
  %c2 = arith.constant 2 : index
  %m = vector.create_mask %a, %b : vector<4x3xi1>
  %t = vector.transpose %m, [1, 0] : vector<4x3xi1> to vector<3x4xi1>
  %n = vector.create_mask %a : vector<4xi1>
  %s = vector.extract_strided_slice %n {offsets = [1], sizes = [2], strides = [1]} : vector<4xi1> to vector<2xi1>
  %o = vector.create_mask %c2, %b : vector<3x4xi1>
  %e = vector.extract %o[1] : vector<4xi1> from vector<3x4xi1>
  return %t, %s, %e : vector<3x4xi1>, vector<2xi1>, vector<4xi1>
}

// -----

// A position is followed through whatever moved the elements.
// CHECK: func.func @extract(%v: vector<2x3x4xf32>, %w: vector<3x4xf32>, %f: f32, %i: index) -> (vector<4xf32>, f32, f32, vector<4xf32>, f32) {
// CHECK-NEXT:     [[A:%.*]] = vector.extract %v[1, 2] : vector<4xf32> from vector<2x3x4xf32>
// CHECK-NEXT:     [[B:%.*]] = vector.extract %w[2, 3] : f32 from vector<3x4xf32>
// CHECK-NEXT:     [[C:%.*]] = vector.extract %w[%i] : vector<4xf32> from vector<3x4xf32>
// CHECK-NEXT:     [[D:%.*]] = vector.extract %v[1, 0, 2] : f32 from vector<2x3x4xf32>
// CHECK-NEXT:     return [[A]], [[B]], %f, [[C]], [[D]] :
func.func @extract(%v: vector<2x3x4xf32>, %w: vector<3x4xf32>, %f: f32, %i: index) -> (vector<4xf32>, f32, f32, vector<4xf32>, f32) {
  %t = vector.transpose %v, [2, 1, 0] : vector<2x3x4xf32> to vector<4x3x2xf32>
  %n = vector.insert %f, %t [0, 0, 1] : f32 into vector<4x3x2xf32>
  %u = vector.transpose %n, [2, 1, 0] : vector<4x3x2xf32> to vector<2x3x4xf32>
  %a = vector.extract %u[1, 2] : vector<4xf32> from vector<2x3x4xf32>
  %x = vector.insert %w, %v [1] : vector<3x4xf32> into vector<2x3x4xf32>
  %b = vector.extract %x[1, 2, 3] : f32 from vector<2x3x4xf32>
  %g = vector.broadcast %f : f32 to vector<2x3xf32>
  %c = vector.extract %g[%i, 1] : f32 from vector<2x3xf32>
  %p = vector.broadcast %w : vector<3x4xf32> to vector<5x3x4xf32>
  %d = vector.extract %p[2, %i] : vector<4xf32> from vector<5x3x4xf32>
  %q = vector.shape_cast %v : vector<2x3x4xf32> to vector<6x4xf32>
  %e = vector.extract %q[3, 2] : f32 from vector<6x4xf32>
  return %a, %b, %c, %d, %e : vector<4xf32>, f32, f32, vector<4xf32>, f32
}

// -----

// What is inserted may be what is extracted: nothing is done.
// CHECK: func.func @extract_not(
// CHECK-NEXT:     [[N:%.*]] = vector.insert %f, %v [%i] : f32 into vector<4xf32>
// CHECK-NEXT:     [[E:%.*]] = vector.extract [[N]][1] : f32 from vector<4xf32>
// CHECK-NEXT:     return [[E]] : f32
func.func @extract_not(%v: vector<4xf32>, %f: f32, %i: index) -> f32 {
  %n = vector.insert %f, %v [%i] : f32 into vector<4xf32>
  %e = vector.extract %n[1] : f32 from vector<4xf32>
  return %e : f32
}

// -----

// CHECK: func.func @shapes(%a: vector<2xf32>, %f: f32) -> (vector<32x2xf32>, vector<3x4x1xf32>, vector<1x2x1xf32>, vector<4x3xf32>, vector<2xf32>) {
// CHECK-NEXT:     [[A:%.*]] = vector.broadcast %a : vector<2xf32> to vector<32x2xf32>
// CHECK-NEXT:     [[B:%.*]] = vector.broadcast %f : f32 to vector<3x4x1xf32>
// CHECK-NEXT:     [[C:%.*]] = vector.shape_cast %a : vector<2xf32> to vector<1x2x1xf32>
// CHECK-NEXT:     [[D:%.*]] = vector.broadcast %f : f32 to vector<4x3xf32>
// CHECK-NEXT:     return [[A]], [[B]], [[C]], [[D]], %a :
func.func @shapes(%a: vector<2xf32>, %f: f32) -> (vector<32x2xf32>, vector<3x4x1xf32>, vector<1x2x1xf32>, vector<4x3xf32>, vector<2xf32>) {
  %0 = vector.shape_cast %a : vector<2xf32> to vector<1x2xf32>
  %1 = vector.broadcast %0 : vector<1x2xf32> to vector<32x2xf32>
  %2 = vector.broadcast %f : f32 to vector<12xf32>
  %3 = vector.shape_cast %2 : vector<12xf32> to vector<3x4x1xf32>
  %4 = vector.broadcast %a : vector<2xf32> to vector<1x2xf32>
  %5 = vector.shape_cast %4 : vector<1x2xf32> to vector<1x2x1xf32>
  %6 = vector.broadcast %f : f32 to vector<3x4xf32>
  %7 = vector.transpose %6, [1, 0] : vector<3x4xf32> to vector<4x3xf32>
  %8 = vector.shape_cast %5 : vector<1x2x1xf32> to vector<2xf32>
  return %1, %3, %5, %7, %8 : vector<32x2xf32>, vector<3x4x1xf32>, vector<1x2x1xf32>, vector<4x3xf32>, vector<2xf32>
}

// -----

// A shape cast between broadcasts of another order of elements stays.
// CHECK: func.func @shapes_not(%a: vector<2x1xf32>) -> vector<2x2x2xf32> {
// CHECK-NEXT:     [[B:%.*]] = vector.broadcast %a : vector<2x1xf32> to vector<2x4xf32>
// CHECK-NEXT:     [[C:%.*]] = vector.shape_cast [[B]] : vector<2x4xf32> to vector<2x2x2xf32>
// CHECK-NEXT:     return [[C]] : vector<2x2x2xf32>
func.func @shapes_not(%a: vector<2x1xf32>) -> vector<2x2x2xf32> {
  %b = vector.broadcast %a : vector<2x1xf32> to vector<2x4xf32>
  %c = vector.shape_cast %b : vector<2x4xf32> to vector<2x2x2xf32>
  return %c : vector<2x2x2xf32>
}

// -----

// CHECK: func.func @constants() -> (vector<2xi32>, vector<3xi32>, vector<2x2xi8>, vector<4xi32>, vector<2x3xi32>) {
// CHECK-DAG:     [[A:%.*]] = arith.constant dense<[4, 5]> : vector<2xi32>
// CHECK-DAG:     [[B:%.*]] = arith.constant dense<[1, 9, 3]> : vector<3xi32>
// CHECK-DAG:     [[C:%.*]] = arith.constant dense<{{\[}}[1, 3], [2, 4]]> : vector<2x2xi8>
// CHECK-DAG:     [[D:%.*]] = arith.constant dense<[3, 1, 1, 6]> : vector<4xi32>
// CHECK-DAG:     [[E:%.*]] = arith.constant dense<{{\[}}[1, 2, 3], [4, 9, 9]]> : vector<2x3xi32>
// CHECK:         return [[A]], [[B]], {{%.*}}, [[D]], [[E]] :
func.func @constants() -> (vector<2xi32>, vector<3xi32>, vector<2x2xi8>, vector<4xi32>, vector<2x3xi32>) {
  %c = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : vector<2x3xi32>
  %n = arith.constant 9 : i32
  %nine = arith.constant dense<9> : vector<2xi32>
  %a = vector.extract_strided_slice %c {offsets = [1, 0], sizes = [1, 2], strides = [1, 1]} : vector<2x3xi32> to vector<1x2xi32>
  %a1 = vector.extract %a[0] : vector<2xi32> from vector<1x2xi32>
  %r = vector.extract %c[0] : vector<3xi32> from vector<2x3xi32>
  %b = vector.insert %n, %r [1] : i32 into vector<3xi32>
  %x1 = arith.constant 1 : i8
  %x2 = arith.constant 2 : i8
  %x3 = arith.constant 3 : i8
  %x4 = arith.constant 4 : i8
  %e = vector.from_elements %x1, %x3, %x2, %x4 : vector<2x2xi8>
  %s = vector.extract %c[1] : vector<3xi32> from vector<2x3xi32>
  %d = vector.shuffle %r, %s [2, -1, 0, 5] : vector<3xi32>, vector<3xi32>
  %i = vector.insert_strided_slice %nine, %c {offsets = [1, 1], strides = [1]} : vector<2xi32> into vector<2x3xi32>
  return %a1, %b, %e, %d, %i : vector<2xi32>, vector<3xi32>, vector<2x2xi8>, vector<4xi32>, vector<2x3xi32>
}

// -----

// CHECK: func.func @elements(%a: f32, %b: f32, %x: vector<2xf32>) -> (vector<2xf32>, vector<2xf32>, f32, vector<4xf32>, vector<2xf32>) {
// CHECK-NEXT:     [[A:%.*]] = vector.from_elements %a, %b : vector<2xf32>
// CHECK-NEXT:     [[B:%.*]] = vector.broadcast %a : f32 to vector<2xf32>
// CHECK-NEXT:     [[C:%.*]] = vector.interleave %x, [[A]] : vector<2xf32> -> vector<4xf32>
// CHECK-NEXT:     return [[A]], [[B]], %b, [[C]], %x :
func.func @elements(%a: f32, %b: f32, %x: vector<2xf32>) -> (vector<2xf32>, vector<2xf32>, f32, vector<4xf32>, vector<2xf32>) {
  %0 = vector.insert %a, %x [0] : f32 into vector<2xf32>
  %1 = vector.insert %b, %0 [1] : f32 into vector<2xf32>
  %2 = vector.from_elements %a, %a : vector<2xf32>
  %3:2 = vector.to_elements %1 : vector<2xf32>
  %4 = vector.shuffle %x, %1 [0, 2, 1, 3] : vector<2xf32>, vector<2xf32>
  %5, %6 = vector.deinterleave %4 : vector<4xf32> -> vector<2xf32>
  return %1, %2, %3#1, %4, %5 : vector<2xf32>, vector<2xf32>, f32, vector<4xf32>, vector<2xf32>
}

// -----

// CHECK: func.func @poison(%v: vector<4xf32>) -> (vector<4x2xf32>, f32, vector<4xf32>) {
// CHECK-DAG:     [[A:%.*]] = ub.poison : vector<4x2xf32>
// CHECK-DAG:     [[B:%.*]] = ub.poison : f32
// CHECK-DAG:     [[C:%.*]] = ub.poison : vector<4xf32>
// CHECK:         return [[A]], [[B]], [[C]] :
func.func @poison(%v: vector<4xf32>) -> (vector<4x2xf32>, f32, vector<4xf32>) {
  %p = ub.poison : vector<2x4xf32>
  %minus = arith.constant -1 : index
  %a = vector.transpose %p, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
  %b = vector.extract %v[%minus] : f32 from vector<4xf32>
  %c = vector.shuffle %v, %v [-1, -1, -1, -1] : vector<4xf32>, vector<4xf32>
  return %a, %b, %c : vector<4x2xf32>, f32, vector<4xf32>
}

// -----

// CHECK: func.func @slices(%a: vector<4x4xf32>, %b: vector<8x16xf32>) -> (vector<2x4xf32>, vector<2x2xf32>, vector<8x16xf32>, vector<16xf32>) {
// CHECK-NEXT:     [[A:%.*]] = vector.extract_strided_slice %a {offsets = [1, 0], sizes = [2, 4], strides = [1, 1]} : vector<4x4xf32> to vector<2x4xf32>
// CHECK-NEXT:     [[B:%.*]] = vector.extract_strided_slice %b {offsets = [3, 5], sizes = [2, 2], strides = [1, 1]} : vector<8x16xf32> to vector<2x2xf32>
// CHECK-NEXT:     [[C:%.*]] = vector.extract %b[3] : vector<16xf32> from vector<8x16xf32>
// CHECK-NEXT:     return [[A]], [[B]], %b, [[C]] :
func.func @slices(%a: vector<4x4xf32>, %b: vector<8x16xf32>) -> (vector<2x4xf32>, vector<2x2xf32>, vector<8x16xf32>, vector<16xf32>) {
  %0 = vector.insert_strided_slice %a, %b {offsets = [2, 2], strides = [1, 1]} : vector<4x4xf32> into vector<8x16xf32>
  %1 = vector.extract_strided_slice %0 {offsets = [3, 2], sizes = [2, 4], strides = [1, 1]} : vector<8x16xf32> to vector<2x4xf32>
  %2 = vector.extract_strided_slice %b {offsets = [2], sizes = [4], strides = [1]} : vector<8x16xf32> to vector<4x16xf32>
  %3 = vector.extract_strided_slice %2 {offsets = [1, 5], sizes = [2, 2], strides = [1, 1]} : vector<4x16xf32> to vector<2x2xf32>
  %4 = vector.extract_strided_slice %b {offsets = [0, 8], sizes = [2, 4], strides = [1, 1]} : vector<8x16xf32> to vector<2x4xf32>
  %5 = vector.insert_strided_slice %4, %b {offsets = [0, 8], strides = [1, 1]} : vector<2x4xf32> into vector<8x16xf32>
  %6 = vector.extract_strided_slice %b {offsets = [3], sizes = [1], strides = [1]} : vector<8x16xf32> to vector<1x16xf32>
  %7 = vector.shape_cast %6 : vector<1x16xf32> to vector<16xf32>
  return %1, %3, %5, %7 : vector<2x4xf32>, vector<2x2xf32>, vector<8x16xf32>, vector<16xf32>
}

// -----

// CHECK: func.func @bits() -> (vector<2xi32>, vector<2xf32>) {
// CHECK-DAG:     [[A:%.*]] = arith.constant dense<-1600085856> : vector<2xi32>
// CHECK-DAG:     [[B:%.*]] = arith.constant dense<2.00390625> : vector<2xf32>
// CHECK:         return [[A]], [[B]] :
func.func @bits() -> (vector<2xi32>, vector<2xf32>) {
  %a = arith.constant dense<160> : vector<8xi8>
  %b = arith.constant dense<2.0> : vector<4xf16>
  %c = vector.bitcast %a : vector<8xi8> to vector<2xi32>
  %d = vector.bitcast %b : vector<4xf16> to vector<2xf32>
  return %c, %d : vector<2xi32>, vector<2xf32>
}

// -----

// CHECK: func.func @parts(%a: f32, %b: f32, %v: vector<2x3x4xi8>) -> (vector<2xf32>, vector<2x2xi8>) {
// CHECK-NEXT:     [[A:%.*]] = vector.from_elements %b, %a : vector<2xf32>
// CHECK-NEXT:     [[E:%.*]] = vector.extract %v[1, 2] : vector<4xi8> from vector<2x3x4xi8>
// CHECK-NEXT:     [[S:%.*]] = vector.shape_cast [[E]] : vector<4xi8> to vector<2x2xi8>
// CHECK-NEXT:     return [[A]], [[S]] :
func.func @parts(%a: f32, %b: f32, %v: vector<2x3x4xi8>) -> (vector<2xf32>, vector<2x2xi8>) {
  %0 = vector.from_elements %a, %b, %b, %a : vector<2x2xf32>
  %1 = vector.extract %0[1] : vector<2xf32> from vector<2x2xf32>
  %e0 = vector.extract %v[1, 2, 0] : i8 from vector<2x3x4xi8>
  %e1 = vector.extract %v[1, 2, 1] : i8 from vector<2x3x4xi8>
  %e2 = vector.extract %v[1, 2, 2] : i8 from vector<2x3x4xi8>
  %e3 = vector.extract %v[1, 2, 3] : i8 from vector<2x3x4xi8>
  %2 = vector.from_elements %e0, %e1, %e2, %e3 : vector<2x2xi8>
  return %1, %2 : vector<2xf32>, vector<2x2xi8>
}

// -----

// Moving an extent of 1 moves no element, unless it is scalable.
// CHECK: func.func @order(%v: vector<2x3x1xi8>, %w: vector<[1]x4x1xi8>) -> (vector<1x6xi8>, vector<6xi8>, vector<4x[1]xi8>) {
// CHECK-NEXT:     [[A:%.*]] = vector.shape_cast %v : vector<2x3x1xi8> to vector<1x6xi8>
// CHECK-NEXT:     [[B:%.*]] = vector.shape_cast %v : vector<2x3x1xi8> to vector<6xi8>
// CHECK-NEXT:     [[C:%.*]] = vector.shape_cast %w : vector<[1]x4x1xi8> to vector<[1]x4xi8>
// CHECK-NEXT:     [[D:%.*]] = vector.transpose [[C]], [1, 0] : vector<[1]x4xi8> to vector<4x[1]xi8>
// CHECK-NEXT:     return [[A]], [[B]], [[D]] :
func.func @order(%v: vector<2x3x1xi8>, %w: vector<[1]x4x1xi8>) -> (vector<1x6xi8>, vector<6xi8>, vector<4x[1]xi8>) {
  %0 = vector.shape_cast %v : vector<2x3x1xi8> to vector<6x1xi8>
  %1 = vector.transpose %0, [1, 0] : vector<6x1xi8> to vector<1x6xi8>
  %2 = vector.transpose %v, [2, 0, 1] : vector<2x3x1xi8> to vector<1x2x3xi8>
  %3 = vector.shape_cast %2 : vector<1x2x3xi8> to vector<6xi8>
  %4 = vector.shape_cast %w : vector<[1]x4x1xi8> to vector<[1]x4xi8>
  %5 = vector.transpose %4, [1, 0] : vector<[1]x4xi8> to vector<4x[1]xi8>
  return %1, %3, %5 : vector<1x6xi8>, vector<6xi8>, vector<4x[1]xi8>
}

// -----

// CHECK: func.func @steps() -> (vector<4xi1>, vector<4xi1>, vector<4xi1>) {
// CHECK-DAG:     [[T:%.*]] = arith.constant dense<true> : vector<4xi1>
// CHECK-DAG:     [[F:%.*]] = arith.constant dense<false> : vector<4xi1>
// CHECK:         [[C:%.*]] = arith.cmpi
// CHECK-NEXT:    return [[T]], [[F]], [[C]] :
func.func @steps() -> (vector<4xi1>, vector<4xi1>, vector<4xi1>) {
  %s = vector.step : vector<4xindex>
  %four = arith.constant dense<4> : vector<4xindex>
  %three = arith.constant dense<3> : vector<4xindex>
  %0 = arith.cmpi ult, %s, %four : vector<4xindex>
  %1 = arith.cmpi ugt, %s, %three : vector<4xindex>
  %2 = arith.cmpi ult, %s, %three : vector<4xindex>
  return %0, %1, %2 : vector<4xi1>, vector<4xi1>, vector<4xi1>
}
