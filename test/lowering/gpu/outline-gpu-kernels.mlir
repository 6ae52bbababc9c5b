// RUN: mlopt %s --outline-gpu-kernels --split-input-file | filecheck %s
// RUN: mlopt %s --outline-gpu-kernels=threads=64 --split-input-file | filecheck %s --check-prefix=SMALL

// A thread for every iteration, the last dimension fastest; the kernel launches as many blocks as they fill.

// CHECK-LABEL: func.func private @add
// CHECK:         %[[COUNT:.*]] = arith.muli %M, %N : index
// CHECK:         %[[BLOCKS:.*]] = arith.ceildivui %[[COUNT]], %c256
// CHECK:         gpu.launch_func @kernels::@add blocks in (%[[BLOCKS]], %{{.*}}, %{{.*}}) threads in (%{{.*}}, %{{.*}}, %{{.*}}) args(%x : memref<?x?xf32>, %M : index, %N : index)
// CHECK:       gpu.module @kernels {
// CHECK:         gpu.func @add(%x: memref<?x?xf32>, %M: index, %N: index) kernel {
// CHECK:           %[[BLOCK:.*]] = gpu.block_id x
// CHECK:           %[[SIZE:.*]] = gpu.block_dim x
// CHECK:           %[[BASE:.*]] = arith.muli %[[BLOCK]], %[[SIZE]]
// CHECK:           %[[THREAD:.*]] = gpu.thread_id x
// CHECK:           %[[AT:.*]] = arith.addi %[[BASE]], %[[THREAD]]
// CHECK:           %[[INSIDE:.*]] = arith.cmpi ult, %[[AT]], %{{.*}} : index
// CHECK:           scf.if %[[INSIDE]] {
// CHECK-NEXT:        %j = arith.remui %[[AT]], %N : index
// CHECK-NEXT:        %i = arith.divui %[[AT]], %N : index
// CHECK-NEXT:        %[[OLD:.*]] = memref.load %x[%i, %j]
// CHECK:           gpu.return
// SMALL:         arith.ceildivui %{{.*}}, %c64
func.func private @add(%x: memref<?x?xf32>, %M: index, %N: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%M, %N) step (%c1, %c1) {
    %old = memref.load %x[%i, %j] : memref<?x?xf32>
    %new = arith.addf %old, %old : f32
    memref.store %new, %x[%i, %j] : memref<?x?xf32>
    scf.reduce
  }
  return
}

// -----

// What is done outside of parallel loops is done by one thread, and so are then the loops.

// CHECK-LABEL: func.func private @serial
// CHECK:         gpu.launch_func @kernels::@serial blocks in (%[[ONE:.*]], %[[ONE2:.*]], %[[ONE3:.*]]) threads in
// CHECK:         gpu.func @serial
// CHECK-NOT:       scf.parallel
// CHECK:           memref.store
// CHECK:           scf.for %i
// CHECK:           gpu.return
func.func private @serial(%x: memref<?xf32>, %N: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  memref.store %one, %x[%c0] : memref<?xf32>
  scf.parallel (%i) = (%c1) to (%N) step (%c1) {
    memref.store %one, %x[%i] : memref<?xf32>
    scf.reduce
  }
  return
}

// -----

// Two loops are two launches, one after the other.

// CHECK-LABEL: func.func private @two
// CHECK:         gpu.launch_func @kernels::@two_0
// CHECK:         gpu.launch_func @kernels::@two_1
func.func private @two(%x: memref<?xf32>, %N: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%N) step (%c1) {
    memref.store %one, %x[%i] : memref<?xf32>
    scf.reduce
  }
  scf.parallel (%i) = (%c0) to (%N) step (%c1) {
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %x[%i] : memref<?xf32>
    scf.reduce
  }
  return
}

// -----

// A kernel that is bound to threads: a block runs an iteration, there are as many blocks.

// CHECK-LABEL: func.func private @rows
// CHECK:         gpu.launch_func @kernels::@rows blocks in (%M, %{{.*}}, %{{.*}}) threads in (%c128, %{{.*}}, %{{.*}})
// CHECK:         gpu.func @rows(%x: memref<?xf32>, %M: index) kernel attributes {threads = {{.*}}128, 1]]} {
// CHECK:           %[[BLOCK:.*]] = gpu.block_id x
// CHECK-NOT:       scf.if
// CHECK:           memref.store %{{.*}}, %x[%[[BLOCK]]]
func.func private @rows(%x: memref<?xf32>, %M: index) attributes {kernel, threads = [[128, 1]]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%M) step (%c1) {
    memref.store %one, %x[%i] : memref<?xf32>
    scf.reduce
  }
  return
}
