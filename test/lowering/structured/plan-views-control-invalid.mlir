// RUN: mlopt %s --plan-views --split-input-file --verify-diagnostics

func.func @computes_where_it_decides(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<4xf32> {
  %y = scf.while (%h = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{'tensor.extract' stands where a 'scf.while' decides}}
    %go = tensor.extract %c[] : tensor<i1>
    scf.condition(%go) %h : tensor<4xf32>
  } do {
  ^bb0(%h: tensor<4xf32>):
    scf.yield %h : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

func.func @passes_another(%x: tensor<4xf32>, %z: tensor<4xf32>, %go: i1) -> tensor<4xf32> {
  // expected-error @below {{'scf.while' passes on a tensor that it was not given}}
  %y = scf.while (%h = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    scf.condition(%go) %z : tensor<4xf32>
  } do {
  ^bb0(%h: tensor<4xf32>):
    scf.yield %h : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

func.func @changes_a_tensor(%x: tensor<4xf32>, %v: f32, %i: index) -> tensor<4xf32> {
  // expected-error @below {{'tensor.insert' outside of a kernel makes a tensor of rank 0}}
  %y = tensor.insert %v into %x[%i] : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
