// RUN: mlopt %s --nn-form-kernels --nn-choose-convolution --split-input-file --mlir-elide-elementsattrs-if-larger=4 | filecheck %s

// Tiles of 2 x 2 cover 6 rows in one block: five kernels, and the epilogue comes with the last.
// CHECK-LABEL: func.func @bias_relu(%x: tensor<1x8x4x1xf32>) -> tensor<1x6x2x2xf32> {
// CHECK-NEXT:  %b = nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:  %0 = nn.constant dense_resource<__elided__> : tensor<4x4xf32>
// CHECK-NEXT:  %1 = nn.constant dense_resource<__elided__> : tensor<2x4xf32>
// CHECK-NEXT:  %2 = nn.constant dense_resource<__elided__> : tensor<16x1x2xf32>
// CHECK-NEXT:  %3 = nn.reshape %x : tensor<1x8x4x1xf32> -> tensor<8x4xf32>
// CHECK-NEXT:  %4 = call @winograd_rows(%0, %3) {algorithm = "winograd_2, {{[0-9.]+}} Mcycles estimated"} : (tensor<4x4xf32>, tensor<8x4xf32>) -> tensor<4x3x4xf32>
// CHECK-NEXT:  %5 = nn.reshape %4 : tensor<4x3x4xf32> -> tensor<4x3x4x1xf32>
// CHECK-NEXT:  %6 = call @winograd_columns(%0, %5) {algorithm = "winograd_2, {{[0-9.]+}} Mcycles estimated"} : (tensor<4x4xf32>, tensor<4x3x4x1xf32>) -> tensor<4x4x3x1x1xf32>
// CHECK-NEXT:  %7 = nn.reshape %6 : tensor<4x4x3x1x1xf32> -> tensor<16x3x1xf32>
// CHECK-NEXT:  %8 = call @winograd_product(%7, %2) {algorithm = "winograd_2, {{[0-9.]+}} Mcycles estimated"} : (tensor<16x3x1xf32>, tensor<16x1x2xf32>) -> tensor<16x3x2xf32>
// CHECK-NEXT:  %9 = nn.reshape %8 : tensor<16x3x2xf32> -> tensor<4x4x3x2xf32>
// CHECK-NEXT:  %10 = call @winograd_gather(%1, %9) {algorithm = "winograd_2, {{[0-9.]+}} Mcycles estimated"} : (tensor<2x4xf32>, tensor<4x4x3x2xf32>) -> tensor<1x4x3x2x2xf32>
// CHECK-NEXT:  %11 = nn.reshape %10 : tensor<1x4x3x2x2xf32> -> tensor<4x6x1x2xf32>
// CHECK-NEXT:  %12 = call @winograd_add_relu(%1, %11, %b) {algorithm = "winograd_2, {{[0-9.]+}} Mcycles estimated"} : (tensor<2x4xf32>, tensor<4x6x1x2xf32>, tensor<2xf32>) -> tensor<1x6x1x2x2xf32>
// CHECK-NEXT:  %r = nn.reshape %12 : tensor<1x6x1x2x2xf32> -> tensor<1x6x2x2xf32>
// CHECK-NEXT:  return %r : tensor<1x6x2x2xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.func private @winograd_rows(%arg0: tensor<4x4xf32>, %arg1: tensor<8x4xf32>) -> tensor<4x3x4xf32> attributes {kernel} {
// CHECK-NEXT:  %0 = nn.window_transform %arg0, %arg1 axis = 0 place = 0 stride = 2 : tensor<4x4xf32>, tensor<8x4xf32> -> tensor<4x3x4xf32>
// CHECK-NEXT:  return %0 : tensor<4x3x4xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.func private @winograd_columns(%arg0: tensor<4x4xf32>, %arg1: tensor<4x3x4x1xf32>) -> tensor<4x4x3x1x1xf32> attributes {kernel} {
// CHECK-NEXT:  %0 = nn.window_transform %arg0, %arg1 axis = 2 place = 1 stride = 2 : tensor<4x4xf32>, tensor<4x3x4x1xf32> -> tensor<4x4x3x1x1xf32>
// CHECK-NEXT:  return %0 : tensor<4x4x3x1x1xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.func private @winograd_product(%arg0: tensor<16x3x1xf32>, %arg1: tensor<16x1x2xf32>) -> tensor<16x3x2xf32> attributes {kernel} {
// CHECK-NEXT:  %0 = nn.matmul %arg0, %arg1 : tensor<16x3x1xf32>, tensor<16x1x2xf32> -> tensor<16x3x2xf32>
// CHECK-NEXT:  return %0 : tensor<16x3x2xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.func private @winograd_gather(%arg0: tensor<2x4xf32>, %arg1: tensor<4x4x3x2xf32>) -> tensor<1x4x3x2x2xf32> attributes {kernel} {
// CHECK-NEXT:  %0 = nn.window_transform %arg0, %arg1 axis = 0 place = 3 : tensor<2x4xf32>, tensor<4x4x3x2xf32> -> tensor<1x4x3x2x2xf32>
// CHECK-NEXT:  return %0 : tensor<1x4x3x2x2xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.func private @winograd_add_relu(%arg0: tensor<2x4xf32>, %arg1: tensor<4x6x1x2xf32>, %arg2: tensor<2xf32>) -> tensor<1x6x1x2x2xf32> attributes {kernel} {
// CHECK-NEXT:  %0 = nn.window_transform %arg0, %arg1 axis = 0 place = 3 : tensor<2x4xf32>, tensor<4x6x1x2xf32> -> tensor<1x6x1x2x2xf32>
// CHECK-NEXT:  %1 = nn.add %0, %arg2 : tensor<1x6x1x2x2xf32>, tensor<2xf32> -> tensor<1x6x1x2x2xf32>
// CHECK-NEXT:  %2 = nn.relu %1 : tensor<1x6x1x2x2xf32>
// CHECK-NEXT:  return %2 : tensor<1x6x1x2x2xf32>
// CHECK-NEXT:  }
module attributes {stepwell.convolution = "winograd_2"} {
  func.func @bias_relu(%x: tensor<1x8x4x1xf32>) -> tensor<1x6x2x2xf32> {
    %w = nn.constant dense<0.5> : tensor<3x3x1x2xf32>
    %b = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %y = nn.conv %x, %w layout = "channels_last" : tensor<1x8x4x1xf32>, tensor<3x3x1x2xf32> -> tensor<1x6x2x2xf32>
    %s = nn.add %y, %b : tensor<1x6x2x2xf32>, tensor<2xf32> -> tensor<1x6x2x2xf32>
    %r = nn.relu %s : tensor<1x6x2x2xf32>
    func.return %r : tensor<1x6x2x2xf32>
  }
}

// -----

// Tiles reach over the edge: the padding grows, and the result is a part of a larger one. Two images are a loop.
// CHECK-LABEL: func.func @ragged(%x: tensor<2x3x3x1xf32>) -> tensor<2x3x3x2xf32> {
// CHECK-NEXT:  %0 = nn.constant dense_resource<__elided__> : tensor<6x6xf32>
// CHECK-NEXT:  %1 = nn.constant dense_resource<__elided__> : tensor<4x6xf32>
// CHECK-NEXT:  %2 = nn.constant dense_resource<__elided__> : tensor<36x1x2xf32>
// CHECK-NEXT:  %3 = nn.pad %x low = [0, 1, 1, 0] high = [0, 2, 2, 0] : tensor<2x3x3x1xf32> -> tensor<2x6x6x1xf32>
// CHECK-NEXT:  %4 = tensor.empty() : tensor<2x4x4x2xf32>
// CHECK-NEXT:  %c0 = arith.constant 0 : index
// CHECK-NEXT:  %c2 = arith.constant 2 : index
// CHECK-NEXT:  %c1 = arith.constant 1 : index
// CHECK-NEXT:  %5 = scf.for %arg0 = %c0 to %c2 step %c1 iter_args(%arg1 = %4) -> (tensor<2x4x4x2xf32>) {
// CHECK-NEXT:  %extracted_slice = tensor.extract_slice %3[%arg0, 0, 0, 0] [1, 6, 6, 1] [1, 1, 1, 1] : tensor<2x6x6x1xf32> to tensor<1x6x6x1xf32>
// CHECK-NEXT:  %6 = nn.reshape %extracted_slice : tensor<1x6x6x1xf32> -> tensor<6x6xf32>
// CHECK-NEXT:  %7 = func.call @winograd_rows(%0, %6) {algorithm = "winograd_4, {{[0-9.]+}} Mcycles estimated"} : (tensor<6x6xf32>, tensor<6x6xf32>) -> tensor<6x1x6xf32>
// CHECK-NEXT:  %8 = nn.reshape %7 : tensor<6x1x6xf32> -> tensor<6x1x6x1xf32>
// CHECK-NEXT:  %9 = func.call @winograd_columns(%0, %8) {algorithm = "winograd_4, {{[0-9.]+}} Mcycles estimated"} : (tensor<6x6xf32>, tensor<6x1x6x1xf32>) -> tensor<6x6x1x1x1xf32>
// CHECK-NEXT:  %10 = nn.reshape %9 : tensor<6x6x1x1x1xf32> -> tensor<36x1x1xf32>
// CHECK-NEXT:  %11 = func.call @winograd_product(%10, %2) {algorithm = "winograd_4, {{[0-9.]+}} Mcycles estimated"} : (tensor<36x1x1xf32>, tensor<36x1x2xf32>) -> tensor<36x1x2xf32>
// CHECK-NEXT:  %12 = nn.reshape %11 : tensor<36x1x2xf32> -> tensor<6x6x1x2xf32>
// CHECK-NEXT:  %13 = func.call @winograd_gather(%1, %12) {algorithm = "winograd_4, {{[0-9.]+}} Mcycles estimated"} : (tensor<4x6xf32>, tensor<6x6x1x2xf32>) -> tensor<1x6x1x4x2xf32>
// CHECK-NEXT:  %14 = nn.reshape %13 : tensor<1x6x1x4x2xf32> -> tensor<6x4x1x2xf32>
// CHECK-NEXT:  %15 = func.call @winograd(%1, %14) {algorithm = "winograd_4, {{[0-9.]+}} Mcycles estimated"} : (tensor<4x6xf32>, tensor<6x4x1x2xf32>) -> tensor<1x4x1x4x2xf32>
// CHECK-NEXT:  %16 = nn.reshape %15 : tensor<1x4x1x4x2xf32> -> tensor<1x4x4x2xf32>
// CHECK-NEXT:  %inserted_slice = tensor.insert_slice %16 into %arg1[%arg0, 0, 0, 0] [1, 4, 4, 2] [1, 1, 1, 1] : tensor<1x4x4x2xf32> into tensor<2x4x4x2xf32>
// CHECK-NEXT:  scf.yield %inserted_slice : tensor<2x4x4x2xf32>
// CHECK-NEXT:  }
// CHECK-NEXT:  %y = nn.slice %5 starts = [0, 0, 0, 0] ends = [2, 3, 3, 2] : tensor<2x4x4x2xf32> -> tensor<2x3x3x2xf32>
// CHECK-NEXT:  return %y : tensor<2x3x3x2xf32>
// CHECK-NEXT:  }
module attributes {stepwell.convolution = "winograd_4"} {
  func.func @ragged(%x: tensor<2x3x3x1xf32>) -> tensor<2x3x3x2xf32> {
    %w = nn.constant dense<0.5> : tensor<3x3x1x2xf32>
    %p = nn.pad %x low = [0, 1, 1, 0] high = [0, 1, 1, 0] : tensor<2x3x3x1xf32> -> tensor<2x5x5x1xf32>
    %y = nn.conv %p, %w layout = "channels_last" : tensor<2x5x5x1xf32>, tensor<3x3x1x2xf32> -> tensor<2x3x3x2xf32>
    func.return %y : tensor<2x3x3x2xf32>
  }
}

// -----

// Few channels, little work: the cost model prefers the direct form, and says what it expects.
// CHECK-LABEL: func.func @small(%x: tensor<1x6x6x1xf32>) -> tensor<1x4x4x2xf32> {
// CHECK-NEXT:  %w = nn.constant dense<5.000000e-01> : tensor<3x3x1x2xf32>
// CHECK-NEXT:  %y = call @conv(%x, %w) {algorithm = "direct, {{[0-9.]+}} Mcycles estimated"} : (tensor<1x6x6x1xf32>, tensor<3x3x1x2xf32>) -> tensor<1x4x4x2xf32>
// CHECK-NEXT:  return %y : tensor<1x4x4x2xf32>
// CHECK-NEXT:  }
func.func @small(%x: tensor<1x6x6x1xf32>) -> tensor<1x4x4x2xf32> {
  %w = nn.constant dense<0.5> : tensor<3x3x1x2xf32>
  %y = nn.conv %x, %w layout = "channels_last" : tensor<1x6x6x1xf32>, tensor<3x3x1x2xf32> -> tensor<1x4x4x2xf32>
  func.return %y : tensor<1x4x4x2xf32>
}

// -----

// Strict numerics allow the direct form only.
// CHECK-LABEL: func.func @strict(%x: tensor<1x58x58x64xf32>) -> tensor<1x56x56x64xf32> {
// CHECK-NEXT:  %w = nn.constant dense<5.000000e-01> : tensor<3x3x64x64xf32>
// CHECK-NEXT:  %y = call @conv(%x, %w) {algorithm = "direct, {{[0-9.]+}} Mcycles estimated"} : (tensor<1x58x58x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32>
// CHECK-NEXT:  return %y : tensor<1x56x56x64xf32>
// CHECK-NEXT:  }
module attributes {stepwell.numerics = "strict"} {
  func.func @strict(%x: tensor<1x58x58x64xf32>) -> tensor<1x56x56x64xf32> {
    %w = nn.constant dense<0.5> : tensor<3x3x64x64xf32>
    %y = nn.conv %x, %w layout = "channels_last" : tensor<1x58x58x64xf32>, tensor<3x3x64x64xf32> -> tensor<1x56x56x64xf32>
    func.return %y : tensor<1x56x56x64xf32>
  }
}

// -----

// The residual would have to be cut at the edge of the last tiles: direct, whatever is wished.
// CHECK-LABEL: func.func @residual(%x: tensor<1x8x8x1xf32>, %r: tensor<1x6x6x2xf32>) -> tensor<1x6x6x2xf32> {
// CHECK-NEXT:  %w = nn.constant dense<5.000000e-01> : tensor<3x3x1x2xf32>
// CHECK-NEXT:  %s = call @conv_add(%x, %w, %r) {algorithm = "direct, {{[0-9.]+}} Mcycles estimated"} : (tensor<1x8x8x1xf32>, tensor<3x3x1x2xf32>, tensor<1x6x6x2xf32>) -> tensor<1x6x6x2xf32>
// CHECK-NEXT:  return %s : tensor<1x6x6x2xf32>
// CHECK-NEXT:  }
module attributes {stepwell.convolution = "winograd_4"} {
  func.func @residual(%x: tensor<1x8x8x1xf32>, %r: tensor<1x6x6x2xf32>) -> tensor<1x6x6x2xf32> {
    %w = nn.constant dense<0.5> : tensor<3x3x1x2xf32>
    %y = nn.conv %x, %w layout = "channels_last" : tensor<1x8x8x1xf32>, tensor<3x3x1x2xf32> -> tensor<1x6x6x2xf32>
    %s = nn.add %y, %r : tensor<1x6x6x2xf32>, tensor<1x6x6x2xf32> -> tensor<1x6x6x2xf32>
    func.return %s : tensor<1x6x6x2xf32>
  }
}

// -----

// Strided, and of constants that are not known: no choice.
// CHECK-LABEL: func.func @no_choice(%x: tensor<1x9x9x2xf32>, %w: tensor<3x3x2x2xf32>) -> tensor<1x7x7x2xf32> {
// CHECK-NEXT:  %c = nn.constant dense<5.000000e-01> : tensor<3x3x2x2xf32>
// CHECK-NEXT:  %z = call @conv(%x, %c) : (tensor<1x9x9x2xf32>, tensor<3x3x2x2xf32>) -> tensor<1x4x4x2xf32>
// CHECK-NEXT:  %0 = nn.reshape %z : tensor<1x4x4x2xf32> -> tensor<16x2xf32>
// CHECK-NEXT:  %f = call @reduce_max(%0) : (tensor<16x2xf32>) -> tensor<2xf32>
// CHECK-NEXT:  %s = call @conv_add(%x, %w, %f) : (tensor<1x9x9x2xf32>, tensor<3x3x2x2xf32>, tensor<2xf32>) -> tensor<1x7x7x2xf32>
// CHECK-NEXT:  return %s : tensor<1x7x7x2xf32>
// CHECK-NEXT:  }
func.func @no_choice(%x: tensor<1x9x9x2xf32>, %w: tensor<3x3x2x2xf32>) -> tensor<1x7x7x2xf32> {
  %c = nn.constant dense<0.5> : tensor<3x3x2x2xf32>
  %y = nn.conv %x, %w layout = "channels_last" : tensor<1x9x9x2xf32>, tensor<3x3x2x2xf32> -> tensor<1x7x7x2xf32>
  %z = nn.conv %x, %c strides = [2, 2] layout = "channels_last" : tensor<1x9x9x2xf32>, tensor<3x3x2x2xf32> -> tensor<1x4x4x2xf32>
  %f = nn.reduce_max %z axes = [1, 2] keepdims = true : tensor<1x4x4x2xf32> -> tensor<1x1x1x2xf32>
  %s = nn.add %y, %f : tensor<1x7x7x2xf32>, tensor<1x1x1x2xf32> -> tensor<1x7x7x2xf32>
  func.return %s : tensor<1x7x7x2xf32>
}
