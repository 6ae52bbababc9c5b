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
