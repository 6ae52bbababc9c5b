// RUN: mlopt %s --plan-memory | filecheck %s

// CHECK: module attributes {stepwell.arena_lower_bound = 192 : i64, stepwell.arena_size = 192 : i64, stepwell.weights_size = 192 : i64} {

// CHECK-LABEL: memref.global "private" constant @w : memref<20xf32> = dense<1.000000e+00> {alignment = 64 : i64, offset = 0 : i64}
// CHECK-LABEL: memref.global "private" constant @v : memref<3xi1> = dense<true> {alignment = 64 : i64, offset = 128 : i64}
// %a and %b live at one time, %c after both. A buffer from outside of a loop lives through all of it.
memref.global "private" constant @w : memref<20xf32> = dense<1.0> {alignment = 64 : i64}
memref.global "private" constant @v : memref<3xi1> = dense<true> {alignment = 64 : i64}

// CHECK-LABEL: func.func @main(%arena: memref<?xi8>, %weights: memref<?xi8>, %x: memref<16xf32> {nn.name = "in"}, %out: memref<16xf32>) {
// CHECK-NEXT:      %c64 = arith.constant 64 : index
// CHECK-NEXT:      %c128 = arith.constant 128 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c0_0 = arith.constant 0 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %c4 = arith.constant 4 : index
// CHECK-NEXT:      %w = memref.view %weights[%c0][] : memref<?xi8> to memref<20xf32>
// CHECK-NEXT:      %v = memref.view %weights[%c128][] : memref<?xi8> to memref<3xi1>
// CHECK-NEXT:      %a = memref.view %arena[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:      %b = memref.view %arena[%c64][] : memref<?xi8> to memref<4x4xf32>
// CHECK-NEXT:      %c = memref.view %arena[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:      call @f(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      %b1 = memref.collapse_shape %b {{\[\[}}0, 1]] : memref<4x4xf32> into memref<16xf32>
// CHECK-NEXT:      call @f(%a, %b1) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      call @g(%w, %v, %c) : (memref<20xf32>, memref<3xi1>, memref<16xf32>) -> ()
// CHECK-NEXT:      scf.for %i = %c0_0 to %c4 step %c1 {
// CHECK-NEXT:        %t = memref.view %arena[%c128][] : memref<?xi8> to memref<16xf32>
// CHECK-NEXT:        func.call @f(%b1, %t) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:        func.call @f(%t, %c) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      }
// CHECK-NEXT:      call @f(%c, %out) : (memref<16xf32>, memref<16xf32>) -> ()
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func @main(%x: memref<16xf32> {nn.name = "in"}, %out: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %w = memref.get_global @w : memref<20xf32>
  %v = memref.get_global @v : memref<3xi1>
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<4x4xf32>
  %c = memref.alloc() : memref<16xf32>
  %unused = memref.alloc() : memref<1000xf32>
  func.call @f(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  %b1 = memref.collapse_shape %b [[0, 1]] : memref<4x4xf32> into memref<16xf32>
  func.call @f(%a, %b1) : (memref<16xf32>, memref<16xf32>) -> ()
  func.call @g(%w, %v, %c) : (memref<20xf32>, memref<3xi1>, memref<16xf32>) -> ()
  scf.for %i = %c0 to %c4 step %c1 {
    %t = memref.alloc() : memref<16xf32>
    func.call @f(%b1, %t) : (memref<16xf32>, memref<16xf32>) -> ()
    func.call @f(%t, %c) : (memref<16xf32>, memref<16xf32>) -> ()
  }
  func.call @f(%c, %out) : (memref<16xf32>, memref<16xf32>) -> ()
  func.return
}

func.func private @f(memref<16xf32>, memref<16xf32>) -> ()
func.func private @g(memref<20xf32>, memref<3xi1>, memref<16xf32>) -> ()
