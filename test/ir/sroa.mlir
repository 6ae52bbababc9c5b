// RUN: mlopt %s --sroa --validate-each | filecheck %s
// RUN: mlopt %s --sroa --mem2reg --validate-each | filecheck %s --check-prefix=BOTH

// The element that nobody accesses gets no memory.
// CHECK-LABEL: func.func @elements
// CHECK:         %alloca = memref.alloca() : memref<i32>
// CHECK-NEXT:    %alloca_0 = memref.alloca() : memref<i32>
// CHECK-NEXT:    memref.store %x, %alloca[] : memref<i32>
// CHECK-NEXT:    memref.store %y, %alloca_0[] : memref<i32>
// CHECK-NEXT:    %r = memref.load %alloca[] : memref<i32>
// CHECK-NEXT:    return %r : i32
// BOTH-LABEL: func.func @elements
// BOTH-NOT:     memref
// BOTH:         return %x : i32
func.func @elements(%x: i32, %y: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %m = memref.alloca() : memref<3xi32>
  memref.store %x, %m[%c0] : memref<3xi32>
  memref.store %y, %m[%c2] : memref<3xi32>
  %r = memref.load %m[%c0] : memref<3xi32>
  return %r : i32
}

// Which element, must be known; and there may not be too many.
// CHECK-LABEL: func.func @stays
// CHECK:         memref.alloca() : memref<3xi32>
// CHECK:         memref.alloca() : memref<17xi32>
func.func @stays(%x: i32, %k: index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %i = arith.minui %k, %c2 : index
  %m = memref.alloca() : memref<3xi32>
  %n = memref.alloca() : memref<17xi32>
  memref.store %x, %m[%i] : memref<3xi32>
  memref.store %x, %n[%c0] : memref<17xi32>
  return
}
