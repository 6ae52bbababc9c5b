// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @reduce(%x: f32) {
  // expected-error @below {{`minsi` reduction operation is not compatible with type 'f32'}}
  %r = gpu.all_reduce minsi %x {} : (f32) -> f32
  return
}

// -----

func.func @shuffle(%i: index, %o: i32) {
  // expected-error @below {{operand #0 must be Integer or Float or fixed-length vector of Integer or Float values of ranks 1, but got 'index'}}
  %v, %ok = gpu.shuffle xor %i, %o, %o : index
  return
}

// -----

module attributes {gpu.container_module} {
  func.func @launch(%n: index) {
    // expected-error @below {{kernel container 'kernels' is undefined}}
    gpu.launch_func @kernels::@k blocks in (%n, %n, %n) threads in (%n, %n, %n)
    return
  }
}

// -----

gpu.module @m {
  gpu.func @k() kernel {
    %c = arith.constant 0 : index
    // expected-error @below {{expected 0 result operands}}
    gpu.return %c : index
  }
}

// -----

// expected-error@+1 {{gpu.known_block_size must be a dense i32 array}}
func.func private @f() attributes {gpu.known_block_size = 32 : i32}

// -----

// expected-error@+1 {{gpu.known_block_size must contain exactly 3 elements}}
func.func private @f() attributes {gpu.known_block_size = array<i32: 2, 1>}

// -----

func.func @alloc_without_token(%n: index) {
  // expected-error@+1 {{incorrect number of dynamic sizes, has 2, expected 1}}
  %1 = gpu.alloc(%n, %n) : memref<2x?xf32, 1>
  return
}
