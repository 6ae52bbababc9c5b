// RUN: mlopt %s --promote-buffers-to-stack --validate-each | filecheck %s
// RUN: mlopt %s --promote-buffers-to-stack=max-alloc-size-in-bytes=8 | filecheck %s --check-prefix=SMALL

// CHECK-LABEL: func.func @f
// CHECK:         %a = memref.alloca() : memref<4xf32>
// CHECK-NEXT:    %big = memref.alloc() : memref<1024xf32>
// CHECK-NEXT:    %returned = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    %freed = memref.alloc() : memref<4xf32>
// SMALL-LABEL: func.func @f
// SMALL-NOT:     memref.alloca()
func.func @f(%x: f32) -> memref<4xf32> {
  %c0 = arith.constant 0 : index
  %a = memref.alloc() : memref<4xf32>
  %big = memref.alloc() : memref<1024xf32>
  %returned = memref.alloc() : memref<4xf32>
  %freed = memref.alloc() : memref<4xf32>
  memref.store %x, %a[%c0] : memref<4xf32>
  memref.store %x, %big[%c0] : memref<1024xf32>
  memref.store %x, %freed[%c0] : memref<4xf32>
  linalg.fill ins(%x : f32) outs(%returned : memref<4xf32>)
  memref.dealloc %freed : memref<4xf32>
  return %returned : memref<4xf32>
}
