// RUN: mlopt %s --convert-vector-to-llvm --split-input-file | filecheck %s

// Positions inside of an array of rows are constants, the lane is a value.

// CHECK-LABEL: func.func @element(%v: vector<2x4xf32>, %i: index) -> f32 {
// CHECK-NEXT:    %0 = builtin.unrealized_conversion_cast %v : vector<2x4xf32> to !llvm.array<2 x vector<4xf32>>
// CHECK-NEXT:    %1 = builtin.unrealized_conversion_cast %i : index to i64
// CHECK-NEXT:    %2 = llvm.extractvalue %0[1] : !llvm.array<2 x vector<4xf32>>
// CHECK-NEXT:    %e = llvm.extractelement %2[%1 : i64] : vector<4xf32>
// CHECK-NEXT:    return %e : f32
func.func @element(%v: vector<2x4xf32>, %i: index) -> f32 {
  %e = vector.extract %v[1, %i] : f32 from vector<2x4xf32>
  return %e : f32
}

// -----

// A row that is chosen when the program runs stays: an array cannot be indexed by a value.

// CHECK-LABEL: func.func @row
// CHECK-NEXT:    %r = vector.extract %v[%i] : vector<4xf32> from vector<2x4xf32>
func.func @row(%v: vector<2x4xf32>, %i: index) -> vector<4xf32> {
  %r = vector.extract %v[%i] : vector<4xf32> from vector<2x4xf32>
  return %r : vector<4xf32>
}

// -----

// CHECK-LABEL: func.func @splat(%s: f32) -> vector<4xf32> {
// CHECK-NEXT:    %0 = llvm.mlir.poison : vector<4xf32>
// CHECK-NEXT:    %1 = llvm.mlir.constant(0 : i32) : i32
// CHECK-NEXT:    %2 = llvm.insertelement %s, %0[%1 : i32] : vector<4xf32>
// CHECK-NEXT:    %v = llvm.shufflevector %2, %0 [0, 0, 0, 0] : vector<4xf32>
// CHECK-NEXT:    return %v : vector<4xf32>
func.func @splat(%s: f32) -> vector<4xf32> {
  %v = vector.broadcast %s : f32 to vector<4xf32>
  return %v : vector<4xf32>
}

// -----

// What may lie outside of the buffer is masked.

// CHECK-LABEL: func.func @masked(%m: memref<?xf32>, %i: index) -> vector<4xf32> {
// CHECK:         %[[LANES:.*]] = arith.constant dense<[0, 1, 2, 3]> : vector<4xi32>
// CHECK:         %[[DIM:.*]] = memref.dim %m, %{{.*}} : memref<?xf32>
// CHECK-NEXT:    %[[REST:.*]] = arith.subi %[[DIM]], %i : index
// CHECK-NEXT:    %[[LEAST:.*]] = arith.minsi %[[REST]], %{{.*}} : index
// CHECK-NEXT:    %[[BOUND:.*]] = arith.index_cast %[[LEAST]] : index to i32
// CHECK:         %[[BOUNDS:.*]] = llvm.shufflevector %{{.*}} [0, 0, 0, 0] : vector<4xi32>
// CHECK-NEXT:    %[[MASK:.*]] = arith.cmpi sgt, %[[BOUNDS]], %[[LANES]] : vector<4xi32>
// CHECK:         llvm.intr.masked.load %{{.*}}, %[[MASK]], %{{.*}} {alignment = 4 : i32} : (!llvm.ptr, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
func.func @masked(%m: memref<?xf32>, %i: index) -> vector<4xf32> {
  %pad = arith.constant 7.0 : f32
  %v = vector.transfer_read %m[%i], %pad : memref<?xf32>, vector<4xf32>
  return %v : vector<4xf32>
}

// -----

// CHECK-LABEL: func.func @sums(%v: vector<8xf32>, %n: vector<8xi32>, %a: f32, %b: i32, %k: vector<8xi1>) -> (f32, i32, f32) {
// CHECK-NEXT:    %s = "llvm.intr.vector.reduce.fadd"(%a, %v) <{fastmathFlags = #llvm.fastmath<none>}> : (f32, vector<8xf32>) -> f32
// CHECK-NEXT:    %0 = "llvm.intr.vector.reduce.smax"(%n) : (vector<8xi32>) -> i32
// CHECK-NEXT:    %1 = llvm.icmp "sge" %b, %0 : i32
// CHECK-NEXT:    %t = llvm.select %1, %b, %0 : i1, i32
// CHECK-NEXT:    %2 = llvm.mlir.constant(1.000000e+00 : f32) : f32
// CHECK-NEXT:    %3 = llvm.mlir.constant(8 : i32) : i32
// CHECK-NEXT:    %u = "llvm.intr.vp.reduce.fmul"(%2, %v, %k, %3) : (f32, vector<8xf32>, vector<8xi1>, i32) -> f32
func.func @sums(%v: vector<8xf32>, %n: vector<8xi32>, %a: f32, %b: i32, %k: vector<8xi1>) -> (f32, i32, f32) {
  %s = vector.reduction <add>, %v, %a : vector<8xf32> into f32
  %t = vector.reduction <maxsi>, %n, %b : vector<8xi32> into i32
  %u = vector.mask %k { vector.reduction <mul>, %v : vector<8xf32> into f32 } : vector<8xi1> -> f32
  return %s, %t, %u : f32, i32, f32
}

// -----

// CHECK-LABEL: func.func @chosen(%m: memref<8x8xf32>, %i: index, %at: vector<4xi32>, %k: vector<4xi1>, %p: vector<4xf32>) -> vector<4xf32> {
// CHECK:         %[[PLACES:.*]] = llvm.getelementptr %{{.*}}[%at] : (!llvm.ptr, vector<4xi32>) -> vector<4x!llvm.ptr>, f32
// CHECK-NEXT:    %v = llvm.intr.masked.gather %[[PLACES]], %k, %p {alignment = 4 : i32}
func.func @chosen(%m: memref<8x8xf32>, %i: index, %at: vector<4xi32>, %k: vector<4xi1>, %p: vector<4xf32>) -> vector<4xf32> {
  %v = vector.gather %m[%i, %i][%at], %k, %p : memref<8x8xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  return %v : vector<4xf32>
}

// -----

// A buffer whose rows have gaps between elements has no vectors.

// CHECK-LABEL: func.func @gaps
// CHECK:         vector.gather
func.func @gaps(%m: memref<8xf32, strided<[2]>>, %i: index, %at: vector<4xi32>, %k: vector<4xi1>, %p: vector<4xf32>) -> vector<4xf32> {
  %v = vector.gather %m[%i][%at], %k, %p : memref<8xf32, strided<[2]>>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  return %v : vector<4xf32>
}
