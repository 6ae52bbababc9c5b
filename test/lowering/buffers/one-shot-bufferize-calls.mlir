// RUN: mlopt %s --one-shot-bufferize | filecheck %s

// Where functions stay as they are, calls do: they get tensors, and what they give must not be overwritten.
// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %alloc = memref.alloc() {alignment = 64 : i64} : memref<4xf32>
// CHECK-NEXT:    linalg.fill ins(%x : f32) outs(%alloc : memref<4xf32>)
// CHECK-NEXT:    %[[T:.*]] = bufferization.to_tensor %alloc : memref<4xf32> to tensor<4xf32>
// CHECK-NEXT:    %{{.*}} = call @g(%[[T]]) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK:         %[[NEW:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4xf32>
// CHECK:         memref.store %x, %[[NEW]][%i] : memref<4xf32>
func.func private @g(tensor<4xf32>) -> tensor<4xf32>
func.func @f(%t: tensor<4xf32>, %x: f32, %i: index) -> tensor<4xf32> {
  %0 = linalg.fill ins(%x : f32) outs(%t : tensor<4xf32>) -> tensor<4xf32>
  %1 = func.call @g(%0) : (tensor<4xf32>) -> tensor<4xf32>
  %2 = tensor.insert %x into %1[%i] : tensor<4xf32>
  return %2 : tensor<4xf32>
}
