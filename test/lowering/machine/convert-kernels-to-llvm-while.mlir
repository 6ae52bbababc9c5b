// RUN: mlopt %s --convert-kernels-to-llvm="vector-bytes=64 cpu=skylake-avx512 features=+avx512f" | filecheck %s

// A `scf.while` is a header that decides, a body, and an exit; what it carries are block arguments.
// CHECK-LABEL: llvm.func @while(%a0: i64, %a1: !llvm.ptr {llvm.noalias})
// CHECK-NEXT:    %0 = llvm.mlir.constant(1 : i64) : i64
// CHECK-NEXT:    %1 = llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT:    %2 = llvm.mlir.constant(0 : i8) : i8
// CHECK-NEXT:    %v0 = llvm.load %a1 {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK-NEXT:    %v1 = llvm.icmp "ne" %v0, %2 : i8
// CHECK-NEXT:    llvm.br ^bb1(%1, %v1 : i64, i1)
// CHECK-NEXT:  ^bb1(%v2: i64, %v3: i1):  // 2 preds: ^bb0, ^bb2
// CHECK-NEXT:    %v4 = llvm.icmp "slt" %v2, %a0 : i64
// CHECK-NEXT:    %v5 = llvm.and %v4, %v3 : i1
// CHECK-NEXT:    llvm.cond_br %v5, ^bb2, ^bb3
// CHECK-NEXT:  ^bb2:  // pred: ^bb1
// CHECK-NEXT:    %v6 = llvm.load %a1 {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK-NEXT:    %v7 = llvm.icmp "ne" %v6, %2 : i8
// CHECK-NEXT:    %v8 = llvm.add %v2, %0 : i64
// CHECK-NEXT:    llvm.br ^bb1(%v8, %v7 : i64, i1)
// CHECK-NEXT:  ^bb3:  // pred: ^bb1
// CHECK-NEXT:    %v9 = llvm.zext %v3 : i1 to i8
// CHECK-NEXT:    llvm.store %v9, %a1 {alignment = 1 : i64} : i8, !llvm.ptr
// CHECK-NEXT:    llvm.return
// CHECK-NEXT:  }
func.func @while(%n: index, %c: memref<i1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %flag = memref.load %c[] : memref<i1>
  %r:2 = scf.while (%i = %c0, %go = %flag) : (index, i1) -> (index, i1) {
    %less = arith.cmpi slt, %i, %n : index
    %on = arith.andi %less, %go : i1
    scf.condition(%on) %i, %go : index, i1
  } do {
  ^bb0(%i: index, %go: i1):
    %on = memref.load %c[] : memref<i1>
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %on : index, i1
  }
  memref.store %r#1, %c[] : memref<i1>
  func.return
}
