// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s

// What is equal to its default is not printed; result types of ops that keep their operand's type are not, either.
// CHECK-LABEL: func.func @defaults
// CHECK-NEXT:    %0 = nn.relu %x : tensor<1x3x8x8xf32>
// CHECK-NEXT:    %1 = nn.conv %0, %w strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32> -> tensor<1x16x4x4xf32>
// CHECK-NEXT:    %2 = nn.conv %0, %w : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32> -> tensor<1x16x6x6xf32>
// CHECK-NEXT:    %3 = nn.softmax %1 : tensor<1x16x4x4xf32>
// CHECK-NEXT:    %4 = nn.softmax %1 axis = 1 : tensor<1x16x4x4xf32>
func.func @defaults(%x: tensor<1x3x8x8xf32>, %w: tensor<16x3x3x3xf32>) {
  %0 = nn.relu %x : tensor<1x3x8x8xf32> -> tensor<1x3x8x8xf32>
  %1 = nn.conv %0, %w strides = [2, 2] pads = [1, 1, 1, 1] groups = 1 layout = "channels_first" : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>
  %2 = nn.conv %0, %w dilations = [1, 1] : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>
  %3 = nn.softmax %1 axis = 3 : tensor<1x16x4x4xf32>
  %4 = nn.softmax %1 axis = -3 : tensor<1x16x4x4xf32>
  func.return
}

// CHECK-LABEL: func.func @values
// CHECK-NEXT:    %0 = nn.clip %x min = -inf max = 1.0e-05 : tensor<2x3xf32>
// CHECK-NEXT:    %1 = nn.gelu %0 approximate = "tanh" {note = "kept"} : tensor<2x3xf32>
// CHECK-NEXT:    %2 = nn.is_inf %1 detect_negative = false : tensor<2x3xf32> -> tensor<2x3xi1>
// CHECK-NEXT:    %3 = nn.reduce_sum %1 axes = [] keepdims = true : tensor<2x3xf32>
// CHECK-NEXT:    %4 = nn.resize %1 scales = [1.0, 2.5] : tensor<2x3xf32> -> tensor<2x7xf32>
func.func @values(%x: tensor<2x3xf32>) {
  %0 = nn.clip %x min = -inf max = 0.00001 : tensor<2x3xf32>
  %1 = nn.gelu %0 approximate = "tanh" {note = "kept"} : tensor<2x3xf32>
  %2 = nn.is_inf %1 detect_negative = false : tensor<2x3xf32> -> tensor<2x3xi1>
  %3 = nn.reduce_sum %1 axes = [] keepdims = true : tensor<2x3xf32> -> tensor<2x3xf32>
  %4 = nn.resize %1 scales = [1.0, 2.5] : tensor<2x3xf32> -> tensor<2x7xf32>
  func.return
}

// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    %0 = nn.constant dense<[0, 255]> : tensor<2xui8>
// CHECK-NEXT:    %1 = nn.constant dense<[1.500000e+00, -2.000000e+00]> : tensor<2xbf16>
// CHECK-NEXT:    %2 = nn.constant dense<0.000000e+00> : tensor<4096x4096xf32>
// CHECK-NEXT:    %3 = nn.iota axis = 1 : tensor<2x3xi64>
func.func @constants() {
  %0 = nn.constant dense<[0, 255]> : tensor<2xui8>
  %1 = nn.constant dense<[1.5, -2.0]> : tensor<2xbf16>
  %2 = nn.constant dense<0.0> : tensor<4096x4096xf32>
  %3 = nn.iota axis = -1 : tensor<2x3xi64>
  func.return
}

// Unknown extents: broadcasting a `?` against n gives n, against 1 gives `?`.
// CHECK-LABEL: func.func @dynamic
// CHECK-NEXT:    %0 = nn.add %x, %y : tensor<?x?x4xf32>, tensor<3x1xf32> -> tensor<?x3x4xf32>
// CHECK-NEXT:    %1 = nn.matmul %x, %z : tensor<?x?x4xf32>, tensor<4x?xf32> -> tensor<?x?x?xf32>
// CHECK-NEXT:    %2 = nn.concat %x, %x axis = 2 : tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x8xf32>
func.func @dynamic(%x: tensor<?x?x4xf32>, %y: tensor<3x1xf32>, %z: tensor<4x?xf32>) {
  %0 = nn.add %x, %y : tensor<?x?x4xf32>, tensor<3x1xf32>
  %1 = nn.matmul %x, %z : tensor<?x?x4xf32>, tensor<4x?xf32>
  %2 = nn.concat %x, %x axis = 2 : tensor<?x?x4xf32>, tensor<?x?x4xf32>
  func.return
}
