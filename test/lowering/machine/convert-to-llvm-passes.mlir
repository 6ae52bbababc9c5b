// RUN: mlopt %s --convert-arith-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts --split-input-file | filecheck %s

// An index is an integer on both sides of a branch; no cast is left.

// CHECK-LABEL: llvm.func @loop(%n: i64) -> i64 {
// CHECK-NEXT:    %zero = llvm.mlir.constant(0 : index) : i64
// CHECK-NEXT:    %one = llvm.mlir.constant(1 : index) : i64
// CHECK-NEXT:    llvm.br ^head(%zero : i64)
// CHECK-NEXT:  ^head(%i: i64)
// CHECK-NEXT:    %less = llvm.icmp "slt" %i, %n : i64
// CHECK-NEXT:    llvm.cond_br %less, ^body, ^end
// CHECK-NEXT:  ^body
// CHECK-NEXT:    %next = llvm.add %i, %one : i64
// CHECK-NEXT:    llvm.br ^head(%next : i64)
// CHECK-NEXT:  ^end
// CHECK-NEXT:    llvm.return %i : i64
func.func @loop(%n: index) -> index {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  cf.br ^head(%zero : index)
^head(%i: index):
  %less = arith.cmpi slt, %i, %n : index
  cf.cond_br %less, ^body, ^end
^body:
  %next = arith.addi %i, %one : index
  cf.br ^head(%next : index)
^end:
  return %i : index
}

// -----

// A buffer is passed as the parts of its descriptor, two results as a struct.

// CHECK-LABEL: llvm.func @buffer(%arg0: !llvm.ptr, %arg1: !llvm.ptr, %arg2: i64, %arg3: i64, %arg4: i64, %x: f32)
// CHECK-SAME:    -> !llvm.struct<(struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, f32)> {
// CHECK-NEXT:    %0 = llvm.mlir.poison : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
// CHECK-NEXT:    %1 = llvm.insertvalue %arg0, %0[0]
// CHECK-NEXT:    %2 = llvm.insertvalue %arg1, %1[1]
// CHECK-NEXT:    %3 = llvm.insertvalue %arg2, %2[2]
// CHECK-NEXT:    %4 = llvm.insertvalue %arg3, %3[3, 0]
// CHECK-NEXT:    %5 = llvm.insertvalue %arg4, %4[4, 0]
// CHECK-NEXT:    %6 = llvm.mlir.poison : !llvm.struct<(struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, f32)>
// CHECK-NEXT:    %7 = llvm.insertvalue %5, %6[0]
// CHECK-NEXT:    %8 = llvm.insertvalue %x, %7[1]
// CHECK-NEXT:    llvm.return %8
func.func @buffer(%m: memref<?xf32>, %x: f32) -> (memref<?xf32>, f32) {
  return %m, %x : memref<?xf32>, f32
}

// -----

// A vector of two dimensions is an array of rows.

// CHECK-LABEL: llvm.func @rows(%v: !llvm.array<2 x vector<4xf32>>)
// CHECK-NEXT:    %0 = llvm.mlir.poison : !llvm.array<2 x vector<4xf32>>
// CHECK-NEXT:    %1 = llvm.extractvalue %v[0] : !llvm.array<2 x vector<4xf32>>
// CHECK-NEXT:    %2 = llvm.extractvalue %v[0] : !llvm.array<2 x vector<4xf32>>
// CHECK-NEXT:    %3 = llvm.fmul %1, %2 : vector<4xf32>
// CHECK-NEXT:    %4 = llvm.insertvalue %3, %0[0] : !llvm.array<2 x vector<4xf32>>
func.func @rows(%v: vector<2x4xf32>) -> vector<2x4xf32> {
  %w = arith.mulf %v, %v : vector<2x4xf32>
  return %w : vector<2x4xf32>
}
