// RUN: mlopt %s --scf-forall-to-parallel --verify-diagnostics

func.func @on_tensors(%t: tensor<4xf32>, %f: f32) -> tensor<4xf32> {
  // expected-error @+1 {{only fully bufferized scf.forall ops can be lowered to scf.parallel}}
  %r = scf.forall (%i) in (4) shared_outs(%o = %t) -> (tensor<4xf32>) {
    %s = tensor.from_elements %f : tensor<1xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s into %o[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
    }
  }
  return %r : tensor<4xf32>
}
