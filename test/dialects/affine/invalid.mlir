// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @load_rank(%m: memref<?x?xf32>, %i: index) {
  // expected-error @below {{subscripts 1 dimensions of a memref of rank 2}}
  %v = affine.load %m[%i] : memref<?x?xf32>
  func.return
}

// -----

func.func @load_not_affine(%m: memref<?xf32>, %p: memref<index>) {
  affine.for %k = 0 to 4 {
    %i = memref.load %p[] : memref<index>
    // expected-error @below {{cannot be used as a dimension}}
    %v = affine.load %m[%i] : memref<?xf32>
  }
  func.return
}

// -----

func.func @symbol(%m: memref<?xf32>) {
  affine.for %i = 0 to 4 {
    // expected-error @below {{cannot be used as a symbol}}
    %v = affine.load %m[symbol(%i)] : memref<?xf32>
  }
  func.return
}

// -----

func.func @locality(%m: memref<?xf32>, %i: index) {
  // expected-error @below {{locality of a prefetch is 0 to 3}}
  affine.prefetch %m[%i], read, locality<4>, data : memref<?xf32>
  func.return
}

// -----

func.func @no_else(%i: index, %v: f32) {
  // expected-error @below {{needs an else region}}
  %r = affine.if affine_set<(d0) : (d0 >= 0)>(%i) -> f32 {
    affine.yield %v : f32
  }
  func.return
}

// -----

func.func @yields(%i: index, %v: f32) {
  // expected-error @below {{yields index where its results are f32}}
  %r = affine.if affine_set<(d0) : (d0 >= 0)>(%i) -> f32 {
    affine.yield %v : f32
  } else {
    affine.yield %i : index
  }
  func.return
}

// -----

// Upstream lets this pass.
func.func @steps(%n: index) {
  // expected-error @below {{steps must be positive}}
  affine.parallel (%i) = (0) to (%n) step (0) {
  }
  func.return
}

// -----

func.func @loops(%n: index) {
  // expected-error @below {{bounds of another number of loops}}
  affine.parallel (%i) = (0, 0) to (%n, %n) {
  }
  func.return
}

// -----

func.func @max(%n: index) {
  // expected-error @below {{expects 2 operands, got 1}}
  %x = "affine.max"(%n) <{map = affine_map<(d0, d1) -> (d0, d1)>}> : (index) -> index
  func.return
}
