// RUN: mlopt %s --canonicalize --allow-unregistered-dialect | filecheck %s

// CHECK-LABEL: func.func @there_and_back
// CHECK-SAME: (%[[T:.*]]: tensor<4xf32>, %[[M:.*]]: memref<4xf32>)
// CHECK-NEXT: return %[[T]], %[[M]]
func.func @there_and_back(%t: tensor<4xf32>, %m: memref<4xf32>) -> (tensor<4xf32>, memref<4xf32>) {
  %a = bufferization.to_buffer %t : tensor<4xf32> to memref<4xf32>
  %b = bufferization.to_tensor %a : memref<4xf32> to tensor<4xf32>
  %c = bufferization.to_tensor %m : memref<4xf32> to tensor<4xf32>
  %d = bufferization.to_buffer %c : tensor<4xf32> to memref<4xf32>
  func.return %b, %d : tensor<4xf32>, memref<4xf32>
}

// Somebody writes in between.
// CHECK-LABEL: func.func @written
// CHECK: memref.store
// CHECK: bufferization.to_tensor
func.func @written(%t: tensor<4xf32>, %f: f32, %i: index) -> tensor<4xf32> {
  %a = bufferization.to_buffer %t : tensor<4xf32> to memref<4xf32>
  memref.store %f, %a[%i] : memref<4xf32>
  %b = bufferization.to_tensor %a : memref<4xf32> to tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// A cast may forget a layout, not claim one.
// CHECK-LABEL: func.func @layouts
// CHECK-SAME: (%[[M:.*]]: memref<4xf32>, %[[N:.*]]: memref<4xf32, strided<[?], offset: ?>>)
// CHECK: %[[A:.*]] = memref.cast %[[M]] : memref<4xf32> to memref<4xf32, strided<[?], offset: ?>>
// CHECK: %[[B:.*]] = memref.alloc() : memref<4xf32>
// CHECK: memref.copy %[[N]], %[[B]]
// CHECK: return %[[A]], %[[B]]
func.func @layouts(%m: memref<4xf32>, %n: memref<4xf32, strided<[?], offset: ?>>)
    -> (memref<4xf32, strided<[?], offset: ?>>, memref<4xf32>) {
  %a = bufferization.to_tensor %m : memref<4xf32> to tensor<4xf32>
  %b = bufferization.to_buffer %a : tensor<4xf32> to memref<4xf32, strided<[?], offset: ?>>
  %c = bufferization.to_tensor %n : memref<4xf32, strided<[?], offset: ?>> to tensor<4xf32>
  %d = bufferization.to_buffer %c : tensor<4xf32> to memref<4xf32>
  func.return %b, %d : memref<4xf32, strided<[?], offset: ?>>, memref<4xf32>
}

// CHECK-LABEL: func.func @clones
// CHECK-SAME: (%[[M:.*]]: memref<?xf32>, %[[N:.*]]: memref<?xf32>)
// CHECK-NEXT: memref.dealloc %[[N]]
// CHECK-NEXT: %[[C:.*]] = bufferization.clone %[[N]]
// CHECK-NEXT: return %[[M]], %[[C]]
func.func @clones(%m: memref<?xf32>, %n: memref<?xf32>) -> (memref<?xf32>, memref<?xf32>) {
  %a = bufferization.clone %m : memref<?xf32> to memref<?xf32>
  memref.dealloc %m : memref<?xf32>
  memref.dealloc %n : memref<?xf32>
  %b = bufferization.clone %n : memref<?xf32> to memref<?xf32>
  func.return %a, %b : memref<?xf32>, memref<?xf32>
}

// CHECK-LABEL: func.func @freed
// CHECK-SAME: (%[[A:.*]]: memref<2xf32>, %[[B:.*]]: memref<2xf32>, %[[C:.*]]: i1, %[[D:.*]]: i1)
// CHECK-NEXT: %[[E:.*]] = arith.ori %[[C]], %[[D]] : i1
// CHECK-NEXT: %[[R:.*]] = bufferization.dealloc (%[[A]] : memref<2xf32>) if (%[[E]]) retain (%[[B]] : memref<2xf32>)
// CHECK-NEXT: return %[[R]], %[[R]] : i1, i1
func.func @freed(%a: memref<2xf32>, %b: memref<2xf32>, %c: i1, %d: i1) -> (i1, i1) {
  %false = arith.constant false
  %r:2 = bufferization.dealloc (%a, %a, %b : memref<2xf32>, memref<2xf32>, memref<2xf32>) if (%c, %d, %false)
    retain (%b, %b : memref<2xf32>, memref<2xf32>)
  func.return %r#0, %r#1 : i1, i1
}
