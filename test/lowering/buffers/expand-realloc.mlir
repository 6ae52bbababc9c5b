// RUN: mlopt %s --expand-realloc --validate-each | filecheck %s
// RUN: mlopt %s --expand-realloc='emit-deallocs=false' | filecheck %s --check-prefix=KEEP

// CHECK-LABEL: func.func @grow
// CHECK:         %a = memref.alloc(%c2) : memref<?xf32>
// CHECK:         %[[OLD:.*]] = memref.dim %a
// CHECK-NEXT:    %[[SMALL:.*]] = arith.cmpi ult, %[[OLD]], %n : index
// CHECK-NEXT:    %b = scf.if %[[SMALL]] -> (memref<?xf32>) {
// CHECK-NEXT:      %[[NEW:.*]] = memref.alloc(%n) : memref<?xf32>
// CHECK-NEXT:      %[[PART:.*]] = memref.subview %[[NEW]][0] [%[[OLD]]] [1]
// CHECK-NEXT:      memref.copy %a, %[[PART]]
// CHECK-NEXT:      memref.dealloc %a : memref<?xf32>
// CHECK-NEXT:      scf.yield %[[NEW]] : memref<?xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[VIEW:.*]] = memref.reinterpret_cast %a to offset: [0], sizes: [%n], strides: [1]
// CHECK-NEXT:      scf.yield %[[VIEW]] : memref<?xf32>
// KEEP-LABEL: func.func @grow
// KEEP-NOT:     memref.dealloc
func.func @grow(%x: f32, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = memref.alloc(%c2) : memref<?xf32>
  memref.store %x, %a[%c0] : memref<?xf32>
  %b = memref.realloc %a(%n) : memref<?xf32> to memref<?xf32>
  %r = memref.load %b[%c0] : memref<?xf32>
  return %r : f32
}
