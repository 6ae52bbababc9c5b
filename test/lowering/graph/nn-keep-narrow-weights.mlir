// RUN: mlopt %s --nn-keep-narrow-weights | filecheck %s
// RUN: mlopt %s --validate-each --nn-keep-narrow-weights -o /dev/null

// Weights of one scale, or of one for each column, stay bytes; those of a scale for each row, or of a small product, are folded.
// CHECK-LABEL: func.func @by_column(%x: tensor<2x64xf32>) -> tensor<2x1024xf32> {
// CHECK-NEXT:     %w = nn.constant dense<-7> : tensor<64x1024xi8>
// CHECK-NEXT:     %0 = nn.matmul %x, %w : tensor<2x64xf32>, tensor<64x1024xi8> -> tensor<2x1024xf32>
// CHECK-NEXT:     %1 = nn.constant dense<5.000000e-01> : tensor<1024xf32>
// CHECK-NEXT:     %y = nn.mul %0, %1 : tensor<2x1024xf32>, tensor<1024xf32> -> tensor<2x1024xf32>
// CHECK-NEXT:     return %y : tensor<2x1024xf32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func @one(%x: tensor<3x2x64xf32>) -> (tensor<3x2x1024xf32>, tensor<3x2x1024xf32>) {
// CHECK-NEXT:     %w = nn.constant dense<5> : tensor<64x1024xi8>
// CHECK-NEXT:     %0 = nn.matmul %x, %w : tensor<3x2x64xf32>, tensor<64x1024xi8> -> tensor<3x2x1024xf32>
// CHECK-NEXT:     %1 = nn.constant dense<2.500000e-01> : tensor<f32>
// CHECK-NEXT:     %y = nn.mul %0, %1 : tensor<3x2x1024xf32>, tensor<f32> -> tensor<3x2x1024xf32>
// CHECK-NEXT:     %z = nn.matmul %x, %w : tensor<3x2x64xf32>, tensor<64x1024xi8> -> tensor<3x2x1024xf32>
// CHECK-NEXT:     return %y, %z : tensor<3x2x1024xf32>, tensor<3x2x1024xf32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func @by_row(%x: tensor<2x64xf32>) -> tensor<2x1024xf32> {
// CHECK-NEXT:     %w = nn.constant dense<-7> : tensor<64x1024xi8>
// CHECK-NEXT:     %scale = nn.constant dense<5.000000e-01> : tensor<64x1xf32>
// CHECK-NEXT:     %f = nn.cast %w : tensor<64x1024xi8> -> tensor<64x1024xf32>
// CHECK-NEXT:     %s = nn.mul %f, %scale : tensor<64x1024xf32>, tensor<64x1xf32> -> tensor<64x1024xf32>
// CHECK-NEXT:     %y = nn.matmul %x, %s : tensor<2x64xf32>, tensor<64x1024xf32> -> tensor<2x1024xf32>
// CHECK-NEXT:     return %y : tensor<2x1024xf32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func @few(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
// CHECK-NEXT:     %w = nn.constant dense<-7> : tensor<4x3xi8>
// CHECK-NEXT:     %f = nn.cast %w : tensor<4x3xi8> -> tensor<4x3xf32>
// CHECK-NEXT:     %y = nn.matmul %x, %f : tensor<2x4xf32>, tensor<4x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:     return %y : tensor<2x3xf32>
// CHECK-NEXT:   }
func.func @by_column(%x: tensor<2x64xf32>) -> tensor<2x1024xf32> {
  %w = nn.constant dense<-7> : tensor<64x1024xi8>
  %scale = nn.constant dense<0.5> : tensor<1x1024xf32>
  %f = nn.cast %w : tensor<64x1024xi8> -> tensor<64x1024xf32>
  %s = nn.mul %f, %scale : tensor<64x1024xf32>, tensor<1x1024xf32> -> tensor<64x1024xf32>
  %y = nn.matmul %x, %s : tensor<2x64xf32>, tensor<64x1024xf32> -> tensor<2x1024xf32>
  func.return %y : tensor<2x1024xf32>
}
func.func @one(%x: tensor<3x2x64xf32>) -> (tensor<3x2x1024xf32>, tensor<3x2x1024xf32>) {
  %w = nn.constant dense<5> : tensor<64x1024xi8>
  %scale = nn.constant dense<0.25> : tensor<f32>
  %f = nn.cast %w : tensor<64x1024xi8> -> tensor<64x1024xf32>
  %s = nn.mul %scale, %f : tensor<f32>, tensor<64x1024xf32> -> tensor<64x1024xf32>
  %y = nn.matmul %x, %s : tensor<3x2x64xf32>, tensor<64x1024xf32> -> tensor<3x2x1024xf32>
  %z = nn.matmul %x, %f : tensor<3x2x64xf32>, tensor<64x1024xf32> -> tensor<3x2x1024xf32>
  func.return %y, %z : tensor<3x2x1024xf32>, tensor<3x2x1024xf32>
}
func.func @by_row(%x: tensor<2x64xf32>) -> tensor<2x1024xf32> {
  %w = nn.constant dense<-7> : tensor<64x1024xi8>
  %scale = nn.constant dense<0.5> : tensor<64x1xf32>
  %f = nn.cast %w : tensor<64x1024xi8> -> tensor<64x1024xf32>
  %s = nn.mul %f, %scale : tensor<64x1024xf32>, tensor<64x1xf32> -> tensor<64x1024xf32>
  %y = nn.matmul %x, %s : tensor<2x64xf32>, tensor<64x1024xf32> -> tensor<2x1024xf32>
  func.return %y : tensor<2x1024xf32>
}
func.func @few(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = nn.constant dense<-7> : tensor<4x3xi8>
  %f = nn.cast %w : tensor<4x3xi8> -> tensor<4x3xf32>
  %y = nn.matmul %x, %f : tensor<2x4xf32>, tensor<4x3xf32> -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// Weights that the scale alone gives two dimensions are no matrix.

// CHECK-LABEL: func.func @one_row
// CHECK:         nn.cast
// CHECK:         nn.mul
// CHECK-NEXT:    nn.matmul %x, %{{.*}} : tensor<4x1xf32>, tensor<1x70000xf32>
func.func @one_row(%x: tensor<4x1xf32>) -> tensor<4x70000xf32> {
  %w = nn.constant dense<3> : tensor<70000xi8>
  %s = nn.constant dense<0.5> : tensor<1x70000xf32>
  %f = nn.cast %w : tensor<70000xi8> -> tensor<70000xf32>
  %p = nn.mul %f, %s : tensor<70000xf32>, tensor<1x70000xf32> -> tensor<1x70000xf32>
  %y = nn.matmul %x, %p : tensor<4x1xf32>, tensor<1x70000xf32> -> tensor<4x70000xf32>
  func.return %y : tensor<4x70000xf32>
}
