// RUN: mlopt %s --finalize-memref-to-llvm --split-input-file | filecheck %s

// The dynamic stride is read from the descriptor, the last one is 1.

// CHECK-LABEL: func.func @load(%m: memref<4x?xf32>, %i: index, %j: index) -> f32 {
// CHECK-NEXT:    %0 = builtin.unrealized_conversion_cast %m : memref<4x?xf32> to !llvm.struct<(ptr, ptr, i64, array<2 x i64>, array<2 x i64>)>
// CHECK-NEXT:    %1 = builtin.unrealized_conversion_cast %i : index to i64
// CHECK-NEXT:    %2 = builtin.unrealized_conversion_cast %j : index to i64
// CHECK-NEXT:    %3 = llvm.extractvalue %0[1]
// CHECK-NEXT:    %4 = llvm.extractvalue %0[4, 0]
// CHECK-NEXT:    %5 = llvm.mul %1, %4 overflow<nsw> : i64
// CHECK-NEXT:    %6 = llvm.add %5, %2 overflow<nsw> : i64
// CHECK-NEXT:    %7 = llvm.getelementptr inbounds %3[%6] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT:    %v = llvm.load %7 : !llvm.ptr -> f32
func.func @load(%m: memref<4x?xf32>, %i: index, %j: index) -> f32 {
  %v = memref.load %m[%i, %j] : memref<4x?xf32>
  return %v : f32
}

// -----

// CHECK-LABEL: llvm.func @free(!llvm.ptr)
// CHECK:       func.func @dealloc
// CHECK-NEXT:    %0 = builtin.unrealized_conversion_cast
// CHECK-NEXT:    %1 = llvm.extractvalue %0[0]
// CHECK-NEXT:    llvm.call @free(%1) : (!llvm.ptr) -> ()
func.func @dealloc(%m: memref<8xf32>) {
  memref.dealloc %m : memref<8xf32>
  return
}
