// RUN: mlopt %s --convert-linalg-to-affine --split-input-file --verify-diagnostics

// expected-error @below {{kernel @f has no 'extents' and 'grain' (run bufferize-kernels)}}
func.func private @f(%x: memref<4xf32>) attributes {kernel} {
  %c = arith.constant 0.0 : f32
  linalg.fill ins(%c : f32) outs(%x : memref<4xf32>)
  func.return
}

// -----

func.func private @g(%x: memref<?xf32>, %M: index, %grain: index) attributes {kernel, extents = ["m"], grain = 2 : i64} {
  %c = arith.constant 0.0 : f32
  // expected-error @below {{@g: loop 0 of 'linalg.fill' has no extent argument (run bufferize-kernels)}}
  linalg.fill {loops = ["n"]} ins(%c : f32) outs(%x : memref<?xf32>)
  func.return
}
