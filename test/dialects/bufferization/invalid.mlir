// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @shapes(%t: tensor<4x?xf32>) {
  // expected-error @below {{'bufferization.to_buffer' op failed to verify that specified tensor and buffer types match: shapes do not match}}
  %b = bufferization.to_buffer %t : tensor<4x?xf32> to memref<?x4xf32>
  func.return
}

// -----

func.func @elements(%b: memref<4xi8>) {
  // expected-error @below {{element types do not match}}
  %t = bufferization.to_tensor %b : memref<4xi8> to tensor<4xi16>
  func.return
}

// -----

func.func @sizes(%n: index) {
  // expected-error @below {{incorrect number of dynamic sizes, has 1, expected 2}}
  %t = bufferization.alloc_tensor(%n) : tensor<?x?xf32>
  func.return
}

// -----

func.func @copied(%n: index, %u: tensor<?xf32>) {
  // expected-error @below {{dynamic sizes not needed when copying a tensor}}
  %t = bufferization.alloc_tensor(%n) copy(%u) : tensor<?xf32>
  func.return
}

// -----

func.func @restrict(%t: tensor<4xf32>, %u: tensor<4xf32>) {
  // expected-error @below {{'restrict' is valid only for memref destinations}}
  %r = bufferization.materialize_in_destination %t in restrict %u : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @ranks(%t: tensor<4xf32>, %u: memref<4x4xf32>) {
  // expected-error @below {{source rank (1) does not match destination rank (2)}}
  bufferization.materialize_in_destination %t in writable %u : (tensor<4xf32>, memref<4x4xf32>) -> ()
  func.return
}

// -----

// expected-error @below {{invalid value for 'bufferization.access'}}
func.func private @access(%t: tensor<4xf32> {bufferization.access = "often"}) {
  func.return
}

// -----

func.func @place() {
  // expected-error @below {{not supported as an op attribute by the bufferization dialect}}
  %c = arith.constant {bufferization.writable = true} 0 : index
  func.return
}

// -----

func.func @manual() {
  // expected-error @below {{can be used only on ops that have an allocation and/or free side effect}}
  %c = arith.constant {bufferization.manual_deallocation} 0 : index
  func.return
}
