// RUN: mlopt %s --transform-interpreter | filecheck %s
// RUN: mlopt %s --validate-each --transform-interpreter -o /dev/null

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %all = transform.structured.match ops{["scf.for"]} in %root : (!transform.any_op) -> !transform.any_op
    %first, %second = transform.split_handle %all : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %main, %rest = transform.loop.peel %first : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.foreach %second : !transform.any_op {
    ^bb0(%loop: !transform.any_op):
      transform.loop.unroll %loop {factor = 2} : !transform.any_op
    }
    transform.yield
  }

// CHECK-LABEL: func.func @two_loops(%m: memref<16xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c5 = arith.constant 5 : index
// CHECK-NEXT:    %c10 = arith.constant 10 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    scf.for %i_0 = %c0 to %c8 step %c4 {
// CHECK-NEXT:      memref.store %i_0, %m[%i_0] : memref<16xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %i_0 = %c8 to %c10 step %c4 {
// CHECK-NEXT:      memref.store %i_0, %m[%i_0] : memref<16xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    %i = arith.constant 4 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    scf.for %i_0 = %c0 to %i step %c2 {
// CHECK-NEXT:      memref.store %c4, %m[%i_0] : memref<16xindex>
// CHECK-NEXT:      %c1_1 = arith.constant 1 : index
// CHECK-NEXT:      %0 = arith.addi %i_0, %c1_1 : index
// CHECK-NEXT:      memref.store %c4, %m[%0] : memref<16xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.store %c4, %m[%i] : memref<16xindex>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
  func.func @two_loops(%m: memref<16xindex>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c10 = arith.constant 10 : index
    scf.for %i = %c0 to %c10 step %c4 {
      memref.store %i, %m[%i] : memref<16xindex>
    }
    scf.for %i = %c0 to %c5 step %c1 {
      memref.store %c4, %m[%i] : memref<16xindex>
    }
    return
  }
}
