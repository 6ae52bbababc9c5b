// RUN: mlopt %s --buffer-deallocation-simplification --validate-each | filecheck %s

// Two allocations are two: each is freed without being compared with the other.
// CHECK-LABEL: func.func @two
// CHECK:         bufferization.dealloc (%a : memref<2xf32>) if (%c)
// CHECK-NEXT:    bufferization.dealloc (%b : memref<2xf32>) if (%d)
func.func @two(%c: i1, %d: i1) {
  %a = memref.alloc() : memref<2xf32>
  %b = memref.alloc() : memref<2xf32>
  bufferization.dealloc (%a, %b : memref<2xf32>, memref<2xf32>) if (%c, %d)
  return
}

// What is retained for sure is not freed.
// CHECK-LABEL: func.func @retained
// CHECK-NOT:     bufferization.dealloc
// CHECK:         return %c, %m
func.func @retained(%c: i1) -> (i1, memref<2xf32>) {
  %m = memref.alloc() : memref<2xf32>
  %0 = bufferization.dealloc (%m : memref<2xf32>) if (%c) retain (%m : memref<2xf32>)
  return %0, %m : i1, memref<2xf32>
}

// Arguments may be one buffer.
// CHECK-LABEL: func.func @arguments
// CHECK:         bufferization.dealloc (%x : memref<2xf32>) if (%c) retain (%y : memref<2xf32>)
func.func @arguments(%c: i1, %x: memref<2xf32>, %y: memref<2xf32>) -> i1 {
  %0 = bufferization.dealloc (%x : memref<2xf32>) if (%c) retain (%y : memref<2xf32>)
  return %0 : i1
}
