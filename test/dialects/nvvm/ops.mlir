// RUN: mlopt %s --split-input-file | mlopt --split-input-file | filecheck %s

// CHECK-LABEL: llvm.func @registers
llvm.func @registers() -> i64 {
  // CHECK-NEXT: %0 = nvvm.read.ptx.sreg.tid.x range <i32, 0, 32> : i32
  %0 = nvvm.read.ptx.sreg.tid.x range <i32, 0, 32> : i32
  // CHECK-NEXT: %1 = nvvm.read.ptx.sreg.clock64 : i64
  %1 = nvvm.read.ptx.sreg.clock64 : i64
  // CHECK-NEXT: nvvm.barrier id = %0 {aligned = false}
  nvvm.barrier id = %0 {aligned = false}
  // CHECK-NEXT: llvm.return
  llvm.return %1 : i64
}

// CHECK-LABEL: llvm.func @warp
llvm.func @warp(%m: i32, %v: f32) -> f32 {
  // CHECK-NEXT: %0 = nvvm.shfl.sync bfly %m, %v, %m, %m {return_value_and_is_valid} : f32 -> !llvm.struct<(f32, i1)>
  %0 = nvvm.shfl.sync bfly %m, %v, %m, %m {return_value_and_is_valid} : f32 -> !llvm.struct<(f32, i1)>
  // CHECK-NEXT: %1 = nvvm.redux.sync fmax %v, %m {abs = true} : f32 -> f32
  %1 = nvvm.redux.sync fmax %v, %m {abs = true} : f32 -> f32
  llvm.return %1 : f32
}

// CHECK-LABEL: llvm.func @copy
llvm.func @copy(%to: !llvm.ptr<3>, %from: !llvm.ptr<1>, %n: i32) {
  // CHECK-NEXT: nvvm.cp.async.shared.global %to, %from, 16, cache = cg, %n : !llvm.ptr<3>, !llvm.ptr<1>, i32
  nvvm.cp.async.shared.global %to, %from, 16, cache = cg, %n : !llvm.ptr<3>, !llvm.ptr<1>, i32
  // CHECK-NEXT: nvvm.cp.async.wait.group 1
  nvvm.cp.async.wait.group 1
  llvm.return
}

// CHECK-LABEL: llvm.func @mma
llvm.func @mma(%a: vector<2xf16>, %c: f32) {
  // CHECK-NEXT: %0 = nvvm.mma.sync A[%a, %a, %a, %a] B[%a, %a] C[%c, %c, %c, %c]
  // CHECK-SAME: : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  %0 = nvvm.mma.sync A[%a, %a, %a, %a] B[%a, %a] C[%c, %c, %c, %c]
    {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
    : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  llvm.return
}
