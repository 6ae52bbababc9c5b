// RUN: mlopt %s --split-input-file --verify-diagnostics

// Upstream lets this pass.
llvm.func @select(%c: vector<4xi1>, %a: vector<8xf32>) {
  // expected-error @below {{has a condition of type vector<4xi1>}}
  %b = llvm.select %c, %a, %a : vector<4xi1>, vector<8xf32>
  llvm.return
}

// -----

// Upstream lets this pass.
llvm.func @fpext(%a: f64) {
  // expected-error @below {{cannot cast f64 to f32}}
  %b = llvm.fpext %a : f64 to f32
  llvm.return
}

// -----

llvm.func @extract(%v: vector<4xf32>, %i: i32) {
  // expected-error @below {{failed to verify that result type matches vector element type}}
  %b = "llvm.extractelement"(%v, %i) : (vector<4xf32>, i32) -> f64
  llvm.return
}

// -----

llvm.func @gep(%p: !llvm.ptr) {
  // expected-error @below {{index 1 indexing a struct is out of bounds}}
  %b = llvm.getelementptr %p[0, 2] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(i32, i32)>
  llvm.return
}

// -----

// Upstream lets this pass.
llvm.func @masked(%p: !llvm.ptr, %k: vector<8xi1>, %v: vector<4xf32>) {
  // expected-error @below {{unequal lengths}}
  %b = llvm.intr.masked.load %p, %k, %v {alignment = 4 : i32} : (!llvm.ptr, vector<8xi1>, vector<4xf32>) -> vector<4xf32>
  llvm.return
}

// -----

llvm.func @reduce(%v: vector<4xf32>) {
  // expected-error @below {{gives f64}}
  %b = llvm.intr.vector.reduce.fmax(%v) : (vector<4xf32>) -> f64
  llvm.return
}

// -----

llvm.func @fcmp(%v: vector<4xi32>) {
  // expected-error @below {{of vector<4xi32> gives}}
  %b = llvm.fcmp "olt" %v, %v : vector<4xi32>
  llvm.return
}
