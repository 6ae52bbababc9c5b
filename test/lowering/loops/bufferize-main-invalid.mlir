// RUN: mlopt %s --bufferize-main --split-input-file --verify-diagnostics

// A concatenation whose parts were computed elsewhere.
func.func @not_planned(%x: tensor<8xf32>) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<16xf32>
  // expected-error @below {{@not_planned: 'tensor.insert_slice' inserts what was computed elsewhere (run plan-views)}}
  %0 = tensor.insert_slice %x into %e[0] [8] [1] : tensor<8xf32> into tensor<16xf32>
  func.return %0 : tensor<16xf32>
}

// -----

func.func @argument(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{@argument: result 0 has no memory of its own (run plan-views)}}
  func.return %x : tensor<8xf32>
}

// -----

func.func @in_place(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %a = bufferization.to_buffer %x read_only : tensor<8xf32> to memref<8xf32>
  %b = bufferization.to_buffer %e : tensor<8xf32> to memref<8xf32>
  func.call @f(%a, %b) : (memref<8xf32>, memref<8xf32>) -> ()
  %r = bufferization.to_tensor %b restrict writable : memref<8xf32> to tensor<8xf32>
  %c = bufferization.to_buffer %r read_only : tensor<8xf32> to memref<8xf32>
  // expected-error @below {{@in_place: the call of @f writes memory that is another operand of it (run plan-views)}}
  func.call @f(%c, %b) : (memref<8xf32>, memref<8xf32>) -> ()
  %s = bufferization.to_tensor %b restrict writable : memref<8xf32> to tensor<8xf32>
  func.return %s : tensor<8xf32>
}
func.func private @f(memref<8xf32>, memref<8xf32>) -> ()

// -----

// %r is read after %s has been written to the same memory.
// expected-error @below {{@too_late: the call of @f reads a tensor after its memory has been written again}}
func.func @too_late(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %o = tensor.empty() : tensor<8xf32>
  %a = bufferization.to_buffer %x read_only : tensor<8xf32> to memref<8xf32>
  %b = bufferization.to_buffer %e : tensor<8xf32> to memref<8xf32>
  func.call @f(%a, %b) : (memref<8xf32>, memref<8xf32>) -> ()
  %r = bufferization.to_tensor %b restrict writable : memref<8xf32> to tensor<8xf32>
  %d = bufferization.to_buffer %e : tensor<8xf32> to memref<8xf32>
  func.call @f(%a, %d) : (memref<8xf32>, memref<8xf32>) -> ()
  %s = bufferization.to_tensor %d restrict writable : memref<8xf32> to tensor<8xf32>
  %g = bufferization.to_buffer %r read_only : tensor<8xf32> to memref<8xf32>
  %h = bufferization.to_buffer %o : tensor<8xf32> to memref<8xf32>
  func.call @f(%g, %h) : (memref<8xf32>, memref<8xf32>) -> ()
  %t = bufferization.to_tensor %h restrict writable : memref<8xf32> to tensor<8xf32>
  func.return %t : tensor<8xf32>
}
func.func private @f(memref<8xf32>, memref<8xf32>) -> ()

// -----

// The loop yields another buffer than it began with.
func.func @moves(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<8xf32>
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %e) -> (tensor<8xf32>) {
    %d = tensor.empty() : tensor<8xf32>
    // expected-error @below {{@moves: a loop yields its carried value 0 in other memory than it came in (run plan-views)}}
    scf.yield %d : tensor<8xf32>
  }
  func.return %r : tensor<8xf32>
}

// -----

func.func @computes(%x: tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @below {{@computes: 'linalg.copy' on tensors is no view (run plan-views and outline-copies)}}
  %r = linalg.copy ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  func.return
}

// -----

// A slice has gaps between its rows; the kernel wants none.
func.func @gaps(%x: tensor<4x8xf32>) {
  %s = tensor.extract_slice %x[0, 0] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
  // expected-error @below {{@gaps: a kernel wants memref<4x4xf32> and is given memref<4x4xf32, strided<[8, 1]>> (run plan-views)}}
  %b = bufferization.to_buffer %s read_only : tensor<4x4xf32> to memref<4x4xf32>
  func.call @f(%b) : (memref<4x4xf32>) -> ()
  func.return
}
func.func private @f(memref<4x4xf32>) -> ()
