// RUN: mlopt %s --bufferize-main | filecheck %s

// The destination of the result is an argument; a part of it is a subview; the loop carries nothing any more.
// CHECK-LABEL: memref.global "private" constant @bias : memref<8xf32> = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00, 5.000000e+00, 6.000000e+00, 7.000000e+00, 8.000000e+00]> {alignment = 64 : i64}
// CHECK-LABEL: func.func @main(%x: memref<5x8xf32> {nn.name = "in"}, %out: memref<6x8xf32> {nn.name = "y"}) {
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %c5 = arith.constant 5 : index
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %bias = memref.get_global @bias : memref<8xf32>
// CHECK-NEXT:      %subview = memref.subview %out[5, 0] [1, 8] [1, 1] : memref<6x8xf32> to memref<8xf32, strided<[1], offset: 40>>
// CHECK-NEXT:      %cast = memref.cast %bias : memref<8xf32> to memref<8xf32, strided<[1], offset: ?>>
// CHECK-NEXT:      %cast_0 = memref.cast %subview : memref<8xf32, strided<[1], offset: 40>> to memref<8xf32, strided<[1], offset: ?>>
// CHECK-NEXT:      call @f(%cast, %cast_0, %c8) : (memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
// CHECK-NEXT:      scf.for %t = %c0 to %c5 step %c1 {
// CHECK-NEXT:        %subview_1 = memref.subview %x[%t, 0] [1, 8] [1, 1] : memref<5x8xf32> to memref<8xf32, strided<[1], offset: ?>>
// CHECK-NEXT:        %d = memref.alloc() : memref<8xf32>
// CHECK-NEXT:        %cast_2 = memref.cast %d : memref<8xf32> to memref<8xf32, strided<[1], offset: ?>>
// CHECK-NEXT:        func.call @f(%subview_1, %cast_2, %c8) : (memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
// CHECK-NEXT:        %subview_3 = memref.subview %out[%t, 0] [1, 8] [1, 1] : memref<6x8xf32> to memref<8xf32, strided<[1], offset: ?>>
// CHECK-NEXT:        func.call @f(%cast_2, %subview_3, %c8) : (memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
// CHECK-NEXT:      }
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func @main(%x: tensor<5x8xf32> {nn.name = "in"}) -> (tensor<6x8xf32> {nn.name = "y"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %bias = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %e = tensor.empty() : tensor<6x8xf32>
  %s = tensor.extract_slice %e[5, 0] [1, 8] [1, 1] : tensor<6x8xf32> to tensor<8xf32>
  %b0 = bufferization.to_buffer %bias read_only : tensor<8xf32> to memref<8xf32, strided<[1], offset: ?>>
  %b1 = bufferization.to_buffer %s : tensor<8xf32> to memref<8xf32, strided<[1], offset: ?>>
  func.call @f(%b0, %b1, %c8) : (memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
  %r = bufferization.to_tensor %b1 restrict writable : memref<8xf32, strided<[1], offset: ?>> to tensor<8xf32>
  %1 = tensor.insert_slice %r into %e[5, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<6x8xf32>
  %y = scf.for %t = %c0 to %c5 step %c1 iter_args(%a = %1) -> (tensor<6x8xf32>) {
    %xt = tensor.extract_slice %x[%t, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<8xf32>
    %d = tensor.empty() : tensor<8xf32>
    %b2 = bufferization.to_buffer %xt read_only : tensor<8xf32> to memref<8xf32, strided<[1], offset: ?>>
    %b3 = bufferization.to_buffer %d : tensor<8xf32> to memref<8xf32, strided<[1], offset: ?>>
    func.call @f(%b2, %b3, %c8) : (memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
    %u = bufferization.to_tensor %b3 restrict writable : memref<8xf32, strided<[1], offset: ?>> to tensor<8xf32>
    %at = tensor.extract_slice %a[%t, 0] [1, 8] [1, 1] : tensor<6x8xf32> to tensor<8xf32>
    %b4 = bufferization.to_buffer %u read_only : tensor<8xf32> to memref<8xf32, strided<[1], offset: ?>>
    %b5 = bufferization.to_buffer %at : tensor<8xf32> to memref<8xf32, strided<[1], offset: ?>>
    func.call @f(%b4, %b5, %c8) : (memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
    %v = bufferization.to_tensor %b5 restrict writable : memref<8xf32, strided<[1], offset: ?>> to tensor<8xf32>
    %an = tensor.insert_slice %v into %a[%t, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<6x8xf32>
    scf.yield %an : tensor<6x8xf32>
  }
  func.return %y : tensor<6x8xf32>
}

func.func private @f(memref<8xf32, strided<[1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>, index) -> ()
