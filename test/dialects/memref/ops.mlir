// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

// CHECK: memref.global "private" constant @w : memref<2x2xf32> = dense<{{\[\[}}0.000000e+00, 1.000000e+00], [2.000000e+00, 3.000000e+00]]> {alignment = 64 : i64, offset = 128 : i64}
memref.global "private" constant @w : memref<2x2xf32> = dense<[[0.0, 1.0], [2.0, 3.0]]> {alignment = 64 : i64, offset = 128 : i64}
// CHECK: memref.global "private" @u : memref<4xi8> = uninitialized
memref.global "private" @u : memref<4xi8> = uninitialized
// CHECK: memref.global @ext : memref<4xf32>
memref.global @ext : memref<4xf32>
// CHECK: memref.global constant @s : memref<4x1024xf32> = dense<1.500000e+00>
memref.global constant @s : memref<4x1024xf32> = dense<1.5>
// CHECK-LABEL: func.func @f(%m: memref<?x?xf32>, %arena: memref<?xi8>, %i: index, %n: index, %z: memref<f32, strided<[], offset: ?>>, %k: memref<8x4xf32, strided<[?, 1], offset: ?>>) {
func.func @f(%m: memref<?x?xf32>, %arena: memref<?xi8>, %i: index, %n: index, %z: memref<f32, strided<[], offset: ?>>, %k: memref<8x4xf32, strided<[?, 1], offset: ?>>) {
  // CHECK-NEXT: memref.prefetch %m[%i, %n], read, locality<3>, data : memref<?x?xf32>
  memref.prefetch %m[%i, %n], read, locality<3>, data : memref<?x?xf32>
  // CHECK-NEXT: %g = memref.get_global @w : memref<2x2xf32>
  %g = memref.get_global @w : memref<2x2xf32>
  // CHECK-NEXT: %c = memref.cast %g : memref<2x2xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  %c = memref.cast %g : memref<2x2xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  // CHECK-NEXT: memref.copy %g, %c : memref<2x2xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  memref.copy %g, %c : memref<2x2xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  // CHECK-NEXT: %v = memref.view %arena[%i][%n] : memref<?xi8> to memref<?x4xf32>
  %v = memref.view %arena[%i][%n] : memref<?xi8> to memref<?x4xf32>
  // CHECK-NEXT: %sv = memref.subview %m[%i, 0] [14, 32] [1, 1] : memref<?x?xf32> to memref<14x32xf32, strided<[?, 1], offset: ?>>
  %sv = memref.subview %m[%i, 0] [14, 32] [1, 1] : memref<?x?xf32> to memref<14x32xf32, strided<[?, 1], offset: ?>>
  // CHECK-NEXT: %sr = memref.subview %m[%i, 0] [1, %n] [1, 1] : memref<?x?xf32> to memref<?xf32, strided<[1], offset: ?>>
  %sr = memref.subview %m[%i, 0] [1, %n] [1, 1] : memref<?x?xf32> to memref<?xf32, strided<[1], offset: ?>>
  // CHECK-NEXT: %s2 = memref.subview %g[0, 1] [2, 1] [1, 1] : memref<2x2xf32> to memref<2x1xf32, strided<[2, 1], offset: 1>>
  %s2 = memref.subview %g[0, 1] [2, 1] [1, 1] : memref<2x2xf32> to memref<2x1xf32, strided<[2, 1], offset: 1>>
  // CHECK-NEXT: %rc = memref.reinterpret_cast %m to offset: [%i], sizes: [4, %n], strides: [%n, 1] : memref<?x?xf32> to memref<4x?xf32, strided<[?, 1], offset: ?>>
  %rc = memref.reinterpret_cast %m to offset: [%i], sizes: [4, %n], strides: [%n, 1] : memref<?x?xf32> to memref<4x?xf32, strided<[?, 1], offset: ?>>
  // CHECK-NEXT: %e = memref.expand_shape %v {{\[\[}}0, 1], [2]] output_shape [2, %n, 4] : memref<?x4xf32> into memref<2x?x4xf32>
  %e = memref.expand_shape %v [[0, 1], [2]] output_shape [2, %n, 4] : memref<?x4xf32> into memref<2x?x4xf32>
  // CHECK-NEXT: %cl = memref.collapse_shape %e {{\[\[}}0, 1, 2]] : memref<2x?x4xf32> into memref<?xf32>
  %cl = memref.collapse_shape %e [[0, 1, 2]] : memref<2x?x4xf32> into memref<?xf32>
  // CHECK-NEXT: %ek = memref.expand_shape %k {{\[\[}}0, 1], [2]] output_shape [2, 4, 4] : memref<8x4xf32, strided<[?, 1], offset: ?>> into memref<2x4x4xf32, strided<[?, ?, 1], offset: ?>>
  %ek = memref.expand_shape %k [[0, 1], [2]] output_shape [2, 4, 4] : memref<8x4xf32, strided<[?, 1], offset: ?>> into memref<2x4x4xf32, strided<[?, ?, 1], offset: ?>>
  // CHECK-NEXT: %ck = memref.collapse_shape %ek {{\[\[}}0, 1], [2]] : memref<2x4x4xf32, strided<[?, ?, 1], offset: ?>> into memref<8x4xf32, strided<[?, 1], offset: ?>>
  %ck = memref.collapse_shape %ek [[0, 1], [2]] : memref<2x4x4xf32, strided<[?, ?, 1], offset: ?>> into memref<8x4xf32, strided<[?, 1], offset: ?>>
  // CHECK-NEXT: %r = memref.rank %m : memref<?x?xf32>
  %r = memref.rank %m : memref<?x?xf32>
  // CHECK-NEXT: %p = memref.extract_aligned_pointer_as_index %m : memref<?x?xf32> -> index
  %p = memref.extract_aligned_pointer_as_index %m : memref<?x?xf32> -> index
  // CHECK-NEXT: %a = memref.alloc(%n) {alignment = 64 : i64} : memref<?x4xf32>
  %a = memref.alloc(%n) {alignment = 64 : i64} : memref<?x4xf32>
  // CHECK-NEXT: %b = memref.alloca() : memref<14x32xf32>
  %b = memref.alloca() : memref<14x32xf32>
  // CHECK-NEXT: %al = memref.assume_alignment %a, 64 : memref<?x4xf32>
  %al = memref.assume_alignment %a, 64 : memref<?x4xf32>
  // CHECK-NEXT: memref.dealloc %a : memref<?x4xf32>
  memref.dealloc %a : memref<?x4xf32>
  // CHECK-NEXT: return
  func.return
// CHECK-NEXT: }
}
