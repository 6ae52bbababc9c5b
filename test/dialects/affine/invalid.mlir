// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @load_rank(%m: memref<?x?xf32>, %i: index) {
  // expected-error @below {{affine map num results must equal memref rank}}
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
  // expected-error @below {{attribute 'localityHint' failed to satisfy constraint: 32-bit signless integer attribute whose minimum value is 0 whose maximum value is 3}}
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
  %r = affine.if affine_set<(d0) : (d0 >= 0)>(%i) -> f32 {
    affine.yield %v : f32
  } else {
    // expected-error @below {{types mismatch between yield op and its parent}}
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
  // expected-error @below {{the number of region arguments (1) and the number of map groups for lower (2) and upper bound (2), and the number of steps (1) must all match}}
  affine.parallel (%i) = (0, 0) to (%n, %n) {
  }
  func.return
}

// -----

func.func @max(%n: index) {
  // expected-error @below {{operand count and affine map dimension and symbol count must match}}
  %x = "affine.max"(%n) <{map = affine_map<(d0, d1) -> (d0, d1)>}> : (index) -> index
  func.return
}

// -----

func.func @bound(%m: memref<4xindex>) {
  affine.for %i = 0 to 4 {
    %n = memref.load %m[%i] : memref<4xindex>
    // expected-error @below {{operand cannot be used as a symbol}}
    affine.for %j = 0 to %n {
    }
  }
  func.return
}

// -----

func.func @no_bound() {
  // expected-error @below {{expected lower bound map to have at least one result}}
  affine.for %i = max affine_map<() -> ()>() to 4 {
  }
  func.return
}

// -----

func.func @step() {
  // expected-error @below {{expected step to be representable as a positive signed integer}}
  affine.for %i = 0 to 4 step 0 {
  }
  func.return
}

// -----

func.func @apply() {
  affine.for %i = 0 to 4 {
    // expected-error @below {{dimensional operand cannot be used as a symbol}}
    %j = affine.apply affine_map<()[s0] -> (s0 * 2)>()[%i]
  }
  func.return
}

// -----

func.func @reduction(%n: index, %m: memref<4xi32>) {
  // expected-error @below {{result type cannot match reduction attribute}}
  %r = affine.parallel (%i) = (0) to (4) reduce ("addf") -> (i32) {
    %v = affine.load %m[%i] : memref<4xi32>
    affine.yield %v : i32
  }
  func.return
}
