// RUN: mlopt %s --distribute-vectors --split-input-file --verify-diagnostics | filecheck %s

// A thread has runs of neighbouring elements; a ragged end is a mask of its own.

// CHECK-LABEL: gpu.func @copy
// CHECK-SAME:    kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
// CHECK:         %[[THREAD:.*]] = gpu.thread_id x
// CHECK:         %[[PLACE:.*]] = arith.muli %[[THREAD]], %{{.*}} : index
// CHECK:         %[[ROOM:.*]] = arith.subi %left, %[[PLACE]] : index
// CHECK-NEXT:    %[[MASK:.*]] = vector.create_mask %[[ROOM]] : vector<4xi1>
// CHECK:         %[[AT:.*]] = arith.addi %n, %[[PLACE]] : index
// CHECK-NEXT:    %[[V:.*]] = vector.transfer_read %x[%[[AT]]], %{{.*}}, %[[MASK]] {in_bounds = [true]} : memref<?xf32>, vector<4xf32>
// CHECK:         vector.transfer_read %x[%{{.*}}], %{{.*}}, %{{.*}} {in_bounds = [true]} : memref<?xf32>, vector<4xf32>
// CHECK:         vector.transfer_write %[[V]], %y[%[[AT]]], %[[MASK]] {in_bounds = [true]} : vector<4xf32>, memref<?xf32>
// CHECK:         vector.transfer_write
// CHECK-NOT:     vector.transfer_write
gpu.module @kernels {
  gpu.func @copy(%x: memref<?xf32>, %y: memref<?xf32>, %n: index, %left: index) kernel attributes {threads = [[32, 4]]} {
    %zero = arith.constant 0.0 : f32
    %m = vector.create_mask %left : vector<256xi1>
    %v = vector.transfer_read %x[%n], %zero, %m {in_bounds = [true]} : memref<?xf32>, vector<256xf32>
    vector.transfer_write %v, %y[%n], %m {in_bounds = [true]} : vector<256xf32>, memref<?xf32>
    gpu.return
  }
}

// -----

// A sum over one warp needs no memory; the first thread stores it.

// CHECK-LABEL: gpu.func @sum
// CHECK-SAME:    (%x: memref<?xf32>, %y: memref<f32>) kernel
// CHECK:         %[[THREAD:.*]] = gpu.thread_id x
// CHECK:         %[[V:.*]] = vector.transfer_read %x[%{{.*}}], %{{.*}} {in_bounds = [true]} : memref<?xf32>, vector<1xf32>
// CHECK:         %[[OWN:.*]] = vector.reduction <add>, %[[V]] : vector<1xf32> into f32
// CHECK:         %[[S:.*]], %{{.*}} = gpu.shuffle{{ +}}xor %[[OWN]], %c16_i32, %c32_i32 : f32
// CHECK-NEXT:    arith.addf %[[OWN]], %[[S]] : f32
// CHECK:         gpu.shuffle{{ +}}xor %{{.*}}, %c1_i32, %c32_i32 : f32
// CHECK-NEXT:    arith.addf
// CHECK-NEXT:    %[[SUM:.*]] = arith.addf %{{.*}}, %{{.*}} : f32
// CHECK-NEXT:    %[[FIRST:.*]] = arith.cmpi eq, %[[THREAD]], %{{.*}} : index
// CHECK-NEXT:    scf.if %[[FIRST]] {
// CHECK-NEXT:      memref.store %[[SUM]], %y[] : memref<f32>
gpu.module @kernels {
  gpu.func @sum(%x: memref<?xf32>, %y: memref<f32>) kernel attributes {threads = [[32, 1]]} {
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    %v = vector.transfer_read %x[%c0], %zero {in_bounds = [true]} : memref<?xf32>, vector<32xf32>
    %s = vector.reduction <add>, %v, %zero : vector<32xf32> into f32
    memref.store %s, %y[] : memref<f32>
    gpu.return
  }
}

// -----

// Two warps meet in shared memory.

// CHECK-LABEL: gpu.func @largest
// CHECK-SAME:    workgroup(%partial: memref<2xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 64, 1, 1>}
// CHECK:         gpu.shuffle{{ +}}xor %{{.*}}, %c1_i32
// CHECK:         scf.if %{{.*}} {
// CHECK-NEXT:      memref.store %{{.*}}, %partial[%{{.*}}] : memref<2xf32, #gpu.address_space<workgroup>>
// CHECK:         %[[LANE:.*]] = arith.remui %{{.*}}, %c2 : index
// CHECK-NEXT:    %[[MINE:.*]] = memref.load %partial[%[[LANE]]]
// CHECK-NEXT:    %[[OTHER:.*]], %{{.*}} = gpu.shuffle{{ +}}xor %[[MINE]], %c1_i32, %c32_i32 : f32
// CHECK-NEXT:    arith.maximumf %[[MINE]], %[[OTHER]] : f32
gpu.module @kernels {
  gpu.func @largest(%x: memref<?xf32>, %y: memref<f32>, %low: f32) kernel attributes {threads = [[64, 1]]} {
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    %v = vector.transfer_read %x[%c0], %zero {in_bounds = [true]} : memref<?xf32>, vector<64xf32>
    %s = vector.reduction <maximumf>, %v, %low : vector<64xf32> into f32
    memref.store %s, %y[] : memref<f32>
    gpu.return
  }
}

// -----

// What goes into shared memory is shared out along its last dimension; a column of a tile is walked by the threads of the rows.

// CHECK-LABEL: gpu.func @tile
// CHECK-SAME:    workgroup(%s: memref<8x4xf32, #gpu.address_space<workgroup>>) kernel
// CHECK-DAG:     %[[K:.*]] = arith.remui %thread, %c4 : index
// CHECK-DAG:     %[[M:.*]] = arith.divui %thread, %c4 : index
// CHECK:         %[[V:.*]] = vector.transfer_read %x[%{{.*}}, %{{.*}}], %{{.*}} : memref<?x?xf32>, vector<1x1xf32>
// CHECK:         vector.transfer_write %[[V]], %s[%{{.*}}, %{{.*}}] {in_bounds = [true, true]} : vector<1x1xf32>
// CHECK:         %[[C:.*]] = vector.transfer_read %s[%{{.*}}, %k], %{{.*}} {in_bounds = [true, true]} : memref<8x4xf32, #gpu.address_space<workgroup>>, vector<2x1xf32>
// CHECK-NEXT:    vector.broadcast %[[C]] : vector<2x1xf32> to vector<2x1xf32>
gpu.module @kernels {
  gpu.func @tile(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %k: index) kernel attributes {threads = [[4, 2], [8, 1]]} {
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    %s = memref.alloca() : memref<8x4xf32, #gpu.address_space<workgroup>>
    %v = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true, true]} : memref<?x?xf32>, vector<8x4xf32>
    vector.transfer_write %v, %s[%c0, %c0] {in_bounds = [true, true]} : vector<8x4xf32>, memref<8x4xf32, #gpu.address_space<workgroup>>
    %c = vector.transfer_read %s[%c0, %k], %zero {in_bounds = [true, true]} : memref<8x4xf32, #gpu.address_space<workgroup>>, vector<8x1xf32>
    %b = vector.broadcast %c : vector<8x1xf32> to vector<8x8xf32>
    vector.transfer_write %b, %y[%c0, %c0] {in_bounds = [true, true]} : vector<8x8xf32>, memref<?x?xf32>
    gpu.return
  }
}

// -----

// What moves elements between threads is refused.

gpu.module @kernels {
  gpu.func @mirror(%x: memref<?x?xf32>, %y: memref<?x?xf32>) kernel attributes {threads = [[8, 1], [8, 1]]} {
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    %v = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true, true]} : memref<?x?xf32>, vector<8x8xf32>
    // expected-error @+1 {{kernel @mirror: 'vector.transpose' moves elements from thread to thread}}
    %t = vector.transpose %v, [1, 0] : vector<8x8xf32> to vector<8x8xf32>
    vector.transfer_write %t, %y[%c0, %c0] {in_bounds = [true, true]} : vector<8x8xf32>, memref<?x?xf32>
    gpu.return
  }
}
