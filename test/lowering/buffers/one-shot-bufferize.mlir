// RUN: mlopt %s --one-shot-bufferize="bufferize-function-boundaries" | filecheck %s

// The result of the insertion needs a buffer of its own: %t is read afterwards.
// CHECK-LABEL: func.func @copied
// CHECK-SAME: (%[[T:.*]]: memref<?xf32, strided<[?], offset: ?>>, %[[F:.*]]: f32, %[[I:.*]]: index) -> (memref<?xf32>, f32)
// CHECK: %[[A:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?xf32>
// CHECK-NEXT: memref.copy %[[T]], %[[A]]
// CHECK-NEXT: memref.store %[[F]], %[[A]][%[[I]]]
// CHECK-NEXT: %[[R:.*]] = memref.load %[[T]][%[[I]]]
// CHECK-NEXT: return %[[A]], %[[R]]
func.func @copied(%t: tensor<?xf32>, %f: f32, %i: index) -> (tensor<?xf32>, f32) {
  %0 = tensor.insert %f into %t[%i] : tensor<?xf32>
  %1 = tensor.extract %t[%i] : tensor<?xf32>
  func.return %0, %1 : tensor<?xf32>, f32
}

// The read comes first: no copy.
// CHECK-LABEL: func.func @in_place
// CHECK-NOT: memref.alloc
// CHECK: memref.load
// CHECK-NEXT: memref.store
func.func @in_place(%t: tensor<?xf32>, %f: f32, %i: index) -> (tensor<?xf32>, f32) {
  %1 = tensor.extract %t[%i] : tensor<?xf32>
  %0 = tensor.insert %f into %t[%i] : tensor<?xf32>
  func.return %0, %1 : tensor<?xf32>, f32
}

// An argument that may not be written; what is overwritten as a whole is not copied.
// CHECK-LABEL: func.func @read_only
// CHECK: %[[A:.*]] = memref.alloc
// CHECK-NOT: memref.copy
// CHECK: linalg.fill ins(%{{.*}} : f32) outs(%[[A]] : memref<4xf32>)
func.func @read_only(%t: tensor<4xf32> {bufferization.writable = false}, %f: f32) -> tensor<4xf32> {
  %0 = linalg.fill ins(%f : f32) outs(%t : tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// The slice is filled where it lies, in the buffer that the loop was given.
// CHECK-LABEL: func.func @loop
// CHECK-NOT: memref.alloc
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}})
// CHECK-NEXT: %[[S:.*]] = memref.subview %[[A]][%{{.*}}] [4] [1]
// CHECK-NEXT: linalg.fill ins(%{{.*}} : f32) outs(%[[S]]
// CHECK: scf.yield %[[A]]
func.func @loop(%t: tensor<?xf32>, %n: index, %f: f32) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %n step %c4 iter_args(%a = %t) -> (tensor<?xf32>) {
    %s = tensor.extract_slice %a[%i] [4] [1] : tensor<?xf32> to tensor<4xf32>
    %z = linalg.fill ins(%f : f32) outs(%s : tensor<4xf32>) -> tensor<4xf32>
    %b = tensor.insert_slice %z into %a[%i] [4] [1] : tensor<4xf32> into tensor<?xf32>
    scf.yield %b : tensor<?xf32>
  }
  func.return %r : tensor<?xf32>
}

// What is read in the next turn was written in this one: a copy in every turn.
// CHECK-LABEL: func.func @earlier_turn
// CHECK: scf.for
// CHECK: memref.alloc
// CHECK: memref.copy
// CHECK: memref.store
func.func @earlier_turn(%t: tensor<?xf32>, %n: index, %f: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %z) -> (f32) {
    %u = tensor.insert %f into %t[%i] : tensor<?xf32>
    %x = tensor.extract %u[%c0] : tensor<?xf32>
    %y = tensor.extract %t[%c1] : tensor<?xf32>
    %a = arith.addf %sum, %x : f32
    %b = arith.addf %a, %y : f32
    scf.yield %b : f32
  }
  func.return %r : f32
}

// A constant is never written.
// CHECK-LABEL: func.func @constant
// CHECK: %[[G:.*]] = memref.get_global @__constant_2xi32 : memref<2xi32>
// CHECK: memref.copy %[[G]], %[[A:.*]] : memref<2xi32> to memref<2xi32>
// CHECK: memref.store %{{.*}}, %[[A]]
func.func @constant(%i: index, %x: i32) -> tensor<2xi32> {
  %c = arith.constant dense<[1, 2]> : tensor<2xi32>
  %r = tensor.insert %x into %c[%i] : tensor<2xi32>
  func.return %r : tensor<2xi32>
}

// The callee writes to its argument, which the caller reads afterwards.
// CHECK-LABEL: func.func private @callee
// CHECK: memref.store
func.func private @callee(%t: tensor<4xf32>, %f: f32, %i: index) -> tensor<4xf32> {
  %r = tensor.insert %f into %t[%i] : tensor<4xf32>
  func.return %r : tensor<4xf32>
}
// CHECK-LABEL: func.func @caller
// CHECK-SAME: (%[[T:.*]]: memref<4xf32
// CHECK: memref.copy %[[T]], %[[A:.*]] :
// CHECK: %[[C:.*]] = memref.cast %[[A]]
// CHECK: call @callee(%[[C]]
// CHECK: memref.load %[[T]]
func.func @caller(%t: tensor<4xf32>, %f: f32, %i: index) -> (f32, f32) {
  %r = func.call @callee(%t, %f, %i) : (tensor<4xf32>, f32, index) -> tensor<4xf32>
  %a = tensor.extract %r[%i] : tensor<4xf32>
  %b = tensor.extract %t[%i] : tensor<4xf32>
  func.return %a, %b : f32, f32
}

// CHECK-LABEL: func.func @branches
// CHECK: %[[R:.*]] = scf.if %{{.*}} -> (memref<4xf32, strided<[?], offset: ?>>) {
// CHECK: memref.store
func.func @branches(%c: i1, %t: tensor<4xf32>, %f: f32, %i: index) -> tensor<4xf32> {
  %r = scf.if %c -> (tensor<4xf32>) {
    %x = tensor.insert %f into %t[%i] : tensor<4xf32>
    scf.yield %x : tensor<4xf32>
  } else {
    scf.yield %t : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}
