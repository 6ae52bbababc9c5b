// RUN: mlopt %s --insert-gpu-barriers --split-input-file | filecheck %s

// What one thread has written another one reads: they wait. The second read needs no further barrier.

// CHECK-LABEL: gpu.func @mirror
// CHECK:         memref.store
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    memref.load %s[%m]
// CHECK-NEXT:    memref.load %s[%t]
// CHECK-NOT:     gpu.barrier
gpu.module @kernels {
  gpu.func @mirror(%v: f32, %m: index) workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    memref.store %v, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    %a = memref.load %s[%m] : memref<32xf32, #gpu.address_space<workgroup>>
    %b = memref.load %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// In a loop a tile is filled again only when all have read it: two barriers in every iteration.

// CHECK-LABEL: gpu.func @tiles
// CHECK:         scf.for
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      memref.store
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      memref.load
// CHECK-NEXT:    }
gpu.module @kernels {
  gpu.func @tiles(%v: f32, %m: index) workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    scf.for %k = %c0 to %c4 step %c1 {
      memref.store %v, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
      %a = memref.load %s[%m] : memref<32xf32, #gpu.address_space<workgroup>>
    }
    gpu.return
  }
}

// -----

// A branch that differs between threads has no barrier inside; what a thread has written itself it reads at once.

// CHECK-LABEL: gpu.func @branch
// CHECK:         scf.if
// CHECK-NEXT:      memref.store
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    memref.load %s[%m]
// CHECK-NEXT:    memref.store %v, %y[%t]
// CHECK-NEXT:    memref.load %y[%t]
gpu.module @kernels {
  gpu.func @branch(%y: memref<?xf32>, %v: f32, %m: index) workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %first = arith.cmpi eq, %t, %m : index
    scf.if %first {
      memref.store %v, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    }
    %a = memref.load %s[%m] : memref<32xf32, #gpu.address_space<workgroup>>
    memref.store %v, %y[%t] : memref<?xf32>
    %b = memref.load %y[%t] : memref<?xf32>
    gpu.return
  }
}

// -----

// Before a loop one barrier is enough for what all of its iterations read.

// CHECK-LABEL: gpu.func @before
// CHECK:         memref.store
// CHECK:         gpu.barrier
// CHECK-NEXT:    scf.for
// CHECK-NEXT:      memref.load
// CHECK-NEXT:    }
gpu.module @kernels {
  gpu.func @before(%y: memref<?xf32>, %v: f32, %m: index) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    memref.store %v, %y[%t] : memref<?xf32>
    scf.for %k = %c0 to %m step %c1 {
      %b = memref.load %y[%k] : memref<?xf32>
    }
    gpu.return
  }
}

// -----

// What one thread writes for all they wait for, though they read it by the same subscript; those of one branch need not.

// CHECK-LABEL: gpu.func @broadcast
// CHECK:         scf.if
// CHECK-NEXT:      memref.store %v, %s[%c0]
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      memref.load %s[%c0]
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    memref.load %s[%c0]
gpu.module @kernels {
  gpu.func @broadcast(%v: f32) workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %first = arith.cmpi eq, %t, %c0 : index
    scf.if %first {
      memref.store %v, %s[%c0] : memref<32xf32, #gpu.address_space<workgroup>>
    }
    scf.if %first {
      %a = memref.load %s[%c0] : memref<32xf32, #gpu.address_space<workgroup>>
    }
    %b = memref.load %s[%c0] : memref<32xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// A loop that threads run a different number of times has no barrier inside, nor has a branch on its index.

// CHECK-LABEL: gpu.func @strided
// CHECK:         gpu.barrier
// CHECK-NEXT:    scf.for
// CHECK-NEXT:      memref.load %s[%m]
// CHECK-NEXT:      arith.cmpi
// CHECK-NEXT:      scf.if
// CHECK-NEXT:        memref.store %v, %s[%i]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    memref.load %s[%m]
gpu.module @kernels {
  gpu.func @strided(%v: f32, %m: index) workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %c32 = arith.constant 32 : index
    memref.store %v, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    scf.for %i = %t to %m step %c32 {
      %a = memref.load %s[%m] : memref<32xf32, #gpu.address_space<workgroup>>
      %near = arith.cmpi ult, %i, %m : index
      scf.if %near {
        memref.store %v, %s[%i] : memref<32xf32, #gpu.address_space<workgroup>>
      }
    }
    %b = memref.load %s[%m] : memref<32xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}
