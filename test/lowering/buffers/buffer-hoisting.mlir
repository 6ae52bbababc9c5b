// RUN: mlopt %s --buffer-hoisting --validate-each | filecheck %s

// Both ways allocate in front of the choice.
// CHECK-LABEL: func.func @choice
// CHECK-NEXT:    %a = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    %b = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    %r = scf.if %c
func.func @choice(%c: i1, %x: memref<4xf32>, %y: memref<4xf32>) {
  %r = scf.if %c -> memref<4xf32> {
    %a = memref.alloc() : memref<4xf32>
    memref.copy %x, %a : memref<4xf32> to memref<4xf32>
    scf.yield %a : memref<4xf32>
  } else {
    %b = memref.alloc() : memref<4xf32>
    memref.copy %y, %b : memref<4xf32> to memref<4xf32>
    scf.yield %b : memref<4xf32>
  }
  memref.copy %r, %y : memref<4xf32> to memref<4xf32>
  return
}

// Not above what says its extent, and not out of a loop.
// CHECK-LABEL: func.func @extent
// CHECK:         scf.for
// CHECK-NEXT:      %n = arith.addi %i, %c1 : index
// CHECK-NEXT:      %a = memref.alloc(%n)
func.func @extent(%m: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %m step %c1 {
    %n = arith.addi %i, %c1 : index
    %a = memref.alloc(%n) : memref<?xf32>
    scf.yield
  }
  return
}
