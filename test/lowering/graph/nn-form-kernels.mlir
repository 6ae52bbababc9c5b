// RUN: mlopt %s --nn-form-kernels --split-input-file | filecheck %s

// An anchor and what follows it; rows of the batch join those of the matrix; the bias per channel is a vector.
// CHECK-LABEL: func.func @main(%x: tensor<2x8x8x16xf32>, %w: tensor<16x32xf32>, %b: tensor<32xf32>, %r: tensor<2x8x8x32xf32>) -> tensor<2x8x8x32xf32> {
// CHECK-NEXT:      %0 = nn.reshape %x : tensor<2x8x8x16xf32> -> tensor<128x16xf32>
// CHECK-NEXT:      %1 = nn.reshape %r : tensor<2x8x8x32xf32> -> tensor<128x32xf32>
// CHECK-NEXT:      %z = call @matmul_add_add_relu(%0, %w, %b, %1) : (tensor<128x16xf32>, tensor<16x32xf32>, tensor<32xf32>, tensor<128x32xf32>) -> tensor<128x32xf32>
// CHECK-NEXT:      %z_0 = nn.reshape %z : tensor<128x32xf32> -> tensor<2x8x8x32xf32>
// CHECK-NEXT:      return %z_0 : tensor<2x8x8x32xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_add_add_relu(%x: tensor<128x16xf32>, %w: tensor<16x32xf32>, %b: tensor<32xf32>, %r: tensor<128x32xf32>) -> tensor<128x32xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %x, %w : tensor<128x16xf32>, tensor<16x32xf32> -> tensor<128x32xf32>
// CHECK-NEXT:      %1 = nn.add %0, %b : tensor<128x32xf32>, tensor<32xf32> -> tensor<128x32xf32>
// CHECK-NEXT:      %2 = nn.add %1, %r : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<128x32xf32>
// CHECK-NEXT:      %3 = nn.relu %2 : tensor<128x32xf32>
// CHECK-NEXT:      return %3 : tensor<128x32xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<2x8x8x16xf32>, %w: tensor<16x32xf32>, %b: tensor<32xf32>, %r: tensor<2x8x8x32xf32>) -> tensor<2x8x8x32xf32> {
  %y = nn.matmul %x, %w : tensor<2x8x8x16xf32>, tensor<16x32xf32> -> tensor<2x8x8x32xf32>
  %a = nn.add %y, %b : tensor<2x8x8x32xf32>, tensor<32xf32> -> tensor<2x8x8x32xf32>
  %s = nn.add %a, %r : tensor<2x8x8x32xf32>, tensor<2x8x8x32xf32> -> tensor<2x8x8x32xf32>
  %z = nn.relu %s : tensor<2x8x8x32xf32>
  func.return %z : tensor<2x8x8x32xf32>
}

// -----

// The result of the first is padded: it is computed in the interior of the padded tensor, so its rows stay apart. A number stands in the kernel.
// CHECK-LABEL: func.func @main(%x: tensor<1x8x8x4xf32>, %w: tensor<4x2xf32>, %k: tensor<3x3x2x4xf32>) -> tensor<1x8x8x4xf32> {
// CHECK-NEXT:      %0 = nn.reshape %x : tensor<1x8x8x4xf32> -> tensor<8x8x4xf32>
// CHECK-NEXT:      %a = call @matmul_mul(%0, %w) : (tensor<8x8x4xf32>, tensor<4x2xf32>) -> tensor<8x8x2xf32>
// CHECK-NEXT:      %a_0 = nn.reshape %a : tensor<8x8x2xf32> -> tensor<1x8x8x2xf32>
// CHECK-NEXT:      %p = nn.pad %a_0 low = [0, 1, 1, 0] high = [0, 1, 1, 0] : tensor<1x8x8x2xf32> -> tensor<1x10x10x2xf32>
// CHECK-NEXT:      %c = call @conv(%p, %k) : (tensor<1x10x10x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x8x8x4xf32>
// CHECK-NEXT:      return %c : tensor<1x8x8x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_mul(%x: tensor<8x8x4xf32>, %w: tensor<4x2xf32>) -> tensor<8x8x2xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT:      %1 = nn.matmul %x, %w : tensor<8x8x4xf32>, tensor<4x2xf32> -> tensor<8x8x2xf32>
// CHECK-NEXT:      %2 = nn.mul %1, %0 : tensor<8x8x2xf32>, tensor<f32> -> tensor<8x8x2xf32>
// CHECK-NEXT:      return %2 : tensor<8x8x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @conv(%p: tensor<1x10x10x2xf32>, %k: tensor<3x3x2x4xf32>) -> tensor<1x8x8x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.conv %p, %k layout = "channels_last" : tensor<1x10x10x2xf32>, tensor<3x3x2x4xf32> -> tensor<1x8x8x4xf32>
// CHECK-NEXT:      return %0 : tensor<1x8x8x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<1x8x8x4xf32>, %w: tensor<4x2xf32>, %k: tensor<3x3x2x4xf32>) -> tensor<1x8x8x4xf32> {
  %half = nn.constant dense<0.5> : tensor<1x1x1xf32>
  %y = nn.matmul %x, %w : tensor<1x8x8x4xf32>, tensor<4x2xf32> -> tensor<1x8x8x2xf32>
  %a = nn.mul %y, %half : tensor<1x8x8x2xf32>, tensor<1x1x1xf32> -> tensor<1x8x8x2xf32>
  %p = nn.pad %a low = [0, 1, 1, 0] high = [0, 1, 1, 0] : tensor<1x8x8x2xf32> -> tensor<1x10x10x2xf32>
  %c = nn.conv %p, %k layout = "channels_last" : tensor<1x10x10x2xf32>, tensor<3x3x2x4xf32> -> tensor<1x8x8x4xf32>
  func.return %c : tensor<1x8x8x4xf32>
}

// -----

// An intermediate that is used twice outside is a result of its own; used twice inside, it is not.
// CHECK-LABEL: func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
// CHECK-NEXT:      %m = call @matmul_sigmoid_mul(%x, %w) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %z = call @matmul(%m, %w) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %0 = nn.reshape %m : tensor<4x4xf32> -> tensor<16xf32>
// CHECK-NEXT:      %e = call @exp(%0) : (tensor<16xf32>) -> tensor<16xf32>
// CHECK-NEXT:      %e_0 = nn.reshape %e : tensor<16xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      return %z, %e_0 : tensor<4x4xf32>, tensor<4x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_sigmoid_mul(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %x, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      %1 = nn.sigmoid %0 : tensor<4x4xf32>
// CHECK-NEXT:      %2 = nn.mul %0, %1 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      return %2 : tensor<4x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul(%m: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %m, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      return %0 : tensor<4x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @exp(%m: tensor<16xf32>) -> tensor<16xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.exp %m : tensor<16xf32>
// CHECK-NEXT:      return %0 : tensor<16xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %y = nn.matmul %x, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %s = nn.sigmoid %y : tensor<4x4xf32>
  %m = nn.mul %y, %s : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %z = nn.matmul %m, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %e = nn.exp %m : tensor<4x4xf32>
  func.return %z, %e : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// Of two anchors one is joined; the bias of the other stays with the other.
// CHECK-LABEL: func.func @main(%x: tensor<4x4xf32>, %v: tensor<4x4xf32>, %w: tensor<4x4xf32>, %b: tensor<4xf32>) -> tensor<4x4xf32> {
// CHECK-NEXT:      %a = call @matmul_add(%x, %v, %b) : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %s = call @matmul_add_1(%x, %w, %a) : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      return %s : tensor<4x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_add(%x: tensor<4x4xf32>, %v: tensor<4x4xf32>, %b: tensor<4xf32>) -> tensor<4x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %x, %v : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      %1 = nn.add %0, %b : tensor<4x4xf32>, tensor<4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      return %1 : tensor<4x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_add_1(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>, %a: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %x, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      %1 = nn.add %0, %a : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT:      return %1 : tensor<4x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<4x4xf32>, %v: tensor<4x4xf32>, %w: tensor<4x4xf32>, %b: tensor<4xf32>) -> tensor<4x4xf32> {
  %y = nn.matmul %x, %v : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %a = nn.add %y, %b : tensor<4x4xf32>, tensor<4xf32> -> tensor<4x4xf32>
  %z = nn.matmul %x, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %s = nn.add %z, %a : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  func.return %s : tensor<4x4xf32>
}

// -----

// Elementwise operations by themselves: one dimension, or rows and channels where an operand says so. Equal kernels are one.
// CHECK-LABEL: func.func @main(%x: tensor<2x3x4xf32>, %y: tensor<2x3x4xf32>, %c: tensor<4xf32>) -> (tensor<2x3x4xf32>, tensor<6x4xf32>, tensor<2x3x4xf32>) {
// CHECK-NEXT:      %0 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<24xf32>
// CHECK-NEXT:      %1 = nn.reshape %y : tensor<2x3x4xf32> -> tensor<24xf32>
// CHECK-NEXT:      %b = call @add_exp(%0, %1) : (tensor<24xf32>, tensor<24xf32>) -> tensor<24xf32>
// CHECK-NEXT:      %b_0 = nn.reshape %b : tensor<24xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:      %2 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<24xf32>
// CHECK-NEXT:      %3 = nn.reshape %y : tensor<2x3x4xf32> -> tensor<24xf32>
// CHECK-NEXT:      %e = call @add_exp(%2, %3) : (tensor<24xf32>, tensor<24xf32>) -> tensor<24xf32>
// CHECK-NEXT:      %e_1 = nn.reshape %e : tensor<24xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      %4 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      %f = call @sub(%4, %c) : (tensor<6x4xf32>, tensor<4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:      %f_2 = nn.reshape %f : tensor<6x4xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:      return %b_0, %e_1, %f_2 : tensor<2x3x4xf32>, tensor<6x4xf32>, tensor<2x3x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @add_exp(%x: tensor<24xf32>, %y: tensor<24xf32>) -> tensor<24xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.add %x, %y : tensor<24xf32>, tensor<24xf32> -> tensor<24xf32>
// CHECK-NEXT:      %1 = nn.exp %0 : tensor<24xf32>
// CHECK-NEXT:      return %1 : tensor<24xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @sub(%x: tensor<6x4xf32>, %c: tensor<4xf32>) -> tensor<6x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.sub %x, %c : tensor<6x4xf32>, tensor<4xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      return %0 : tensor<6x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<2x3x4xf32>, %y: tensor<2x3x4xf32>, %c: tensor<4xf32>) -> (tensor<2x3x4xf32>, tensor<6x4xf32>, tensor<2x3x4xf32>) {
  %a = nn.add %x, %y : tensor<2x3x4xf32>, tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %b = nn.exp %a : tensor<2x3x4xf32>
  %p = nn.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %q = nn.reshape %y : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %d = nn.add %p, %q : tensor<6x4xf32>, tensor<6x4xf32> -> tensor<6x4xf32>
  %e = nn.exp %d : tensor<6x4xf32>
  %f = nn.sub %x, %c : tensor<2x3x4xf32>, tensor<4xf32> -> tensor<2x3x4xf32>
  func.return %b, %e, %f : tensor<2x3x4xf32>, tensor<6x4xf32>, tensor<2x3x4xf32>
}

// -----

// A cheap producer joins a norm; an expensive one does not, because a norm reads its row more than once; a reduction takes both.
// CHECK-LABEL: func.func @main(%x: tensor<2x3x4xf32>, %y: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x1xf32>) {
// CHECK-NEXT:      %0 = nn.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      %s = call @mul_softmax(%0) : (tensor<6x4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:      %s_0 = nn.reshape %s : tensor<6x4xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:      %1 = nn.reshape %y : tensor<2x3x4xf32> -> tensor<24xf32>
// CHECK-NEXT:      %e = call @exp(%1) : (tensor<24xf32>) -> tensor<24xf32>
// CHECK-NEXT:      %2 = nn.reshape %e : tensor<24xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      %t = call @softmax(%2) : (tensor<6x4xf32>) -> tensor<6x4xf32>
// CHECK-NEXT:      %t_1 = nn.reshape %t : tensor<6x4xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:      %3 = nn.reshape %y : tensor<2x3x4xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      %q = call @gelu_sub_reduce_mean_sqrt(%0, %3) : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6xf32>
// CHECK-NEXT:      %q_2 = nn.reshape %q : tensor<6xf32> -> tensor<2x3x1xf32>
// CHECK-NEXT:      return %s_0, %t_1, %q_2 : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x1xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @mul_softmax(%x: tensor<6x4xf32>) -> tensor<6x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:      %1 = nn.mul %x, %0 : tensor<6x4xf32>, tensor<f32> -> tensor<6x4xf32>
// CHECK-NEXT:      %2 = nn.softmax %1 : tensor<6x4xf32>
// CHECK-NEXT:      return %2 : tensor<6x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @exp(%y: tensor<24xf32>) -> tensor<24xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.exp %y : tensor<24xf32>
// CHECK-NEXT:      return %0 : tensor<24xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @softmax(%e: tensor<6x4xf32>) -> tensor<6x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.softmax %e : tensor<6x4xf32>
// CHECK-NEXT:      return %0 : tensor<6x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @gelu_sub_reduce_mean_sqrt(%x: tensor<6x4xf32>, %y: tensor<6x4xf32>) -> tensor<6xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.gelu %x : tensor<6x4xf32>
// CHECK-NEXT:      %1 = nn.sub %0, %y : tensor<6x4xf32>, tensor<6x4xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      %2 = nn.reduce_mean %1 axes = [1] : tensor<6x4xf32> -> tensor<6xf32>
// CHECK-NEXT:      %3 = nn.sqrt %2 : tensor<6xf32>
// CHECK-NEXT:      return %3 : tensor<6xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<2x3x4xf32>, %y: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x1xf32>) {
  %two = nn.constant dense<2.0> : tensor<f32>
  %a = nn.mul %x, %two : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x3x4xf32>
  %s = nn.softmax %a : tensor<2x3x4xf32>
  %e = nn.exp %y : tensor<2x3x4xf32>
  %t = nn.softmax %e : tensor<2x3x4xf32>
  %g = nn.gelu %x : tensor<2x3x4xf32>
  %h = nn.sub %g, %y : tensor<2x3x4xf32>, tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %r = nn.reduce_mean %h axes = [2] keepdims = true : tensor<2x3x4xf32> -> tensor<2x3x1xf32>
  %q = nn.sqrt %r : tensor<2x3x1xf32>
  func.return %s, %t, %q : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x1xf32>
}

// -----

// Batches of matrices; one that broadcasts stays apart from the one that does not.
// CHECK-LABEL: func.func @main(%a: tensor<2x3x4x5xf32>, %b: tensor<2x3x5x6xf32>, %c: tensor<1x3x5x6xf32>) -> (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>) {
// CHECK-NEXT:      %0 = nn.reshape %a : tensor<2x3x4x5xf32> -> tensor<6x4x5xf32>
// CHECK-NEXT:      %1 = nn.reshape %b : tensor<2x3x5x6xf32> -> tensor<6x5x6xf32>
// CHECK-NEXT:      %x = call @matmul(%0, %1) : (tensor<6x4x5xf32>, tensor<6x5x6xf32>) -> tensor<6x4x6xf32>
// CHECK-NEXT:      %x_0 = nn.reshape %x : tensor<6x4x6xf32> -> tensor<2x3x4x6xf32>
// CHECK-NEXT:      %2 = nn.reshape %c : tensor<1x3x5x6xf32> -> tensor<3x5x6xf32>
// CHECK-NEXT:      %y = call @matmul_1(%a, %2) : (tensor<2x3x4x5xf32>, tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32>
// CHECK-NEXT:      return %x_0, %y : tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul(%a: tensor<6x4x5xf32>, %b: tensor<6x5x6xf32>) -> tensor<6x4x6xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %a, %b : tensor<6x4x5xf32>, tensor<6x5x6xf32> -> tensor<6x4x6xf32>
// CHECK-NEXT:      return %0 : tensor<6x4x6xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_1(%a: tensor<2x3x4x5xf32>, %c: tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %a, %c : tensor<2x3x4x5xf32>, tensor<3x5x6xf32> -> tensor<2x3x4x6xf32>
// CHECK-NEXT:      return %0 : tensor<2x3x4x6xf32>
// CHECK-NEXT:    }
func.func @main(%a: tensor<2x3x4x5xf32>, %b: tensor<2x3x5x6xf32>, %c: tensor<1x3x5x6xf32>) -> (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>) {
  %x = nn.matmul %a, %b : tensor<2x3x4x5xf32>, tensor<2x3x5x6xf32> -> tensor<2x3x4x6xf32>
  %y = nn.matmul %a, %c : tensor<2x3x4x5xf32>, tensor<1x3x5x6xf32> -> tensor<2x3x4x6xf32>
  func.return %x, %y : tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>
}

// -----

// What moves data is a kernel with as few dimensions as it can have; elementwise operations go with it on both sides.
// CHECK-LABEL: func.func @main(%x: tensor<1x2x3x4xf32>, %t: tensor<5x2x2xf32>, %i: tensor<3x1xi64>) -> (tensor<1x3x4x2xf32>, tensor<3x1x2x2xf32>) {
// CHECK-NEXT:      %0 = nn.reshape %x : tensor<1x2x3x4xf32> -> tensor<2x12xf32>
// CHECK-NEXT:      %r = call @exp_transpose_relu(%0) : (tensor<2x12xf32>) -> tensor<12x2xf32>
// CHECK-NEXT:      %r_0 = nn.reshape %r : tensor<12x2xf32> -> tensor<1x3x4x2xf32>
// CHECK-NEXT:      %1 = nn.reshape %t : tensor<5x2x2xf32> -> tensor<5x4xf32>
// CHECK-NEXT:      %2 = nn.reshape %i : tensor<3x1xi64> -> tensor<3xi64>
// CHECK-NEXT:      %s = call @gather_tanh(%1, %2) : (tensor<5x4xf32>, tensor<3xi64>) -> tensor<3x4xf32>
// CHECK-NEXT:      %s_1 = nn.reshape %s : tensor<3x4xf32> -> tensor<3x1x2x2xf32>
// CHECK-NEXT:      return %r_0, %s_1 : tensor<1x3x4x2xf32>, tensor<3x1x2x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @exp_transpose_relu(%x: tensor<2x12xf32>) -> tensor<12x2xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.exp %x : tensor<2x12xf32>
// CHECK-NEXT:      %1 = nn.transpose %0 permutation = [1, 0] : tensor<2x12xf32> -> tensor<12x2xf32>
// CHECK-NEXT:      %2 = nn.relu %1 : tensor<12x2xf32>
// CHECK-NEXT:      return %2 : tensor<12x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @gather_tanh(%t: tensor<5x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.gather %t, %i : tensor<5x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
// CHECK-NEXT:      %1 = nn.tanh %0 : tensor<3x4xf32>
// CHECK-NEXT:      return %1 : tensor<3x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<1x2x3x4xf32>, %t: tensor<5x2x2xf32>, %i: tensor<3x1xi64>) -> (tensor<1x3x4x2xf32>, tensor<3x1x2x2xf32>) {
  %e = nn.exp %x : tensor<1x2x3x4xf32>
  %p = nn.transpose %e permutation = [0, 2, 3, 1] : tensor<1x2x3x4xf32> -> tensor<1x3x4x2xf32>
  %r = nn.relu %p : tensor<1x3x4x2xf32>
  %g = nn.gather %t, %i : tensor<5x2x2xf32>, tensor<3x1xi64> -> tensor<3x1x2x2xf32>
  %s = nn.tanh %g : tensor<3x1x2x2xf32>
  func.return %r, %s : tensor<1x3x4x2xf32>, tensor<3x1x2x2xf32>
}

// -----

// Slices, concatenations and paddings stay; a slice with a step and a padding that reflects are kernels.
// CHECK-LABEL: func.func @main(%x: tensor<4x6xf32>) -> (tensor<4x8xf32>, tensor<4x3xf32>, tensor<6x6xf32>) {
// CHECK-NEXT:      %a = nn.slice %x starts = [0, 0] ends = [4, 2] : tensor<4x6xf32> -> tensor<4x2xf32>
// CHECK-NEXT:      %e = call @exp(%a) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT:      %c = nn.concat %e, %x axis = 1 : tensor<4x2xf32>, tensor<4x6xf32> -> tensor<4x8xf32>
// CHECK-NEXT:      %s = call @slice(%x) : (tensor<4x6xf32>) -> tensor<4x3xf32>
// CHECK-NEXT:      %p = call @pad(%x) : (tensor<4x6xf32>) -> tensor<6x6xf32>
// CHECK-NEXT:      return %c, %s, %p : tensor<4x8xf32>, tensor<4x3xf32>, tensor<6x6xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @exp(%a: tensor<4x2xf32>) -> tensor<4x2xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.exp %a : tensor<4x2xf32>
// CHECK-NEXT:      return %0 : tensor<4x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @slice(%x: tensor<4x6xf32>) -> tensor<4x3xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.slice %x starts = [0, 0] ends = [4, 6] steps = [1, 2] : tensor<4x6xf32> -> tensor<4x3xf32>
// CHECK-NEXT:      return %0 : tensor<4x3xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @pad(%x: tensor<4x6xf32>) -> tensor<6x6xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.pad %x low = [1, 0] high = [1, 0] mode = "reflect" : tensor<4x6xf32> -> tensor<6x6xf32>
// CHECK-NEXT:      return %0 : tensor<6x6xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<4x6xf32>) -> (tensor<4x8xf32>, tensor<4x3xf32>, tensor<6x6xf32>) {
  %a = nn.slice %x starts = [0, 0] ends = [4, 2] : tensor<4x6xf32> -> tensor<4x2xf32>
  %e = nn.exp %a : tensor<4x2xf32>
  %c = nn.concat %e, %x axis = 1 : tensor<4x2xf32>, tensor<4x6xf32> -> tensor<4x8xf32>
  %s = nn.slice %x starts = [0, 0] ends = [4, 6] steps = [1, 2] : tensor<4x6xf32> -> tensor<4x3xf32>
  %p = nn.pad %x low = [1, 0] high = [1, 0] mode = "reflect" : tensor<4x6xf32> -> tensor<6x6xf32>
  func.return %c, %s, %p : tensor<4x8xf32>, tensor<4x3xf32>, tensor<6x6xf32>
}

// -----

// At most six tensors of full size besides what the anchor reads.
// CHECK-LABEL: func.func @main(%x: tensor<2x2xf32>, %w: tensor<2x2xf32>, %arg0: tensor<2x2xf32>, %arg1: tensor<2x2xf32>, %arg2: tensor<2x2xf32>, %arg3: tensor<2x2xf32>, %arg4: tensor<2x2xf32>, %arg5: tensor<2x2xf32>, %arg6: tensor<2x2xf32>) -> tensor<2x2xf32> {
// CHECK-NEXT:      %b = call @matmul_add_add(%x, %w, %arg0, %arg1) : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT:      %0 = nn.reshape %b : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:      %1 = nn.reshape %arg2 : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:      %2 = nn.reshape %arg3 : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:      %3 = nn.reshape %arg4 : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:      %4 = nn.reshape %arg5 : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:      %5 = nn.reshape %arg6 : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:      %g = call @add_add_add_add_add(%0, %1, %2, %3, %4, %5) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %g_0 = nn.reshape %g : tensor<4xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      return %g_0 : tensor<2x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_add_add(%x: tensor<2x2xf32>, %w: tensor<2x2xf32>, %arg0: tensor<2x2xf32>, %arg1: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %x, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %1 = nn.add %0, %arg0 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      %2 = nn.add %1, %arg1 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:      return %2 : tensor<2x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @add_add_add_add_add(%b: tensor<4xf32>, %arg0: tensor<4xf32>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>) -> tensor<4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.add %b, %arg0 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %1 = nn.add %0, %arg1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %2 = nn.add %1, %arg2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %3 = nn.add %2, %arg3 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %4 = nn.add %3, %arg4 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      return %4 : tensor<4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<2x2xf32>, %w: tensor<2x2xf32>, %1: tensor<2x2xf32>, %2: tensor<2x2xf32>, %3: tensor<2x2xf32>, %4: tensor<2x2xf32>, %5: tensor<2x2xf32>, %6: tensor<2x2xf32>, %7: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %y = nn.matmul %x, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %a = nn.add %y, %1 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %b = nn.add %a, %2 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %c = nn.add %b, %3 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %d = nn.add %c, %4 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %e = nn.add %d, %5 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %f = nn.add %e, %6 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %g = nn.add %f, %7 : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %g : tensor<2x2xf32>
}

// -----

// Loops: kernels are called from the body.
// CHECK-LABEL: func.func @main(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>, %n: index) -> tensor<2x4xf32> {
// CHECK-NEXT:      %zero = arith.constant 0 : index
// CHECK-NEXT:      %one = arith.constant 1 : index
// CHECK-NEXT:      %r = scf.for %i = %zero to %n step %one iter_args(%h = %x) -> (tensor<2x4xf32>) {
// CHECK-NEXT:        %t = func.call @matmul_tanh(%h, %w) : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:        scf.yield %t : tensor<2x4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %r : tensor<2x4xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul_tanh(%h: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x4xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %h, %w : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:      %1 = nn.tanh %0 : tensor<2x4xf32>
// CHECK-NEXT:      return %1 : tensor<2x4xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>, %n: index) -> tensor<2x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %r = scf.for %i = %zero to %n step %one iter_args(%h = %x) -> (tensor<2x4xf32>) {
    %y = nn.matmul %h, %w : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
    %t = nn.tanh %y : tensor<2x4xf32>
    scf.yield %t : tensor<2x4xf32>
  }
  func.return %r : tensor<2x4xf32>
}

// -----

// Unknown extents: nothing merges.
// CHECK-LABEL: func.func @main(%x: tensor<?x8x4xf32>, %w: tensor<4x2xf32>, %b: tensor<2xf32>) -> tensor<?x8x2xf32> {
// CHECK-NEXT:      %y = call @matmul(%x, %w) : (tensor<?x8x4xf32>, tensor<4x2xf32>) -> tensor<?x8x2xf32>
// CHECK-NEXT:      %a = call @add(%y, %b) : (tensor<?x8x2xf32>, tensor<2xf32>) -> tensor<?x8x2xf32>
// CHECK-NEXT:      return %a : tensor<?x8x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @matmul(%x: tensor<?x8x4xf32>, %w: tensor<4x2xf32>) -> tensor<?x8x2xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.matmul %x, %w : tensor<?x8x4xf32>, tensor<4x2xf32> -> tensor<?x8x2xf32>
// CHECK-NEXT:      return %0 : tensor<?x8x2xf32>
// CHECK-NEXT:    }
// CHECK-LABEL: func.func private @add(%y: tensor<?x8x2xf32>, %b: tensor<2xf32>) -> tensor<?x8x2xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.add %y, %b : tensor<?x8x2xf32>, tensor<2xf32> -> tensor<?x8x2xf32>
// CHECK-NEXT:      return %0 : tensor<?x8x2xf32>
// CHECK-NEXT:    }
func.func @main(%x: tensor<?x8x4xf32>, %w: tensor<4x2xf32>, %b: tensor<2xf32>) -> tensor<?x8x2xf32> {
  %y = nn.matmul %x, %w : tensor<?x8x4xf32>, tensor<4x2xf32> -> tensor<?x8x2xf32>
  %a = nn.add %y, %b : tensor<?x8x2xf32>, tensor<2xf32> -> tensor<?x8x2xf32>
  func.return %a : tensor<?x8x2xf32>
}

// -----

// The shape of the product comes from a constant of one number: it stands in the kernel with that shape.
// CHECK-LABEL: func.func private @mul_add(%g: tensor<4x1xf32>, %x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.constant dense<5.000000e-01> : tensor<4x8xf32>
// CHECK-NEXT:      %1 = nn.mul %0, %g : tensor<4x8xf32>, tensor<4x1xf32> -> tensor<4x8xf32>
// CHECK-NEXT:      %2 = nn.add %1, %x : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
func.func @main(%g: tensor<4x1xf32>, %x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %half = nn.constant dense<5.000000e-01> : tensor<4x8xf32>
  %m = nn.mul %half, %g : tensor<4x8xf32>, tensor<4x1xf32> -> tensor<4x8xf32>
  %a = nn.add %m, %x : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  func.return %a : tensor<4x8xf32>
}

// -----

// A softmax keeps its exponentials in its result, so that a change of type is a kernel of its own.
// CHECK-LABEL: func.func private @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
// CHECK-NEXT:      %0 = nn.softmax %x : tensor<4x8xf32>
// CHECK-NEXT:      return %0 : tensor<4x8xf32>
// CHECK-LABEL: func.func private @cast(%s: tensor<32xf32>) -> tensor<32xf64> attributes {kernel} {
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf64> {
  %s = nn.softmax %x axis = 1 : tensor<4x8xf32>
  %c = nn.cast %s : tensor<4x8xf32> -> tensor<4x8xf64>
  func.return %c : tensor<4x8xf64>
}
