// RUN: mlopt %s --split-input-file --bufferization-lower-deallocations --validate-each | filecheck %s

// CHECK-LABEL: func.func @one
// CHECK-NEXT:    scf.if %c {
// CHECK-NEXT:      memref.dealloc %m : memref<2xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @one(%m: memref<2xf32>, %c: i1) {
  bufferization.dealloc (%m : memref<2xf32>) if (%c)
  return
}

// CHECK-LABEL: func.func @one_retained
// CHECK-NEXT:    %[[M:.*]] = memref.extract_aligned_pointer_as_index %m
// CHECK-NEXT:    %[[R:.*]] = memref.extract_aligned_pointer_as_index %r
// CHECK-NEXT:    %[[DIFFERS:.*]] = arith.cmpi ne, %[[M]], %[[R]] : index
// CHECK-NEXT:    %[[FREE:.*]] = arith.andi %[[DIFFERS]], %c : i1
// CHECK-NEXT:    scf.if %[[FREE]] {
// CHECK-NEXT:      memref.dealloc %m : memref<2xf32>
// CHECK-NEXT:    }
// CHECK:         %[[SAME:.*]] = arith.xori %[[DIFFERS]], %true : i1
// CHECK-NEXT:    %[[OWNED:.*]] = arith.andi %[[SAME]], %c : i1
// CHECK-NEXT:    return %[[OWNED]] : i1
func.func @one_retained(%m: memref<2xf32>, %r: memref<2xf32>, %c: i1) -> i1 {
  %0 = bufferization.dealloc (%m : memref<2xf32>) if (%c) retain (%r : memref<2xf32>)
  return %0 : i1
}

// -----

// CHECK-LABEL: func.func @several
// CHECK-COUNT-5: memref.alloc()
// CHECK:         call @dealloc_helper_0(
// CHECK-COUNT-2: scf.if
// CHECK-LABEL: func.func private @dealloc_helper()
// CHECK-LABEL: func.func private @dealloc_helper_0(
func.func @several(%c: i1, %d: i1) -> (i1, memref<2xf32>) {
  %m = memref.alloc() : memref<2xf32>
  %n = memref.alloc() : memref<2xf32>
  %part = memref.subview %n[0] [1] [1] : memref<2xf32> to memref<1xf32, strided<[1]>>
  %0 = bufferization.dealloc (%m, %n : memref<2xf32>, memref<2xf32>) if (%c, %d) retain (%part : memref<1xf32, strided<[1]>>)
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%n : memref<2xf32>)
  return %0, %n : i1, memref<2xf32>
}
func.func private @dealloc_helper()
