// RUN: mlopt %s --convert-kernels-to-llvm="vector-bytes=64 cpu=skylake-avx512 features=+avx512f" --split-input-file | filecheck %s

// The pieces of a row go through memory in order; a maximum with a constant is one comparison and one choice.
// CHECK-LABEL: llvm.func @row(%a0: !llvm.ptr {llvm.noalias, llvm.readonly}, %a1: !llvm.ptr {llvm.noalias}, %a2: i64)
// CHECK-NEXT:    %0 = llvm.mlir.constant(dense<0.000000e+00> : vector<16xf32>) : vector<16xf32>
// CHECK-NEXT:    %v0 = llvm.getelementptr %a0[%a2] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    %v1 = llvm.load %v0 {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK-NEXT:    %v2 = llvm.fcmp "ogt" %0, %v1 : vector<16xf32>
// CHECK-NEXT:    %v3 = llvm.select %v2, %0, %v1 : vector<16xi1>, vector<16xf32>
// CHECK-NEXT:    %v4 = llvm.getelementptr %a1[%a2] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    llvm.store %v3, %v4 {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK-NEXT:    %v5 = llvm.getelementptr %v0[16] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT:    %v6 = llvm.load %v5 {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK-NEXT:    %v7 = llvm.fcmp "ogt" %0, %v6 : vector<16xf32>
// CHECK-NEXT:    %v8 = llvm.select %v7, %0, %v6 : vector<16xi1>, vector<16xf32>
// CHECK-NEXT:    %v9 = llvm.getelementptr %v4[16] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT:    llvm.store %v8, %v9 {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK-NEXT:    llvm.return
func.func @row(%x: memref<?xf32>, %y: memref<?xf32>, %i: index) {
  %zero = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : vector<32xf32>
  %v = vector.transfer_read %x[%i], %zero {in_bounds = [true]} : memref<?xf32>, vector<32xf32>
  %r = arith.maximumf %v, %zeros : vector<32xf32>
  vector.transfer_write %r, %y[%i] {in_bounds = [true]} : vector<32xf32>, memref<?xf32>
  func.return
}

// -----

// Accumulation in a loop: the row pointer is made before the loop, one scalar is repeated for a whole row, the tile goes around as pieces.
// CHECK-LABEL: llvm.func @accumulate(%a0: !llvm.ptr {llvm.noalias, llvm.readonly}, %a1: i64, %a2: !llvm.ptr {llvm.noalias, llvm.readonly}, %a3: !llvm.ptr {llvm.noalias}, %a4: i64)
// CHECK-NEXT:    %0 = llvm.mlir.constant(1 : i64) : i64
// CHECK-NEXT:    %1 = llvm.mlir.constant(5 : i64) : i64
// CHECK-NEXT:    %2 = llvm.mlir.poison : vector<16xf32>
// CHECK-NEXT:    %3 = llvm.mlir.constant(dense<0.000000e+00> : vector<16xf32>) : vector<16xf32>
// CHECK-NEXT:    %4 = llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT:    llvm.br ^bb1(%4, %3, %3, %3, %3 : i64, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-NEXT:    ^bb1(%v0: i64, %v1: vector<16xf32>, %v2: vector<16xf32>, %v3: vector<16xf32>, %v4: vector<16xf32>):
// CHECK-NEXT:    %v5 = llvm.icmp "slt" %v0, %a4 : i64
// CHECK-NEXT:    llvm.cond_br %v5, ^bb2, ^bb3
// CHECK-NEXT:    ^bb2:
// CHECK-NEXT:    %v6 = llvm.getelementptr %a0[%v0] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    %v7 = llvm.load %v6 {alignment = 4 : i64} : !llvm.ptr -> f32
// CHECK-NEXT:    %v8 = llvm.insertelement %v7, %2[%4 : i64] : vector<16xf32>
// CHECK-NEXT:    %v9 = llvm.shufflevector %v8, %2 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] : vector<16xf32>
// CHECK-NEXT:    %v10 = llvm.shl %v0, %1 : i64
// CHECK-NEXT:    %v11 = llvm.getelementptr %a2[%v10] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    %v12 = llvm.load %v11 {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK-NEXT:    %v13 = llvm.intr.fma(%v9, %v12, %v1) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
// CHECK-NEXT:    %v14 = llvm.getelementptr %v11[16] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT:    %v15 = llvm.load %v14 {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK-NEXT:    %v16 = llvm.intr.fma(%v9, %v15, %v2) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
// CHECK-NEXT:    %v17 = llvm.getelementptr %v6[%a1] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    %v18 = llvm.load %v17 {alignment = 4 : i64} : !llvm.ptr -> f32
// CHECK-NEXT:    %v19 = llvm.insertelement %v18, %2[%4 : i64] : vector<16xf32>
// CHECK-NEXT:    %v20 = llvm.shufflevector %v19, %2 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] : vector<16xf32>
// CHECK-NEXT:    %v21 = llvm.intr.fma(%v20, %v12, %v3) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
// CHECK-NEXT:    %v22 = llvm.intr.fma(%v20, %v15, %v4) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
// CHECK-NEXT:    %v23 = llvm.add %v0, %0 : i64
// CHECK-NEXT:    llvm.br ^bb1(%v23, %v13, %v16, %v21, %v22 : i64, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-NEXT:    ^bb3:
// CHECK-NEXT:    llvm.store %v1, %a3 {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK-NEXT:    %v24 = llvm.getelementptr %a3[16] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT:    llvm.store %v2, %v24 {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK-NEXT:    %v25 = llvm.getelementptr %a3[32] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT:    llvm.store %v3, %v25 {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK-NEXT:    %v26 = llvm.getelementptr %a3[48] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT:    llvm.store %v4, %v26 {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK-NEXT:    llvm.return
func.func @accumulate(%a: memref<?x?xf32, strided<[?, 1]>>, %b: memref<?x32xf32>, %c: memref<2x32xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %init = arith.constant dense<0.0> : vector<2x32xf32>
  %r = scf.for %i = %c0 to %k step %c1 iter_args(%acc = %init) -> (vector<2x32xf32>) {
    %av = vector.transfer_read %a[%c0, %i], %zero {in_bounds = [true, true]} : memref<?x?xf32, strided<[?, 1]>>, vector<2x1xf32>
    %bv = vector.transfer_read %b[%i, %c0], %zero {in_bounds = [true]} : memref<?x32xf32>, vector<32xf32>
    %ab = vector.broadcast %av : vector<2x1xf32> to vector<2x32xf32>
    %bb = vector.broadcast %bv : vector<32xf32> to vector<2x32xf32>
    %s = vector.fma %ab, %bb, %acc : vector<2x32xf32>
    scf.yield %s : vector<2x32xf32>
  }
  vector.transfer_write %r, %c[%c0, %c0] {in_bounds = [true, true]} : vector<2x32xf32>, memref<2x32xf32>
  func.return
}

// -----

// A mask by a bound is a comparison of lane numbers, shared by all reads and writes of that bound.
// CHECK-LABEL: llvm.func @masked(%a0: !llvm.ptr {llvm.noalias}, %a1: i64)
// CHECK-NEXT:    %0 = llvm.mlir.constant(dense<0.000000e+00> : vector<16xf32>) : vector<16xf32>
// CHECK-NEXT:    %1 = llvm.mlir.constant(dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : vector<16xi32>) : vector<16xi32>
// CHECK-NEXT:    %2 = llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT:    %3 = llvm.mlir.poison : vector<16xi32>
// CHECK-NEXT:    %4 = llvm.mlir.constant(16 : i64) : i64
// CHECK-NEXT:    %v0 = llvm.intr.smin(%a1, %4) : (i64, i64) -> i64
// CHECK-NEXT:    %v1 = llvm.trunc %v0 : i64 to i32
// CHECK-NEXT:    %v2 = llvm.insertelement %v1, %3[%2 : i64] : vector<16xi32>
// CHECK-NEXT:    %v3 = llvm.shufflevector %v2, %3 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] : vector<16xi32>
// CHECK-NEXT:    %v4 = llvm.icmp "slt" %1, %v3 : vector<16xi32>
// CHECK-NEXT:    %v5 = llvm.intr.masked.load %a0, %v4, %0 {alignment = 4 : i32} : (!llvm.ptr, vector<16xi1>, vector<16xf32>) -> vector<16xf32>
// CHECK-NEXT:    %v6 = llvm.fneg %v5 : vector<16xf32>
// CHECK-NEXT:    llvm.intr.masked.store %v6, %a0, %v4 {alignment = 4 : i32} : vector<16xf32>, vector<16xi1> into !llvm.ptr
// CHECK-NEXT:    llvm.return
func.func @masked(%x: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = vector.create_mask %n : vector<16xi1>
  %v = vector.transfer_read %x[%c0], %zero, %m {in_bounds = [true]} : memref<?xf32>, vector<16xf32>
  %w = arith.negf %v : vector<16xf32>
  vector.transfer_write %w, %x[%c0], %m {in_bounds = [true]} : vector<16xf32>, memref<?xf32>
  func.return
}

// -----

// bf16 is computed in f32, by integer operations on its bits. Index arithmetic ends up in the address.
// CHECK-LABEL: llvm.func @narrow(%a0: !llvm.ptr {llvm.noalias}, %a1: i64)
// CHECK-NEXT:    %0 = llvm.mlir.constant(64 : i32) : i32
// CHECK-NEXT:    %1 = llvm.mlir.constant(32767 : i32) : i32
// CHECK-NEXT:    %2 = llvm.mlir.constant(1 : i32) : i32
// CHECK-NEXT:    %3 = llvm.mlir.constant(16 : i32) : i32
// CHECK-NEXT:    %4 = llvm.mlir.constant(-0.000000e+00 : f32) : f32
// CHECK-NEXT:    %5 = llvm.mlir.constant(dense<16> : vector<16xi32>) : vector<16xi32>
// CHECK-NEXT:    %v0 = llvm.getelementptr %a0[%a1] : (!llvm.ptr, i64) -> !llvm.ptr, i16
// CHECK-NEXT:    %v1 = llvm.getelementptr %v0[3] : (!llvm.ptr) -> !llvm.ptr, i16
// CHECK-NEXT:    %v2 = llvm.load %v1 {alignment = 2 : i64} : !llvm.ptr -> vector<16xi16>
// CHECK-NEXT:    %v3 = llvm.zext %v2 : vector<16xi16> to vector<16xi32>
// CHECK-NEXT:    %v4 = llvm.shl %v3, %5 : vector<16xi32>
// CHECK-NEXT:    %v5 = llvm.bitcast %v4 : vector<16xi32> to vector<16xf32>
// CHECK-NEXT:    %v6 = "llvm.intr.vector.reduce.fadd"(%4, %v5) <{fastmathFlags = #llvm.fastmath<reassoc>}> : (f32, vector<16xf32>) -> f32
// CHECK-NEXT:    %v7 = llvm.bitcast %v6 : f32 to i32
// CHECK-NEXT:    %v8 = llvm.lshr %v7, %3 : i32
// CHECK-NEXT:    %v9 = llvm.and %v8, %2 : i32
// CHECK-NEXT:    %v10 = llvm.add %v7, %v9 : i32
// CHECK-NEXT:    %v11 = llvm.add %v10, %1 : i32
// CHECK-NEXT:    %v12 = llvm.lshr %v11, %3 : i32
// CHECK-NEXT:    %v13 = llvm.or %v8, %0 : i32
// CHECK-NEXT:    %v14 = llvm.fcmp "uno" %v6, %v6 : f32
// CHECK-NEXT:    %v15 = llvm.select %v14, %v13, %v12 : i1, i32
// CHECK-NEXT:    %v16 = llvm.trunc %v15 : i32 to i16
// CHECK-NEXT:    llvm.store %v16, %v1 {alignment = 2 : i64} : i16, !llvm.ptr
// CHECK-NEXT:    llvm.return
func.func @narrow(%x: memref<?xbf16>, %i: index) {
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : bf16
  %j = arith.addi %i, %c3 : index
  %v = vector.transfer_read %x[%j], %zero {in_bounds = [true]} : memref<?xbf16>, vector<16xbf16>
  %w = arith.extf %v : vector<16xbf16> to vector<16xf32>
  %s = vector.reduction <add>, %w : vector<16xf32> into f32
  %t = arith.truncf %s : f32 to bf16
  memref.store %t, %x[%j] : memref<?xbf16>
  func.return
}

// -----

// A parallel loop is a task: what it uses goes through a record.
// CHECK-LABEL: llvm.func @fill(%a0: !llvm.ptr {llvm.noalias}, %a1: i64, %a2: i64)
// CHECK-NEXT:    %0 = llvm.mlir.addressof @fill_task : !llvm.ptr
// CHECK-NEXT:    %1 = llvm.mlir.constant(1 : i64) : i64
// CHECK-NEXT:    %2 = llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT:    %3 = llvm.mlir.constant(2 : i64) : i64
// CHECK-NEXT:    %4 = llvm.mlir.constant(3 : i64) : i64
// CHECK-NEXT:    %v3 = llvm.alloca %1 x i64 {alignment = 64 : i64} : (i64) -> !llvm.ptr
// CHECK-NEXT:    %v0 = llvm.add %a1, %4 : i64
// CHECK-NEXT:    %v1 = llvm.ashr %v0, %3 : i64
// CHECK-NEXT:    %v2 = llvm.intr.smax(%v1, %2) : (i64, i64) -> i64
// CHECK-NEXT:    llvm.store %a0, %v3 {alignment = 8 : i64} : !llvm.ptr, !llvm.ptr
// CHECK-NEXT:    llvm.call @stepwell_parallel_for(%0, %v3, %v2, %a2) : (!llvm.ptr, !llvm.ptr, i64, i64) -> ()
// CHECK-NEXT:    llvm.return
// CHECK-LABEL: llvm.func internal @fill_task(%a0: !llvm.ptr {llvm.noalias, llvm.readonly}, %a1: i64, %a2: i64) 
// CHECK-NEXT:    %0 = llvm.mlir.constant(1 : i64) : i64
// CHECK-NEXT:    %1 = llvm.mlir.constant(2 : i64) : i64
// CHECK-NEXT:    %2 = llvm.mlir.constant(1.000000e+00 : f32) : f32
// CHECK-NEXT:    %v2 = llvm.load %a0 {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK-NEXT:    llvm.br ^bb1(%a1 : i64)
// CHECK-NEXT:    ^bb1(%v0: i64):
// CHECK-NEXT:    %v1 = llvm.icmp "slt" %v0, %a2 : i64
// CHECK-NEXT:    llvm.cond_br %v1, ^bb2, ^bb3
// CHECK-NEXT:    ^bb2:
// CHECK-NEXT:    %v3 = llvm.shl %v0, %1 : i64
// CHECK-NEXT:    %v4 = llvm.getelementptr %v2[%v3] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    llvm.store %2, %v4 {alignment = 4 : i64} : f32, !llvm.ptr
// CHECK-NEXT:    %v5 = llvm.add %v0, %0 : i64
// CHECK-NEXT:    llvm.br ^bb1(%v5 : i64)
// CHECK-NEXT:    ^bb3:
// CHECK-NEXT:    llvm.return
// CHECK-LABEL: llvm.func @stepwell_parallel_for(!llvm.ptr, !llvm.ptr, i64, i64)
func.func @fill(%x: memref<?xf32>, %n: index, %grain: index) attributes {grain = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c4) {
    memref.store %one, %x[%i] : memref<?xf32>
  }
  func.return
}
