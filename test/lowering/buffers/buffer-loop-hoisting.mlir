// RUN: mlopt %s --buffer-loop-hoisting --validate-each | filecheck %s

// Out of both loops, as far as the extent is known.
// CHECK-LABEL: func.func @twice
// CHECK:         %a = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    scf.for %i
// CHECK-NEXT:      %b = memref.alloc(%i) : memref<?xf32>
// CHECK-NEXT:      scf.for %j
func.func @twice(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %i step %c1 {
      %a = memref.alloc() : memref<4xf32>
      %b = memref.alloc(%i) : memref<?xf32>
      memref.store %x, %a[%c0] : memref<4xf32>
      memref.store %x, %b[%j] : memref<?xf32>
    }
  }
  return
}

// What goes to the next turn is allocated anew.
// CHECK-LABEL: func.func @carried
// CHECK:         scf.for
// CHECK-NEXT:      %a = memref.alloc()
func.func @carried(%n: index, %m: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%k = %m) -> memref<4xf32> {
    %a = memref.alloc() : memref<4xf32>
    memref.copy %k, %a : memref<4xf32> to memref<4xf32>
    scf.yield %a : memref<4xf32>
  }
  memref.copy %r, %m : memref<4xf32> to memref<4xf32>
  return
}
