// RUN: mlopt %s --bufferize-main | filecheck %s

// Tensors that branches and loops carry are buffers that stand around them; conditions are read from memory.
// CHECK-LABEL: func.func @main(%c: memref<i1>, %n: index, %x: memref<4xf32>, %out0: memref<4xf32>, %out1: memref<4xf32>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %flag = memref.load %c[] : memref<i1>
// CHECK-NEXT:    scf.if %flag {
// CHECK-NEXT:      func.call @k(%x, %out0) : (memref<4xf32>, memref<4xf32>) -> ()
// CHECK-NEXT:    } else {
// CHECK-NEXT:    }
// CHECK-NEXT:    %z:2 = scf.while (%i = %c0, %go = %flag) : (index, i1) -> (index, i1) {
// CHECK-NEXT:      %less = arith.cmpi slt, %i, %n : index
// CHECK-NEXT:      %on = arith.andi %less, %go : i1
// CHECK-NEXT:      scf.condition(%on) %i, %go : index, i1
// CHECK-NEXT:    } do {
// CHECK-NEXT:    ^bb0(%i: index, %go: i1):
// CHECK-NEXT:      %e = memref.alloc() : memref<index>
// CHECK-NEXT:      memref.store %i, %e[] : memref<index>
// CHECK-NEXT:      func.call @numbered(%e, %out1) : (memref<index>, memref<4xf32>) -> ()
// CHECK-NEXT:      %j = arith.addi %i, %c1 : index
// CHECK-NEXT:      scf.yield %j, %go : index, i1
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @main(%c: tensor<i1>, %n: index, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e0 = tensor.empty() : tensor<4xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %flag = tensor.extract %c[] : tensor<i1>
  %y = scf.if %flag -> (tensor<4xf32>) {
    %xb = bufferization.to_buffer %x read_only : tensor<4xf32> to memref<4xf32>
    %eb = bufferization.to_buffer %e0 : tensor<4xf32> to memref<4xf32>
    func.call @k(%xb, %eb) : (memref<4xf32>, memref<4xf32>) -> ()
    %r = bufferization.to_tensor %eb restrict writable : memref<4xf32> to tensor<4xf32>
    scf.yield %r : tensor<4xf32>
  } else {
    scf.yield %e0 : tensor<4xf32>
  }
  %z:3 = scf.while (%i = %c0, %go = %flag, %h = %e1) : (index, i1, tensor<4xf32>) -> (index, i1, tensor<4xf32>) {
    %less = arith.cmpi slt, %i, %n : index
    %on = arith.andi %less, %go : i1
    scf.condition(%on) %i, %go, %h : index, i1, tensor<4xf32>
  } do {
  ^bb0(%i: index, %go: i1, %h: tensor<4xf32>):
    %e = tensor.empty() : tensor<index>
    %t = tensor.insert %i into %e[] : tensor<index>
    %tb = bufferization.to_buffer %t read_only : tensor<index> to memref<index>
    %hb = bufferization.to_buffer %h : tensor<4xf32> to memref<4xf32>
    func.call @numbered(%tb, %hb) : (memref<index>, memref<4xf32>) -> ()
    %r = bufferization.to_tensor %hb restrict writable : memref<4xf32> to tensor<4xf32>
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %go, %r : index, i1, tensor<4xf32>
  }
  func.return %y, %z#2 : tensor<4xf32>, tensor<4xf32>
}
func.func private @k(memref<4xf32>, memref<4xf32>)
func.func private @numbered(memref<index>, memref<4xf32>)
