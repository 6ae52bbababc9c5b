// RUN: mlopt %s --buffer-deallocation-pipeline --validate-each | filecheck %s

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %a = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    %t = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    memref.copy %x, %t : memref<4xf32> to memref<4xf32>
// CHECK-NEXT:    memref.copy %t, %a : memref<4xf32> to memref<4xf32>
// CHECK-NEXT:    memref.dealloc %t : memref<4xf32>
// CHECK-NEXT:    return %a : memref<4xf32>
func.func @f(%x: memref<4xf32>) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  %t = memref.alloc() : memref<4xf32>
  memref.copy %x, %t : memref<4xf32> to memref<4xf32>
  memref.copy %t, %a : memref<4xf32> to memref<4xf32>
  return %a : memref<4xf32>
}
