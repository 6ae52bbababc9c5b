// RUN: mlopt %s --sccp | filecheck %s

// What is a constant stays as its dialect writes it, and what is found to be one is written that way.

// CHECK-LABEL: func.func @function
// CHECK-NEXT:    %[[F:.*]] = constant @g : (i32) -> i32
// CHECK-NEXT:    cf.br
// CHECK-NEXT:  ^{{.*}}:
// CHECK-NEXT:    call_indirect %[[F]](
func.func private @g(i32) -> i32
func.func @function(%x: i32) -> i32 {
  %f = func.constant @g : (i32) -> i32
  cf.br ^next(%f : (i32) -> i32)
^next(%h: (i32) -> i32):
  %r = func.call_indirect %h(%x) : (i32) -> i32
  return %r : i32
}

// CHECK-LABEL: llvm.func @array
// CHECK-NEXT:    %[[C:.*]] = llvm.mlir.constant(dense<[1, 2]> : tensor<2xi32>) : !llvm.array<2 x i32>
// CHECK-NEXT:    llvm.br
// CHECK-NEXT:  ^{{.*}}:
// CHECK-NEXT:    llvm.return %[[C]] : !llvm.array<2 x i32>
llvm.func @array() -> !llvm.array<2 x i32> {
  %0 = llvm.mlir.constant(dense<[1, 2]> : tensor<2xi32>) : !llvm.array<2 x i32>
  llvm.br ^next(%0 : !llvm.array<2 x i32>)
^next(%a: !llvm.array<2 x i32>):
  llvm.return %a : !llvm.array<2 x i32>
}
