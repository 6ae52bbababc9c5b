// RUN: mlopt %s | mlopt | filecheck %s

// CHECK-LABEL: func.func @both_ways
func.func @both_ways(%t: tensor<*xf32>, %n: index) -> tensor<*xf32> {
  // CHECK: bufferization.to_buffer %{{.*}} read_only : tensor<*xf32> to memref<*xf32>
  %b = bufferization.to_buffer %t read_only : tensor<*xf32> to memref<*xf32>
  // CHECK: bufferization.clone %{{.*}} : memref<*xf32> to memref<4xf32>
  %c = bufferization.clone %b : memref<*xf32> to memref<4xf32>
  // CHECK: bufferization.to_tensor %{{.*}} restrict writable : memref<4xf32> to tensor<4xf32>
  %u = bufferization.to_tensor %c restrict writable : memref<4xf32> to tensor<4xf32>
  // CHECK: bufferization.alloc_tensor(%{{.*}}) {memory_space = 1 : i64} : tensor<?xf32>
  %a = bufferization.alloc_tensor(%n) {memory_space = 1 : i64} : tensor<?xf32>
  // CHECK: bufferization.alloc_tensor() copy(%{{.*}}) : tensor<4xf32>
  %d = bufferization.alloc_tensor() copy(%u) : tensor<4xf32>
  // CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %{{.*}} : (tensor<4xf32>, memref<4xf32>) -> ()
  bufferization.materialize_in_destination %d in restrict writable %c : (tensor<4xf32>, memref<4xf32>) -> ()
  // CHECK: bufferization.dealloc_tensor %{{.*}} : tensor<?xf32>
  bufferization.dealloc_tensor %a : tensor<?xf32>
  func.return %t : tensor<*xf32>
}
