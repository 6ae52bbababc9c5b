// RUN: mlopt %s | filecheck %s

func.func @named(%a: tensor<2x4x8xi8>, %b: tensor<2x8x6xi8>, %c: tensor<2x4x6xi32>, %v: tensor<64xf32>) -> tensor<64xf32> {
  %m = linalg.batch_matmul ins(%a, %b : tensor<2x4x8xi8>, tensor<2x8x6xi8>) outs(%c : tensor<2x4x6xi32>) -> tensor<2x4x6xi32>
  %e = linalg.elementwise kind=#linalg.elementwise_kind<exp> ins(%v : tensor<64xf32>) outs(%v : tensor<64xf32>) -> tensor<64xf32>
  %s = linalg.softmax dimension(0) ins(%e : tensor<64xf32>) outs(%v : tensor<64xf32>) -> tensor<64xf32>
  return %s : tensor<64xf32>
}

func.func @windows(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x5xf32>, %k: tensor<2x2xf32>, %y: tensor<1x3x3x5xf32>, %p: tensor<1x7x7x3xf32>) {
  %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : tensor<2xi64>} ins(%x, %w : tensor<1x8x8x3xf32>, tensor<3x3x3x5xf32>) outs(%y : tensor<1x3x3x5xf32>) -> tensor<1x3x3x5xf32>
  %1 = linalg.pooling_nhwc_max ins(%x, %k : tensor<1x8x8x3xf32>, tensor<2x2xf32>) outs(%p : tensor<1x7x7x3xf32>) -> tensor<1x7x7x3xf32>
  return
}

// CHECK:      module {
// CHECK-NEXT:   func.func @named(%a: tensor<2x4x8xi8>, %b: tensor<2x8x6xi8>, %c: tensor<2x4x6xi32>, %v: tensor<64xf32>) -> tensor<64xf32> {
// CHECK-NEXT:     %m = linalg.batch_matmul ins(%a, %b : tensor<2x4x8xi8>, tensor<2x8x6xi8>) outs(%c : tensor<2x4x6xi32>) -> tensor<2x4x6xi32>
// CHECK-NEXT:     %e = linalg.elementwise kind=#linalg.elementwise_kind<exp> ins(%v : tensor<64xf32>) outs(%v : tensor<64xf32>) -> tensor<64xf32>
// CHECK-NEXT:     %s = linalg.softmax dimension(0) ins(%e : tensor<64xf32>) outs(%v : tensor<64xf32>) -> tensor<64xf32>
// CHECK-NEXT:     return %s : tensor<64xf32>
// CHECK-NEXT:   }
// CHECK-NEXT:   func.func @windows(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x5xf32>, %k: tensor<2x2xf32>, %y: tensor<1x3x3x5xf32>, %p: tensor<1x7x7x3xf32>) {
// CHECK-NEXT:     %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : tensor<2xi64>} ins(%x, %w : tensor<1x8x8x3xf32>, tensor<3x3x3x5xf32>) outs(%y : tensor<1x3x3x5xf32>) -> tensor<1x3x3x5xf32>
// CHECK-NEXT:     %1 = linalg.pooling_nhwc_max ins(%x, %k : tensor<1x8x8x3xf32>, tensor<2x2xf32>) outs(%p : tensor<1x7x7x3xf32>) -> tensor<1x7x7x3xf32>
// CHECK-NEXT:     return
// CHECK-NEXT:   }
// CHECK-NEXT: }
