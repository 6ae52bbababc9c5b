// RUN: mlopt %s | filecheck %s

func.func @forall(%t: tensor<100xf32>, %part: tensor<1xf32>, %n: index) -> tensor<100xf32> {
  %r = scf.forall (%i) in (%n) shared_outs(%o = %t) -> (tensor<100xf32>) {
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %part into %o[%i] [1] [1] : tensor<1xf32> into tensor<100xf32>
    }
  }
  scf.forall (%i, %j) = (0, %n) to (8, 16) step (4, 1) {
  } {mapping = [#gpu.thread<y>, #gpu.thread<x>]}
  return %r : tensor<100xf32>
}

func.func @others(%a: i32, %b: i32, %c: i32, %p: i1) -> i32 {
  %s = scf.for unsigned %i = %a to %b step %c iter_args(%x = %a) -> (i32) : i32 {
    scf.yield %x : i32
  }
  scf.while : () -> () {
    scf.condition(%p)
  } do {
    scf.yield
  }
  %e = scf.execute_region -> i32 no_inline {
    scf.yield %s : i32
  }
  return %e : i32
}

// CHECK:      module {
// CHECK-NEXT:   func.func @forall(%t: tensor<100xf32>, %part: tensor<1xf32>, %n: index) -> tensor<100xf32> {
// CHECK-NEXT:     %r = scf.forall (%i) in (%n) shared_outs(%o = %t) -> (tensor<100xf32>) {
// CHECK-NEXT:       scf.forall.in_parallel {
// CHECK-NEXT:         tensor.parallel_insert_slice %part into %o[%i] [1] [1] : tensor<1xf32> into tensor<100xf32>
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     scf.forall (%i, %j) = (0, %n) to (8, 16) step (4, 1) {
// CHECK-NEXT:     } {mapping = [#gpu.thread<y>, #gpu.thread<x>]}
// CHECK-NEXT:     return %r : tensor<100xf32>
// CHECK-NEXT:   }
// CHECK-NEXT:   func.func @others(%a: i32, %b: i32, %c: i32, %p: i1) -> i32 {
// CHECK-NEXT:     %s = scf.for unsigned %i = %a to %b step %c iter_args(%x = %a) -> (i32) : i32 {
// CHECK-NEXT:       scf.yield %x : i32
// CHECK-NEXT:     }
// CHECK-NEXT:     scf.while : () -> () {
// CHECK-NEXT:       scf.condition(%p)
// CHECK-NEXT:     } do {
// CHECK-NEXT:       scf.yield
// CHECK-NEXT:     }
// CHECK-NEXT:     %e = scf.execute_region -> i32 no_inline {
// CHECK-NEXT:       scf.yield %s : i32
// CHECK-NEXT:     }
// CHECK-NEXT:     return %e : i32
// CHECK-NEXT:   }
// CHECK-NEXT: }
