// RUN: mlopt %s | filecheck %s

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k(%a: memref<?xf32>) workgroup(%w: memref<32xf32, #gpu.address_space<workgroup>>) kernel {
      %i = gpu.thread_id x upper_bound 64
      %j = gpu.lane_id
      %v = memref.load %a[%i] : memref<?xf32>
      memref.store %v, %w[%j] : memref<32xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      gpu.return
    }
  }
  func.func @host(%n: index, %m: memref<?xf32>) {
    %t0 = gpu.wait async
    %d, %t1 = gpu.alloc async [%t0] (%n) : memref<?xf32>
    %t2 = gpu.memcpy async [%t1] %d, %m : memref<?xf32>, memref<?xf32>
    gpu.wait [%t2]
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %n, %gz = %n) threads(%tx, %ty, %tz) in (%sx = %n, %sy = %n, %sz = %n) {
      %r = gpu.warp_execute_on_lane_0(%tx)[32] -> (vector<1xf32>) {
        %c = arith.constant dense<0.0> : vector<32xf32>
        gpu.yield %c : vector<32xf32>
      }
      gpu.terminator
    }
    gpu.dealloc %d : memref<?xf32>
    return
  }
}

// CHECK:      module attributes {gpu.container_module} {
// CHECK-NEXT:   gpu.module @kernels {
// CHECK-NEXT:     gpu.func @k(%a: memref<?xf32>) workgroup(%w: memref<32xf32, #gpu.address_space<workgroup>>) kernel {
// CHECK-NEXT:       %i = gpu.thread_id x upper_bound 64
// CHECK-NEXT:       %j = gpu.lane_id
// CHECK-NEXT:       %v = memref.load %a[%i] : memref<?xf32>
// CHECK-NEXT:       memref.store %v, %w[%j] : memref<32xf32, #gpu.address_space<workgroup>>
// CHECK-NEXT:       gpu.barrier
// CHECK-NEXT:       gpu.return
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.func @host(%n: index, %m: memref<?xf32>) {
// CHECK-NEXT:     %t0 = gpu.wait async
// CHECK-NEXT:     %d, %t1 = gpu.alloc async [%t0] (%n) : memref<?xf32>
// CHECK-NEXT:     %t2 = gpu.memcpy async [%t1] %d, %m : memref<?xf32>, memref<?xf32>
// CHECK-NEXT:     gpu.wait [%t2]
// CHECK-NEXT:     gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %n, %gz = %n) threads(%tx, %ty, %tz) in (%sx = %n, %sy = %n, %sz = %n) {
// CHECK-NEXT:       %r = gpu.warp_execute_on_lane_0(%tx)[32] -> (vector<1xf32>) {
// CHECK-NEXT:         %c = arith.constant dense<0.000000e+00> : vector<32xf32>
// CHECK-NEXT:         gpu.yield %c : vector<32xf32>
// CHECK-NEXT:       }
// CHECK-NEXT:       gpu.terminator
// CHECK-NEXT:     }
// CHECK-NEXT:     gpu.dealloc %d : memref<?xf32>
// CHECK-NEXT:     return
// CHECK-NEXT:   }
// CHECK-NEXT: }
