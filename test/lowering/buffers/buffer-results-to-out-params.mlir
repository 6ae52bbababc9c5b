// RUN: mlopt %s --buffer-results-to-out-params --split-input-file --verify-diagnostics --validate-each | filecheck %s
// RUN: mlopt %s --buffer-results-to-out-params='hoist-static-allocs=true add-result-attr=true' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=HOIST

// CHECK-LABEL: func.func private @f(
// CHECK-SAME:      %x: f32, %[[OUT:.*]]: memref<4xf32>) -> f32 {
// CHECK:         memref.copy %m, %[[OUT]]
// CHECK-NEXT:    return %x : f32
// CHECK-LABEL: func.func @main
// CHECK:         %[[R:.*]] = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    %{{.*}} = call @f(%x, %[[R]]) : (f32, memref<4xf32>) -> f32
// HOIST-LABEL: func.func private @f(
// HOIST-SAME:      %x: f32, %[[OUT:.*]]: memref<4xf32> {bufferize.result}) -> f32 {
// HOIST-NOT:     memref.alloc
// HOIST:         linalg.fill ins(%x : f32) outs(%[[OUT]] : memref<4xf32>)
func.func private @f(%x: f32) -> (memref<4xf32>, f32) {
  %m = memref.alloc() : memref<4xf32>
  linalg.fill ins(%x : f32) outs(%m : memref<4xf32>)
  return %m, %x : memref<4xf32>, f32
}
func.func @main(%x: f32) -> (memref<4xf32>, f32) {
  %r:2 = call @f(%x) : (f32) -> (memref<4xf32>, f32)
  return %r#0, %r#1 : memref<4xf32>, f32
}

// -----

// expected-error @+1 {{cannot create out param for result with unsupported layout}}
func.func private @layout(%m: memref<4xf32, strided<[2]>>) -> memref<4xf32, strided<[2]>> {
  return %m : memref<4xf32, strided<[2]>>
}

// -----

func.func private @dynamic(%m: memref<?xf32>) -> memref<?xf32> {
  return %m : memref<?xf32>
}
func.func @calls(%m: memref<?xf32>) -> memref<?xf32> {
  // expected-error @+1 {{cannot create out param for dynamically shaped result}}
  %r = call @dynamic(%m) : (memref<?xf32>) -> memref<?xf32>
  return %r : memref<?xf32>
}
