// RUN: mlopt %s --convert-kernels-to-llvm="vector-bytes=32 cpu=haswell features=+avx2" | filecheck %s

// Without such an instruction, every fourth byte is widened and multiplied.
// CHECK-LABEL: llvm.func @dot(%a0: !llvm.ptr {llvm.noalias, llvm.readonly}, %a1: !llvm.ptr {llvm.noalias, llvm.readonly}, %a2: !llvm.ptr {llvm.noalias}) attributes {passthrough = ["nounwind", ["target-cpu", "haswell"], ["target-features", "+avx2"{{\]\]}}} {
// CHECK-NEXT:     %0 = llvm.mlir.poison : vector<32xi8>
// CHECK-NEXT:     %1 = llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT:     %2 = llvm.mlir.poison : vector<8xi32>
// CHECK-NEXT:     %v0 = llvm.load %a1 {alignment = 1 : i64} : !llvm.ptr -> vector<32xi8>
// CHECK-NEXT:     %v1 = llvm.load %a0 {alignment = 1 : i64} : !llvm.ptr -> vector<4xi8>
// CHECK-NEXT:     %v2 = llvm.bitcast %v1 : vector<4xi8> to i32
// CHECK-NEXT:     %v3 = llvm.insertelement %v2, %2[%1 : i64] : vector<8xi32>
// CHECK-NEXT:     %v4 = llvm.shufflevector %v3, %2 [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xi32>
// CHECK-NEXT:     %v5 = llvm.bitcast %v4 : vector<8xi32> to vector<32xi8>
// CHECK-NEXT:     %v6 = llvm.load %a2 {alignment = 4 : i64} : !llvm.ptr -> vector<8xi32>
// CHECK-NEXT:     %v7 = llvm.shufflevector %v5, %0 [0, 4, 8, 12, 16, 20, 24, 28] : vector<32xi8>
// CHECK-NEXT:     %v8 = llvm.shufflevector %v0, %0 [0, 4, 8, 12, 16, 20, 24, 28] : vector<32xi8>
// CHECK-NEXT:     %v9 = llvm.zext %v7 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v10 = llvm.sext %v8 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v11 = llvm.mul %v9, %v10 : vector<8xi32>
// CHECK-NEXT:     %v12 = llvm.add %v6, %v11 : vector<8xi32>
// CHECK-NEXT:     %v13 = llvm.shufflevector %v5, %0 [1, 5, 9, 13, 17, 21, 25, 29] : vector<32xi8>
// CHECK-NEXT:     %v14 = llvm.shufflevector %v0, %0 [1, 5, 9, 13, 17, 21, 25, 29] : vector<32xi8>
// CHECK-NEXT:     %v15 = llvm.zext %v13 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v16 = llvm.sext %v14 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v17 = llvm.mul %v15, %v16 : vector<8xi32>
// CHECK-NEXT:     %v18 = llvm.add %v12, %v17 : vector<8xi32>
// CHECK-NEXT:     %v19 = llvm.shufflevector %v5, %0 [2, 6, 10, 14, 18, 22, 26, 30] : vector<32xi8>
// CHECK-NEXT:     %v20 = llvm.shufflevector %v0, %0 [2, 6, 10, 14, 18, 22, 26, 30] : vector<32xi8>
// CHECK-NEXT:     %v21 = llvm.zext %v19 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v22 = llvm.sext %v20 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v23 = llvm.mul %v21, %v22 : vector<8xi32>
// CHECK-NEXT:     %v24 = llvm.add %v18, %v23 : vector<8xi32>
// CHECK-NEXT:     %v25 = llvm.shufflevector %v5, %0 [3, 7, 11, 15, 19, 23, 27, 31] : vector<32xi8>
// CHECK-NEXT:     %v26 = llvm.shufflevector %v0, %0 [3, 7, 11, 15, 19, 23, 27, 31] : vector<32xi8>
// CHECK-NEXT:     %v27 = llvm.zext %v25 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v28 = llvm.sext %v26 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v29 = llvm.mul %v27, %v28 : vector<8xi32>
// CHECK-NEXT:     %v30 = llvm.add %v24, %v29 : vector<8xi32>
// CHECK-NEXT:     %v31 = llvm.getelementptr %a0[4] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-NEXT:     %v32 = llvm.load %v31 {alignment = 1 : i64} : !llvm.ptr -> vector<4xi8>
// CHECK-NEXT:     %v33 = llvm.bitcast %v32 : vector<4xi8> to i32
// CHECK-NEXT:     %v34 = llvm.insertelement %v33, %2[%1 : i64] : vector<8xi32>
// CHECK-NEXT:     %v35 = llvm.shufflevector %v34, %2 [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xi32>
// CHECK-NEXT:     %v36 = llvm.bitcast %v35 : vector<8xi32> to vector<32xi8>
// CHECK-NEXT:     %v37 = llvm.getelementptr %a2[8] : (!llvm.ptr) -> !llvm.ptr, i32
// CHECK-NEXT:     %v38 = llvm.load %v37 {alignment = 4 : i64} : !llvm.ptr -> vector<8xi32>
// CHECK-NEXT:     %v39 = llvm.shufflevector %v36, %0 [0, 4, 8, 12, 16, 20, 24, 28] : vector<32xi8>
// CHECK-NEXT:     %v40 = llvm.shufflevector %v0, %0 [0, 4, 8, 12, 16, 20, 24, 28] : vector<32xi8>
// CHECK-NEXT:     %v41 = llvm.zext %v39 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v42 = llvm.sext %v40 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v43 = llvm.mul %v41, %v42 : vector<8xi32>
// CHECK-NEXT:     %v44 = llvm.add %v38, %v43 : vector<8xi32>
// CHECK-NEXT:     %v45 = llvm.shufflevector %v36, %0 [1, 5, 9, 13, 17, 21, 25, 29] : vector<32xi8>
// CHECK-NEXT:     %v46 = llvm.shufflevector %v0, %0 [1, 5, 9, 13, 17, 21, 25, 29] : vector<32xi8>
// CHECK-NEXT:     %v47 = llvm.zext %v45 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v48 = llvm.sext %v46 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v49 = llvm.mul %v47, %v48 : vector<8xi32>
// CHECK-NEXT:     %v50 = llvm.add %v44, %v49 : vector<8xi32>
// CHECK-NEXT:     %v51 = llvm.shufflevector %v36, %0 [2, 6, 10, 14, 18, 22, 26, 30] : vector<32xi8>
// CHECK-NEXT:     %v52 = llvm.shufflevector %v0, %0 [2, 6, 10, 14, 18, 22, 26, 30] : vector<32xi8>
// CHECK-NEXT:     %v53 = llvm.zext %v51 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v54 = llvm.sext %v52 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v55 = llvm.mul %v53, %v54 : vector<8xi32>
// CHECK-NEXT:     %v56 = llvm.add %v50, %v55 : vector<8xi32>
// CHECK-NEXT:     %v57 = llvm.shufflevector %v36, %0 [3, 7, 11, 15, 19, 23, 27, 31] : vector<32xi8>
// CHECK-NEXT:     %v58 = llvm.shufflevector %v0, %0 [3, 7, 11, 15, 19, 23, 27, 31] : vector<32xi8>
// CHECK-NEXT:     %v59 = llvm.zext %v57 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v60 = llvm.sext %v58 : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:     %v61 = llvm.mul %v59, %v60 : vector<8xi32>
// CHECK-NEXT:     %v62 = llvm.add %v56, %v61 : vector<8xi32>
// CHECK-NEXT:     llvm.store %v30, %a2 {alignment = 4 : i64} : vector<8xi32>, !llvm.ptr
// CHECK-NEXT:     llvm.store %v62, %v37 {alignment = 4 : i64} : vector<8xi32>, !llvm.ptr
// CHECK-NEXT:     llvm.return
// CHECK-NEXT:   }
func.func @dot(%A: memref<2x4xi8>, %B: memref<8x4xi8>, %C: memref<2x8xi32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i8
  %none = arith.constant 0 : i32
  %a = vector.transfer_read %A[%c0, %c0], %zero {in_bounds = [true, true]} : memref<2x4xi8>, vector<2x4xi8>
  %b = vector.transfer_read %B[%c0, %c0], %zero {in_bounds = [true, true]} : memref<8x4xi8>, vector<8x4xi8>
  %c = vector.transfer_read %C[%c0, %c0], %none {in_bounds = [true, true]} : memref<2x8xi32>, vector<2x8xi32>
  %u = arith.extui %a : vector<2x4xi8> to vector<2x4xi32>
  %s = arith.extsi %b : vector<8x4xi8> to vector<8x4xi32>
  %r = vector.contract {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %u, %s, %c : vector<2x4xi32>, vector<8x4xi32> into vector<2x8xi32>
  vector.transfer_write %r, %C[%c0, %c0] {in_bounds = [true, true]} : vector<2x8xi32>, memref<2x8xi32>
  func.return
}
