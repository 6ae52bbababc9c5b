// RUN: mlopt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{expected the number of strides to match the rank}}
func.func private @strides(memref<2x2xf32, strided<[1]>>)

// -----

// expected-error @+1 {{memref layout mismatch between rank and affine map: 1 != 2}}
func.func private @map(memref<2xf32, affine_map<(d0, d1) -> (d0)>>)

// -----

func.func private @fit(memref<2x2xf32, strided<[2, 1]>>, memref<f32, strided<[], offset: 3>>, memref<2xf32, affine_map<(d0) -> (d0 + 1)>>)
