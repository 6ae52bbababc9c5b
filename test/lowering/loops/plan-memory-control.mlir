// RUN: mlopt %s --plan-memory | filecheck %s

// Buffers of the two branches may share bytes; one that a loop keeps from step to step shares with nothing inside the loop.
// CHECK-LABEL: func.func @main(%arena: memref<?xi8>, %weights: memref<?xi8>, %c: memref<i1>, %x: memref<16xf32>, %y: memref<16xf32>) {
// CHECK-NEXT:    %c64 = arith.constant 64 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %kept = memref.view %arena[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:    %flag = memref.load %c[] : memref<i1>
// CHECK-NEXT:    scf.if %flag {
// CHECK-NEXT:      %a = memref.view %arena[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:      func.call @k(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      func.call @k(%a, %y) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %b = memref.view %arena[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:      func.call @k(%y, %b) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      func.call @k(%b, %y) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:    }
// CHECK-NEXT:    call @k(%x, %kept) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:    scf.while (%go = %flag) : (i1) -> () {
// CHECK-NEXT:      scf.condition(%go)
// CHECK-NEXT:    } do {
// CHECK-NEXT:      %d = memref.view %arena[%c64][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:      func.call @k(%kept, %d) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      func.call @k(%d, %y) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      %e = memref.view %arena[%c64][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:      func.call @k(%y, %e) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      func.call @k(%e, %kept) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      %on = memref.load %c[] : memref<i1>
// CHECK-NEXT:      scf.yield %on : i1
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @main(%c: memref<i1>, %x: memref<16xf32>, %y: memref<16xf32>) {
  %kept = memref.alloc() : memref<16xf32>
  %flag = memref.load %c[] : memref<i1>
  scf.if %flag {
    %a = memref.alloc() : memref<16xf32>
    func.call @k(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
    func.call @k(%a, %y) : (memref<16xf32>, memref<16xf32>) -> ()
  } else {
    %b = memref.alloc() : memref<16xf32>
    func.call @k(%y, %b) : (memref<16xf32>, memref<16xf32>) -> ()
    func.call @k(%b, %y) : (memref<16xf32>, memref<16xf32>) -> ()
  }
  func.call @k(%x, %kept) : (memref<16xf32>, memref<16xf32>) -> ()
  scf.while (%go = %flag) : (i1) -> () {
    scf.condition(%go)
  } do {
    %d = memref.alloc() : memref<16xf32>
    func.call @k(%kept, %d) : (memref<16xf32>, memref<16xf32>) -> ()
    func.call @k(%d, %y) : (memref<16xf32>, memref<16xf32>) -> ()
    %e = memref.alloc() : memref<16xf32>
    func.call @k(%y, %e) : (memref<16xf32>, memref<16xf32>) -> ()
    func.call @k(%e, %kept) : (memref<16xf32>, memref<16xf32>) -> ()
    %on = memref.load %c[] : memref<i1>
    scf.yield %on : i1
  }
  func.return
}
func.func private @k(memref<16xf32>, memref<16xf32>)
