// RUN: mlopt %s | filecheck %s
// RUN: mlopt %s | mlopt | filecheck %s
// Constants of a few elements, and affine constants, which wrap as numbers of 64 bits.

// CHECK:       #map = affine_map<(d0) -> (d0 * -2)>
// CHECK-NEXT:  module attributes {
// CHECK-SAME:    a.empty = sparse<> : tensor<3xi32>
// CHECK-SAME:    a.one = sparse<0, 5> : tensor<3xi32>
// CHECK-SAME:    a.two = sparse<[[0, 0], [1, 2]], [1.000000e+00, 5.000000e+00]> : tensor<3x4xf32>
// CHECK-SAME:    a.wraps = #map
module attributes {
  a.empty = sparse<> : tensor<3xi32>,
  a.one = sparse<0, 5> : tensor<3xi32>,
  a.two = sparse<[[0, 0], [1, 2]], [1.0, 5.0]> : tensor<3x4xf32>,
  a.wraps = affine_map<(d0) -> (d0 * 9223372036854775807 * 2)>
} {
}
