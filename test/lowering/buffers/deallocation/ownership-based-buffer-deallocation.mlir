// RUN: mlopt %s --split-input-file --ownership-based-buffer-deallocation --buffer-deallocation-simplification --validate-each | filecheck %s
// RUN: mlopt %s --split-input-file --ownership-based-buffer-deallocation='private-function-dynamic-ownership=true' --buffer-deallocation-simplification --validate-each | filecheck %s --check-prefix=DYNAMIC

// What is not returned is freed; what is returned is the caller's.
// CHECK-LABEL: func.func @one_of_two
// CHECK:         %a = memref.alloc()
// CHECK-NEXT:    %b = memref.alloc()
// CHECK:         bufferization.dealloc (%a : memref<4xf32>) if (%true)
// CHECK-NEXT:    return %b : memref<4xf32>
func.func @one_of_two(%x: memref<4xf32>) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  memref.copy %x, %a : memref<4xf32> to memref<4xf32>
  memref.copy %a, %b : memref<4xf32> to memref<4xf32>
  return %b : memref<4xf32>
}

// -----

// An argument is not the function's to give away.
// CHECK-LABEL: func.func @given_back
// CHECK:         %[[CLONE:.*]] = bufferization.clone %x
// CHECK:         return
func.func @given_back(%x: memref<4xf32>) -> memref<4xf32> {
  return %x : memref<4xf32>
}

// -----

// A loop yields a new buffer each time, and frees the one before.
// CHECK-LABEL: func.func @loop
// CHECK:         %[[R:.*]]:2 = scf.for %i = %c0 to %n step %c1 iter_args(%m = %x, %[[OWN:.*]] = %false) -> (memref<4xf32>, i1) {
// CHECK:           %new = memref.alloc()
// CHECK:           %[[BASE:.*]], %{{.*}}, %{{.*}}, %{{.*}} = memref.extract_strided_metadata %m
// CHECK-NEXT:      bufferization.dealloc (%[[BASE]] : memref<f32>) if (%[[OWN]])
// CHECK-NEXT:      scf.yield %new, %true : memref<4xf32>, i1
func.func @loop(%x: memref<4xf32>, %n: index, %y: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%m = %x) -> memref<4xf32> {
    %new = memref.alloc() : memref<4xf32>
    memref.copy %m, %new : memref<4xf32> to memref<4xf32>
    scf.yield %new : memref<4xf32>
  }
  memref.copy %r, %y : memref<4xf32> to memref<4xf32>
  return
}

// -----

// Either way through the blocks frees what only the other way passes on.
// CHECK-LABEL: func.func @branches
// CHECK:         cf.cond_br %c, ^a, ^b(%x, %{{.*}} : memref<4xf32>, i1)
// CHECK:       ^a:
// CHECK:         cf.br ^b(%m, %{{.*}} : memref<4xf32>, i1)
// CHECK:       ^b(%r: memref<4xf32>, %[[OWN:.*]]: i1):
// CHECK:         bufferization.dealloc (%{{.*}} : memref<f32>) if (%[[OWN]])
// CHECK-NEXT:    return
func.func @branches(%c: i1, %x: memref<4xf32>, %y: memref<4xf32>) {
  cf.cond_br %c, ^a, ^b(%x : memref<4xf32>)
^a:
  %m = memref.alloc() : memref<4xf32>
  memref.copy %x, %m : memref<4xf32> to memref<4xf32>
  cf.br ^b(%m : memref<4xf32>)
^b(%r: memref<4xf32>):
  memref.copy %r, %y : memref<4xf32> to memref<4xf32>
  return
}

// -----

// Callers own what they get; with dynamic ownership, a private function says whether they do.
// CHECK-LABEL: func.func private @choose(
// CHECK-SAME:      -> memref<4xf32>
// CHECK-LABEL: func.func @call
// CHECK:         %r = call @choose(%c, %x)
// CHECK:         bufferization.dealloc (%{{.*}} : memref<f32>) if (%true)
// DYNAMIC-LABEL: func.func private @choose(
// DYNAMIC-SAME:      -> (memref<4xf32>, i1)
// DYNAMIC-LABEL: func.func @call
// DYNAMIC:         %[[R:.*]]:2 = call @choose(%c, %x)
// DYNAMIC:         bufferization.dealloc (%{{.*}} : memref<f32>) if (%[[R]]#1)
func.func private @choose(%c: i1, %x: memref<4xf32>) -> memref<4xf32> {
  %m = memref.alloc() : memref<4xf32>
  memref.copy %x, %m : memref<4xf32> to memref<4xf32>
  %r = arith.select %c, %x, %m : memref<4xf32>
  return %r : memref<4xf32>
}
func.func @call(%c: i1, %x: memref<4xf32>, %y: memref<4xf32>) {
  %r = call @choose(%c, %x) : (i1, memref<4xf32>) -> memref<4xf32>
  memref.copy %r, %y : memref<4xf32> to memref<4xf32>
  return
}
