// RUN: mlopt %s | mlopt | filecheck %s

#scope = #llvm.alias_scope<id = distinct[0]<>, domain = #llvm.alias_scope_domain<id = distinct[1]<>>>

// CHECK: llvm.func @target(i32, ...) -> i32
llvm.func @target(i32, ...) -> i32
llvm.func @personality(...) -> i32

// CHECK-LABEL: llvm.func @atomics
llvm.func @atomics(%p: !llvm.ptr, %i: i32) -> i32 {
  // CHECK-NEXT: %0 = llvm.atomicrmw volatile add %p, %i syncscope("agent") acq_rel : !llvm.ptr, i32
  %0 = llvm.atomicrmw volatile add %p, %i syncscope("agent") acq_rel : !llvm.ptr, i32
  // CHECK-NEXT: %1 = llvm.cmpxchg weak %p, %0, %i acq_rel monotonic : !llvm.ptr, i32
  %1 = llvm.cmpxchg weak %p, %0, %i acq_rel monotonic : !llvm.ptr, i32
  // CHECK-NEXT: llvm.fence seq_cst
  llvm.fence seq_cst
  // CHECK-NEXT: %2 = llvm.load volatile %p atomic acquire {alignment = 4 : i64} : !llvm.ptr -> i32
  %2 = llvm.load volatile %p atomic acquire {alignment = 4 : i64} : !llvm.ptr -> i32
  // CHECK-NEXT: %3 = llvm.extractvalue %1[0] : !llvm.struct<(i32, i1)>
  %3 = llvm.extractvalue %1[0] : !llvm.struct<(i32, i1)>
  llvm.return %3 : i32
}

// CHECK-LABEL: llvm.func @invoke
llvm.func @invoke(%i: i32) attributes {personality = @personality} {
  // CHECK-NEXT: %0 = llvm.invoke @target(%i) to ^bb1 unwind ^bb2 vararg(!llvm.func<i32 (i32, ...)>) : (i32) -> i32
  %0 = llvm.invoke @target(%i) to ^bb1 unwind ^bb2 vararg(!llvm.func<i32 (i32, ...)>) : (i32) -> i32
^bb1:
  // CHECK: llvm.intr.experimental.noalias.scope.decl #alias_scope{{$}}
  llvm.intr.experimental.noalias.scope.decl #scope
  llvm.return
^bb2:
  // CHECK: llvm.landingpad cleanup : !llvm.struct<(ptr, i32)>
  %1 = llvm.landingpad cleanup : !llvm.struct<(ptr, i32)>
  // CHECK-NEXT: llvm.resume
  llvm.resume %1 : !llvm.struct<(ptr, i32)>
}
