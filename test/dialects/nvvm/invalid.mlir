// RUN: mlopt %s --split-input-file --verify-diagnostics

llvm.func @copy(%to: !llvm.ptr<3>, %from: !llvm.ptr<1>) {
  // expected-error @below {{CG cache modifier is only support for 16 bytes copy.}}
  nvvm.cp.async.shared.global %to, %from, 4, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
  llvm.return
}

// -----

llvm.func @copy(%to: !llvm.ptr, %from: !llvm.ptr<1>) {
  // expected-error @below {{operand #0 must be LLVM pointer in address space 3, but got '!llvm.ptr'}}
  nvvm.cp.async.shared.global %to, %from, 4, cache = ca : !llvm.ptr, !llvm.ptr<1>
  llvm.return
}

// -----

llvm.func @shuffle(%m: i32) {
  // expected-error @below {{expected return type to be a two-element struct}}
  %0 = nvvm.shfl.sync up %m, %m, %m, %m {return_value_and_is_valid} : i32 -> i32
  llvm.return
}

// -----

llvm.func @mma(%a: i32, %c: i32) {
  // expected-error @below {{requires b1Op attribute}}
  %0 = nvvm.mma.sync A[%a, %a] B[%a] C[%c, %c, %c, %c]
    {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 128>,
     multiplicandAPtxType = #nvvm.mma_type<b1>, multiplicandBPtxType = #nvvm.mma_type<b1>}
    : (i32, i32, i32) -> !llvm.struct<(i32, i32, i32, i32)>
  llvm.return
}

// -----

llvm.func @mma(%a: vector<2xf16>, %c: f32) {
  // expected-error @below {{Could not match types for the A operands; expected one of 4xvector<2xf16> but got vector<2xf16>}}
  %0 = nvvm.mma.sync A[%a] B[%a, %a] C[%c, %c, %c, %c]
    {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
    : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  llvm.return
}
