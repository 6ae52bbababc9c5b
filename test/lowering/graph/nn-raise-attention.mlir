// RUN: mlopt %s --nn-raise-attention | filecheck %s

// As PyTorch exports it: the root of the scale on queries and keys, a mask, a guard for rows that are masked out, keys shared by two heads.
// CHECK-LABEL: func.func @attention(
// CHECK-NEXT:    %0 = nn.reshape %k5 : tensor<1x2x1x5x4xf32> -> tensor<1x2x5x4xf32>
// CHECK-NEXT:    %1 = nn.reshape %v5 : tensor<1x2x1x5x6xf32> -> tensor<1x2x5x6xf32>
// CHECK-NEXT:    %y = nn.attention %q, %0, %1, %mask scale = 0.25 masked_rows = "zero" : tensor<1x4x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x6xf32>, tensor<1x1x3x5xf32> -> tensor<1x4x3x6xf32>
// CHECK-NEXT:    return %y : tensor<1x4x3x6xf32>
// CHECK-NEXT:  }
func.func @attention(%q: tensor<1x4x3x4xf32>, %k5: tensor<1x2x1x5x4xf32>, %v5: tensor<1x2x1x5x6xf32>, %mask: tensor<1x1x3x5xf32>) -> tensor<1x4x3x6xf32> {
  %root = nn.constant dense<0.5> : tensor<f32>
  %zero = nn.constant dense<0.0> : tensor<f32>
  %kr = nn.broadcast_to %k5 : tensor<1x2x1x5x4xf32> -> tensor<1x2x2x5x4xf32>
  %k = nn.reshape %kr : tensor<1x2x2x5x4xf32> -> tensor<1x4x5x4xf32>
  %vr = nn.broadcast_to %v5 : tensor<1x2x1x5x6xf32> -> tensor<1x2x2x5x6xf32>
  %v = nn.reshape %vr : tensor<1x2x2x5x6xf32> -> tensor<1x4x5x6xf32>
  %qs = nn.mul %q, %root : tensor<1x4x3x4xf32>, tensor<f32> -> tensor<1x4x3x4xf32>
  %t = nn.transpose %k permutation = [0, 1, 3, 2] : tensor<1x4x5x4xf32> -> tensor<1x4x4x5xf32>
  %ts = nn.mul %t, %root : tensor<1x4x4x5xf32>, tensor<f32> -> tensor<1x4x4x5xf32>
  %s = nn.matmul %qs, %ts : tensor<1x4x3x4xf32>, tensor<1x4x4x5xf32> -> tensor<1x4x3x5xf32>
  %m = nn.add %s, %mask : tensor<1x4x3x5xf32>, tensor<1x1x3x5xf32> -> tensor<1x4x3x5xf32>
  %p = nn.softmax %m axis = 3 : tensor<1x4x3x5xf32>
  %n = nn.is_nan %p : tensor<1x4x3x5xf32> -> tensor<1x4x3x5xi1>
  %g = nn.select %n, %zero, %p : tensor<1x4x3x5xi1>, tensor<f32>, tensor<1x4x3x5xf32> -> tensor<1x4x3x5xf32>
  %y = nn.matmul %g, %v : tensor<1x4x3x5xf32>, tensor<1x4x5x6xf32> -> tensor<1x4x3x6xf32>
  func.return %y : tensor<1x4x3x6xf32>
}

// CHECK-LABEL: func.func @rotary(
// CHECK-NEXT:    %y = nn.rotary_embedding %x, %cos, %sin : tensor<1x2x3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32> -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    return %y : tensor<1x2x3x4xf32>
// CHECK-NEXT:  }
func.func @rotary(%x: tensor<1x2x3x4xf32>, %cos: tensor<3x4xf32>, %sin: tensor<3x4xf32>) -> tensor<1x2x3x4xf32> {
  %a = nn.slice %x starts = [0, 0, 0, 0] ends = [1, 2, 3, 2] : tensor<1x2x3x4xf32> -> tensor<1x2x3x2xf32>
  %b = nn.slice %x starts = [0, 0, 0, 2] ends = [1, 2, 3, 4] : tensor<1x2x3x4xf32> -> tensor<1x2x3x2xf32>
  %n = nn.neg %b : tensor<1x2x3x2xf32>
  %r = nn.concat %n, %a axis = 3 : tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32> -> tensor<1x2x3x4xf32>
  %s = nn.mul %r, %sin : tensor<1x2x3x4xf32>, tensor<3x4xf32> -> tensor<1x2x3x4xf32>
  %c = nn.mul %x, %cos : tensor<1x2x3x4xf32>, tensor<3x4xf32> -> tensor<1x2x3x4xf32>
  %y = nn.add %c, %s : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32> -> tensor<1x2x3x4xf32>
  func.return %y : tensor<1x2x3x4xf32>
}

// The weights are read by others, too.
// CHECK-LABEL: func.func @weights_leak(
// CHECK-NEXT:    %s = nn.matmul %q, %k : tensor<2x3x4xf32>, tensor<2x4x5xf32> -> tensor<2x3x5xf32>
// CHECK-NEXT:    %p = nn.softmax %s : tensor<2x3x5xf32>
// CHECK-NEXT:    %y = nn.matmul %p, %v : tensor<2x3x5xf32>, tensor<2x5x6xf32> -> tensor<2x3x6xf32>
// CHECK-NEXT:    return %y, %p : tensor<2x3x6xf32>, tensor<2x3x5xf32>
func.func @weights_leak(%q: tensor<2x3x4xf32>, %k: tensor<2x4x5xf32>, %v: tensor<2x5x6xf32>) -> (tensor<2x3x6xf32>, tensor<2x3x5xf32>) {
  %s = nn.matmul %q, %k : tensor<2x3x4xf32>, tensor<2x4x5xf32> -> tensor<2x3x5xf32>
  %p = nn.softmax %s axis = 2 : tensor<2x3x5xf32>
  %y = nn.matmul %p, %v : tensor<2x3x5xf32>, tensor<2x5x6xf32> -> tensor<2x3x6xf32>
  func.return %y, %p : tensor<2x3x6xf32>, tensor<2x3x5xf32>
}
