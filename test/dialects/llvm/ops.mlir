// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

// CHECK-LABEL: llvm.func @f(%a: f32, %v: vector<4xf32>, %i: i32, %vi: vector<4xi32>, %p: !llvm.ptr, %m: vector<4xi1>, %ps: vector<4x!llvm.ptr>, %l: i64, %c: i1) {
llvm.func @f(%a: f32, %v: vector<4xf32>, %i: i32, %vi: vector<4xi32>, %p: !llvm.ptr, %m: vector<4xi1>, %ps: vector<4x!llvm.ptr>, %l: i64, %c: i1) {
  // CHECK-NEXT: %r = "llvm.intr.vector.reduce.fadd"(%a, %v) <{fastmathFlags = #llvm.fastmath<reassoc>}> : (f32, vector<4xf32>) -> f32
  %r = "llvm.intr.vector.reduce.fadd"(%a, %v) <{fastmathFlags = #llvm.fastmath<reassoc>}> : (f32, vector<4xf32>) -> f32
  // CHECK-NEXT: %r1 = llvm.intr.vector.reduce.fmax(%v) : (vector<4xf32>) -> f32
  %r1 = "llvm.intr.vector.reduce.fmax"(%v) : (vector<4xf32>) -> f32
  // CHECK-NEXT: %r2 = "llvm.intr.vector.reduce.add"(%vi) : (vector<4xi32>) -> i32
  %r2 = "llvm.intr.vector.reduce.add"(%vi) : (vector<4xi32>) -> i32
  // CHECK-NEXT: %r3 = llvm.intr.vector.reduce.fmaximum(%v) : (vector<4xf32>) -> f32
  %r3 = "llvm.intr.vector.reduce.fmaximum"(%v) : (vector<4xf32>) -> f32
  // CHECK-NEXT: %r4 = llvm.intr.smax(%i, %i) : (i32, i32) -> i32
  %r4 = "llvm.intr.smax"(%i, %i) : (i32, i32) -> i32
  // CHECK-NEXT: %r5 = llvm.intr.ctpop(%i) : (i32) -> i32
  %r5 = "llvm.intr.ctpop"(%i) : (i32) -> i32
  // CHECK-NEXT: %r6 = llvm.intr.bswap(%i) : (i32) -> i32
  %r6 = "llvm.intr.bswap"(%i) : (i32) -> i32
  // CHECK-NEXT: %r7 = "llvm.intr.abs"(%i) <{is_int_min_poison = false}> : (i32) -> i32
  %r7 = "llvm.intr.abs"(%i) <{is_int_min_poison = false}> : (i32) -> i32
  // CHECK-NEXT: %r8 = "llvm.intr.ctlz"(%i) <{is_zero_poison = false}> : (i32) -> i32
  %r8 = "llvm.intr.ctlz"(%i) <{is_zero_poison = false}> : (i32) -> i32
  // CHECK-NEXT: %r9 = llvm.intr.roundeven(%a) : (f32) -> f32
  %r9 = "llvm.intr.roundeven"(%a) : (f32) -> f32
  // CHECK-NEXT: %ra = llvm.intr.fmuladd(%a, %a, %a) : (f32, f32, f32) -> f32
  %ra = "llvm.intr.fmuladd"(%a, %a, %a) : (f32, f32, f32) -> f32
  // CHECK-NEXT: "llvm.intr.memcpy"(%p, %p, %l) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()
  "llvm.intr.memcpy"(%p, %p, %l) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()
  // CHECK-NEXT: %c0 = llvm.mlir.constant(0 : i8) : i8
  %c0 = llvm.mlir.constant(0 : i8) : i8
  // CHECK-NEXT: "llvm.intr.memset"(%p, %c0, %l) <{isVolatile = false}> : (!llvm.ptr, i8, i64) -> ()
  "llvm.intr.memset"(%p, %c0, %l) <{isVolatile = false}> : (!llvm.ptr, i8, i64) -> ()
  // CHECK-NEXT: "llvm.intr.prefetch"(%p) <{cache = 1 : i32, hint = 3 : i32, rw = 1 : i32}> : (!llvm.ptr) -> ()
  "llvm.intr.prefetch"(%p) <{rw = 1 : i32, hint = 3 : i32, cache = 1 : i32}> : (!llvm.ptr) -> ()
  // CHECK-NEXT: %g = llvm.intr.masked.gather %ps, %m, %v {alignment = 4 : i32} : (vector<4x!llvm.ptr>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  %g = llvm.intr.masked.gather %ps, %m, %v {alignment = 4 : i32} : (vector<4x!llvm.ptr>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  // CHECK-NEXT: llvm.intr.masked.scatter %v, %ps, %m {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into vector<4x!llvm.ptr>
  llvm.intr.masked.scatter %v, %ps, %m {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into vector<4x!llvm.ptr>
  // CHECK-NEXT: %fz = llvm.freeze %i : i32
  %fz = llvm.freeze %i : i32
  // CHECK-NEXT: %e = llvm.extractelement %v[%i : i32] : vector<4xf32>
  %e = llvm.extractelement %v[%i : i32] : vector<4xf32>
  // CHECK-NEXT: %cc = llvm.fcmp "olt" %v, %v {fastmathFlags = #llvm.fastmath<nnan>} : vector<4xf32>
  %cc = llvm.fcmp "olt" %v, %v {fastmathFlags = #llvm.fastmath<nnan>} : vector<4xf32>
  // CHECK-NEXT: %s = llvm.select %m, %v, %v : vector<4xi1>, vector<4xf32>
  %s = llvm.select %m, %v, %v : vector<4xi1>, vector<4xf32>
  // CHECK-NEXT: %t = llvm.intr.masked.load %p, %m, %v {alignment = 4 : i32} : (!llvm.ptr, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  %t = llvm.intr.masked.load %p, %m, %v {alignment = 4 : i32} : (!llvm.ptr, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  // CHECK-NEXT: %u = llvm.uitofp %vi : vector<4xi32> to vector<4xf32>
  %u = llvm.uitofp %vi : vector<4xi32> to vector<4xf32>
  // CHECK-NEXT: %w = llvm.getelementptr inbounds %p[%l, 3] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.array<8 x f32>
  %w = llvm.getelementptr inbounds %p[%l, 3] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.array<8 x f32>
  // CHECK-NEXT: %gv = llvm.getelementptr %p[%vi] : (!llvm.ptr, vector<4xi32>) -> vector<4x!llvm.ptr>, f32
  %gv = llvm.getelementptr %p[%vi] : (!llvm.ptr, vector<4xi32>) -> vector<4x!llvm.ptr>, f32
  // CHECK-NEXT: %ld = llvm.load %p {alignment = 4 : i64, nontemporal} : !llvm.ptr -> f32
  %ld = llvm.load %p {alignment = 4 : i64, nontemporal} : !llvm.ptr -> f32
  // CHECK-NEXT: llvm.switch %i : i32, ^bb1(%i : i32) [
  llvm.switch %i : i32, ^bb1(%i : i32) [
    // CHECK-NEXT: 42: ^bb2(%a, %i : f32, i32),
    42: ^bb2(%a, %i : f32, i32),
    // CHECK-NEXT: 43: ^bb3
    43: ^bb3
  // CHECK-NEXT: ]
  ]
// CHECK-NEXT: ^bb1(%x: i32):
^bb1(%x: i32):
  // CHECK-NEXT: llvm.br ^bb3
  llvm.br ^bb3
// CHECK-NEXT: ^bb2(%y: f32, %z: i32):
^bb2(%y: f32, %z: i32):
  // CHECK-NEXT: llvm.cond_br %c, ^bb3, ^bb1(%z : i32)
  llvm.cond_br %c, ^bb3, ^bb1(%z : i32)
// CHECK-NEXT: ^bb3:
^bb3:
  // CHECK-NEXT: llvm.return
  llvm.return
// CHECK-NEXT: }
}
