// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

// CHECK-LABEL: func.func @f(%M: index, %N: index, %z: f32, %c: i1, %m: memref<f32>) -> (f32, i32) {
func.func @f(%M: index, %N: index, %z: f32, %c: i1, %m: memref<f32>) -> (f32, i32) {
  // CHECK-NEXT: %c0 = arith.constant 0 : index
  %c0 = arith.constant 0 : index
  // CHECK-NEXT: %c1 = arith.constant 1 : index
  %c1 = arith.constant 1 : index
  // CHECK-NEXT: %i = arith.constant 1 : i32
  %i = arith.constant 1 : i32
  // CHECK-NEXT: scf.parallel (%i0, %j) = (%c0, %c0) to (%M, %N) step (%c1, %c1) {
  scf.parallel (%i0, %j) = (%c0, %c0) to (%M, %N) step (%c1, %c1) {
    // CHECK-NEXT: memref.store %z, %m[] : memref<f32>
    memref.store %z, %m[] : memref<f32>
    // CHECK-NEXT: scf.reduce
    scf.reduce
  // CHECK-NEXT: } {tag}
  } {tag}
  // CHECK-NEXT: %s = scf.parallel (%i0) = (%c0) to (%M) step (%c1) init (%z) -> f32 {
  %s = scf.parallel (%i0) = (%c0) to (%M) step (%c1) init (%z) -> f32 {
    // CHECK-NEXT: scf.reduce(%z : f32) {
    scf.reduce(%z : f32) {
    // CHECK-NEXT: ^bb0(%a: f32, %b: f32):
    ^bb0(%a: f32, %b: f32):
      // CHECK-NEXT: %sum = arith.addf %a, %b : f32
      %sum = arith.addf %a, %b : f32
      // CHECK-NEXT: scf.reduce.return %sum : f32
      scf.reduce.return %sum : f32
    // CHECK-NEXT: }
    }
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: %s2:2 = scf.parallel (%i0) = (%c0) to (%M) step (%c1) init (%z, %i) -> (f32, i32) {
  %s2:2 = scf.parallel (%i0) = (%c0) to (%M) step (%c1) init (%z, %i) -> (f32, i32) {
    // CHECK-NEXT: scf.reduce(%z, %i : f32, i32) {
    scf.reduce(%z, %i : f32, i32) {
    // CHECK-NEXT: ^bb0(%a: f32, %b: f32):
    ^bb0(%a: f32, %b: f32):
      // CHECK-NEXT: %sum = arith.addf %a, %b : f32
      %sum = arith.addf %a, %b : f32
      // CHECK-NEXT: scf.reduce.return %sum : f32
      scf.reduce.return %sum : f32
    // CHECK-NEXT: }, {
    }, {
    // CHECK-NEXT: ^bb0(%a: i32, %b: i32):
    ^bb0(%a: i32, %b: i32):
      // CHECK-NEXT: %sum = arith.addi %a, %b : i32
      %sum = arith.addi %a, %b : i32
      // CHECK-NEXT: scf.reduce.return %sum : i32
      scf.reduce.return %sum : i32
    // CHECK-NEXT: }
    }
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: scf.if %c {
  scf.if %c {
    // CHECK-NEXT: memref.store %z, %m[] : memref<f32>
    memref.store %z, %m[] : memref<f32>
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: %r:2 = scf.if %c -> (f32, i32) {
  %r:2 = scf.if %c -> (f32, i32) {
    // CHECK-NEXT: scf.yield %s, %i : f32, i32
    scf.yield %s, %i : f32, i32
  // CHECK-NEXT: } else {
  } else {
    // CHECK-NEXT: scf.yield %z, %s2#1 : f32, i32
    scf.yield %z, %s2#1 : f32, i32
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: %w = scf.while (%x = %z) : (f32) -> f32 {
  %w = scf.while (%x = %z) : (f32) -> f32 {
    // CHECK-NEXT: scf.condition(%c) %x : f32
    scf.condition(%c) %x : f32
  // CHECK-NEXT: } do {
  } do {
  // CHECK-NEXT: ^bb0(%y: f32):
  ^bb0(%y: f32):
    // CHECK-NEXT: scf.yield %y : f32
    scf.yield %y : f32
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: return %r#0, %r#1 : f32, i32
  func.return %r#0, %r#1 : f32, i32
// CHECK-NEXT: }
}
