// RUN: mlopt %s --canonicalize | filecheck %s

// Printing is an effect of the body.
// CHECK-LABEL: func.func @effect
// CHECK:         vector.print
func.func @effect(%t: tensor<2xf32>) {
  %m = linalg.map ins(%t : tensor<2xf32>) outs(%t : tensor<2xf32>) (%x: f32, %o: f32) {
    vector.print %x : f32
    linalg.yield %x : f32
  }
  return
}

// CHECK-LABEL: func.func @no_effect
// CHECK-NEXT:    return
func.func @no_effect(%t: tensor<2xf32>) {
  %m = linalg.map { math.exp } ins(%t : tensor<2xf32>) outs(%t : tensor<2xf32>)
  return
}
