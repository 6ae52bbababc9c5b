// RUN: mlopt %s --convert-kernels-to-llvm="vector-bytes=32 cpu=alderlake features=+avx2,+avxvnni" | filecheck %s

// One instruction for four products of each lane; the signed bytes of all lanes are one register, four unsigned ones are repeated.
// CHECK-LABEL: llvm.func @dot(%a0: !llvm.ptr {llvm.noalias, llvm.readonly}, %a1: !llvm.ptr {llvm.noalias, llvm.readonly}, %a2: !llvm.ptr {llvm.noalias}) attributes {passthrough = ["nounwind", ["target-cpu", "alderlake"], ["target-features", "+avx2,+avxvnni"{{\]\]}}} {
// CHECK-NEXT:     %0 = llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT:     %1 = llvm.mlir.poison : vector<8xi32>
// CHECK-NEXT:     %v0 = llvm.load %a1 {alignment = 1 : i64} : !llvm.ptr -> vector<32xi8>
// CHECK-NEXT:     %v1 = llvm.load %a0 {alignment = 1 : i64} : !llvm.ptr -> vector<4xi8>
// CHECK-NEXT:     %v2 = llvm.bitcast %v1 : vector<4xi8> to i32
// CHECK-NEXT:     %v3 = llvm.insertelement %v2, %1[%0 : i64] : vector<8xi32>
// CHECK-NEXT:     %v4 = llvm.shufflevector %v3, %1 [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xi32>
// CHECK-NEXT:     %v5 = llvm.bitcast %v4 : vector<8xi32> to vector<32xi8>
// CHECK-NEXT:     %v6 = llvm.load %a2 {alignment = 4 : i64} : !llvm.ptr -> vector<8xi32>
// CHECK-NEXT:     %v7 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"(%v6, %v5, %v0) : (vector<8xi32>, vector<32xi8>, vector<32xi8>) -> vector<8xi32>
// CHECK-NEXT:     %v8 = llvm.getelementptr %a0[4] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-NEXT:     %v9 = llvm.load %v8 {alignment = 1 : i64} : !llvm.ptr -> vector<4xi8>
// CHECK-NEXT:     %v10 = llvm.bitcast %v9 : vector<4xi8> to i32
// CHECK-NEXT:     %v11 = llvm.insertelement %v10, %1[%0 : i64] : vector<8xi32>
// CHECK-NEXT:     %v12 = llvm.shufflevector %v11, %1 [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xi32>
// CHECK-NEXT:     %v13 = llvm.bitcast %v12 : vector<8xi32> to vector<32xi8>
// CHECK-NEXT:     %v14 = llvm.getelementptr %a2[8] : (!llvm.ptr) -> !llvm.ptr, i32
// CHECK-NEXT:     %v15 = llvm.load %v14 {alignment = 4 : i64} : !llvm.ptr -> vector<8xi32>
// CHECK-NEXT:     %v16 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"(%v15, %v13, %v0) : (vector<8xi32>, vector<32xi8>, vector<32xi8>) -> vector<8xi32>
// CHECK-NEXT:     llvm.store %v7, %a2 {alignment = 4 : i64} : vector<8xi32>, !llvm.ptr
// CHECK-NEXT:     llvm.store %v16, %v14 {alignment = 4 : i64} : vector<8xi32>, !llvm.ptr
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
