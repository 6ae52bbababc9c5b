// RUN: mlopt %s --split-input-file --pass-pipeline='builtin.module(llvm.func(sroa,mem2reg))' | filecheck %s

// A struct inside of a struct, by address.
// CHECK-LABEL: llvm.func @members
// CHECK-NOT:     llvm.alloca
// CHECK:         llvm.return %x : i32
llvm.func @members(%x: i32, %y: f32) -> i32 {
  %one = llvm.mlir.constant(1 : i32) : i32
  %p = llvm.alloca %one x !llvm.struct<(f32, struct<(i8, i32)>)> : (i32) -> !llvm.ptr
  %q = llvm.getelementptr inbounds %p[0, 1, 1] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(f32, struct<(i8, i32)>)>
  llvm.store %y, %p : f32, !llvm.ptr
  llvm.store %x, %q : i32, !llvm.ptr
  %r = llvm.load %q : !llvm.ptr -> i32
  llvm.return %r : i32
}

// -----

// Half of what was stored is read; a store of half replaces half.
// CHECK-LABEL: llvm.func @halves
// CHECK:         %[[LOW:.*]] = llvm.trunc %x : i64 to i32
// CHECK-NEXT:    %[[WIDE:.*]] = llvm.zext %y : i32 to i64
// CHECK-NEXT:    %[[MASK:.*]] = llvm.mlir.constant(-4294967296 : i64) : i64
// CHECK-NEXT:    %[[HIGH:.*]] = llvm.and %x, %[[MASK]] : i64
// CHECK-NEXT:    %[[NEW:.*]] = llvm.or %[[HIGH]], %[[WIDE]] : i64
// CHECK-NEXT:    llvm.call @use(%[[LOW]], %[[NEW]])
llvm.func @use(i32, i64)
llvm.func @halves(%x: i64, %y: i32) {
  %one = llvm.mlir.constant(1 : i32) : i32
  %p = llvm.alloca %one x i64 : (i32) -> !llvm.ptr
  llvm.store %x, %p : i64, !llvm.ptr
  %low = llvm.load %p : !llvm.ptr -> i32
  llvm.store %y, %p : i32, !llvm.ptr
  %new = llvm.load %p : !llvm.ptr -> i64
  llvm.call @use(%low, %new) : (i32, i64) -> ()
  llvm.return
}

// -----

// Bytes that are filled in are a number.
// CHECK-LABEL: llvm.func @filled
// CHECK:         %[[N:.*]] = llvm.mlir.constant(16843009 : i32) : i32
// CHECK-NEXT:    llvm.return %[[N]] : i32
llvm.func @filled() -> i32 {
  %one = llvm.mlir.constant(1 : i32) : i32
  %byte = llvm.mlir.constant(1 : i8) : i8
  %four = llvm.mlir.constant(4 : i64) : i64
  %p = llvm.alloca %one x i32 : (i32) -> !llvm.ptr
  "llvm.intr.memset"(%p, %byte, %four) <{isVolatile = false}> : (!llvm.ptr, i8, i64) -> ()
  %r = llvm.load %p : !llvm.ptr -> i32
  llvm.return %r : i32
}

// -----

// A volatile access is a reason to have memory; so is one behind the end.
// CHECK-LABEL: llvm.func @stays
// CHECK-COUNT-2: llvm.alloca
llvm.func @stays(%x: i32) -> i64 {
  %one = llvm.mlir.constant(1 : i32) : i32
  %p = llvm.alloca %one x i32 : (i32) -> !llvm.ptr
  %q = llvm.alloca %one x i32 : (i32) -> !llvm.ptr
  llvm.store volatile %x, %p : i32, !llvm.ptr
  %r = llvm.load %q : !llvm.ptr -> i64
  llvm.return %r : i64
}
