// RUN: mlopt %s --nn-raise | filecheck %s

// x * clip(x + 3, 0, 6) / 6, as Paddle writes it, and with the quotient inside.
// CHECK-LABEL: func.func @hard_swish(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:    %d = nn.hard_swish %x : tensor<4xf32>
// CHECK-NEXT:    %f = nn.hard_swish %x : tensor<4xf32>
// CHECK-NEXT:    %h = nn.hard_swish %x : tensor<4xf32>
// CHECK-NEXT:    return %d, %f, %h : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:  }
func.func @hard_swish(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %three = nn.constant dense<3.0> : tensor<f32>
  %six = nn.constant dense<6.0> : tensor<f32>
  %sixth = nn.constant dense<0.16666667> : tensor<f32>
  %a = nn.add %x, %three : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %b = nn.clip %a min = 0.0 max = 6.0 : tensor<4xf32>
  %c = nn.mul %x, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %d = nn.div %c, %six : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %e = nn.mul %b, %sixth : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %f = nn.mul %e, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %g = nn.hard_sigmoid %x alpha = 0.16666670143604279 : tensor<4xf32>
  %h = nn.mul %x, %g : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %d, %f, %h : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// Another slope is another function; so is the gate of another value.
// CHECK-LABEL: func.func @not_hard_swish(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:    %g = nn.hard_sigmoid %x : tensor<4xf32>
// CHECK-NEXT:    %h = nn.mul %x, %g : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    %s = nn.sigmoid %x : tensor<4xf32>
// CHECK-NEXT:    %t = nn.mul %y, %s : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    return %h, %t : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:  }
func.func @not_hard_swish(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %g = nn.hard_sigmoid %x : tensor<4xf32>
  %h = nn.mul %x, %g : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %s = nn.sigmoid %x : tensor<4xf32>
  %t = nn.mul %y, %s : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %h, %t : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @hard_sigmoid(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:    %c = nn.hard_sigmoid %x alpha = 0.16666666666666666 : tensor<4xf32>
// CHECK-NEXT:    %f = nn.hard_sigmoid %x alpha = 0.20000000298023224 : tensor<4xf32>
// CHECK-NEXT:    return %c, %f : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:  }
func.func @hard_sigmoid(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %three = nn.constant dense<3.0> : tensor<f32>
  %six = nn.constant dense<6.0> : tensor<f32>
  %fifth = nn.constant dense<0.2> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %a = nn.add %x, %three : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %b = nn.clip %a min = 0.0 max = 6.0 : tensor<4xf32>
  %c = nn.div %b, %six : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %d = nn.mul %x, %fifth : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %e = nn.add %d, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %f = nn.clip %e min = 0.0 max = 1.0 : tensor<4xf32>
  func.return %c, %f : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @silu(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %y = nn.silu %x : tensor<4xf32>
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func @silu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = nn.sigmoid %x : tensor<4xf32>
  %y = nn.mul %s, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// x (1 + erf(x / sqrt 2)) / 2 in three spellings.
// CHECK-LABEL: func.func @gelu(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:    %e = nn.gelu %x : tensor<4xf32>
// CHECK-NEXT:    %j = nn.gelu %x : tensor<4xf32>
// CHECK-NEXT:    %m = nn.gelu %x : tensor<4xf32>
// CHECK-NEXT:    return %e, %j, %m : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:  }
func.func @gelu(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %root = nn.constant dense<1.41421354> : tensor<f32>
  %inverse = nn.constant dense<0.707106769> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %one = nn.constant dense<1.0> : tensor<f32>
  %a = nn.div %x, %root : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %b = nn.erf %a : tensor<4xf32>
  %c = nn.add %b, %one : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %d = nn.mul %x, %c : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %e = nn.mul %d, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %f = nn.mul %x, %inverse : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %g = nn.erf %f : tensor<4xf32>
  %h = nn.add %g, %one : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %i = nn.mul %x, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %j = nn.mul %i, %h : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %k = nn.mul %g, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %l = nn.add %k, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %m = nn.mul %l, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %e, %j, %m : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// Without the half it is twice the GELU.
// CHECK-LABEL: func.func @not_gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %inverse = nn.constant dense<0.707106769> : tensor<f32>
// CHECK-NEXT:    %one = nn.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT:    %f = nn.mul %x, %inverse : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:    %g = nn.erf %f : tensor<4xf32>
// CHECK-NEXT:    %h = nn.add %g, %one : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:    %i = nn.mul %x, %h : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    return %i : tensor<4xf32>
// CHECK-NEXT:  }
func.func @not_gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %inverse = nn.constant dense<0.707106769> : tensor<f32>
  %one = nn.constant dense<1.0> : tensor<f32>
  %f = nn.mul %x, %inverse : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %g = nn.erf %f : tensor<4xf32>
  %h = nn.add %g, %one : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %i = nn.mul %x, %h : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %i : tensor<4xf32>
}

// With the cube as products (JAX) and as a power (PyTorch).
// CHECK-LABEL: func.func @gelu_tanh(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:    %y = nn.gelu %x approximate = "tanh" : tensor<4xf32>
// CHECK-NEXT:    %f = nn.gelu %x approximate = "tanh" : tensor<4xf32>
// CHECK-NEXT:    return %y, %f : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:  }
func.func @gelu_tanh(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c = nn.constant dense<0.0447149985> : tensor<f32>
  %k = nn.constant dense<0.797884583> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %one = nn.constant dense<1.0> : tensor<f32>
  %three = nn.constant dense<3.0> : tensor<f32>
  %x1 = nn.mul %x, %c : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %x2 = nn.mul %x, %x1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %x3 = nn.mul %x, %x2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %s = nn.add %x, %x3 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %t = nn.mul %s, %k : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %u = nn.tanh %t : tensor<4xf32>
  %v = nn.add %u, %one : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %w = nn.mul %v, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %y = nn.mul %x, %w : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %p = nn.pow %x, %three : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %q = nn.mul %p, %c : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %r = nn.add %x, %q : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %a = nn.mul %r, %k : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %b = nn.tanh %a : tensor<4xf32>
  %d = nn.add %b, %one : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %e = nn.mul %x, %half : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %f = nn.mul %e, %d : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return %y, %f : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @layer_norm(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
// CHECK-NEXT:    %scale = nn.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK-NEXT:    %0 = nn.constant dense<[5.000000e-01, 2.500000e-01, -1.000000e+00, 2.000000e+00]> : tensor<4xf32>
// CHECK-NEXT:    %y = nn.layer_norm %x, %scale, %0 : tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:    return %y : tensor<2x3x4xf32>
// CHECK-NEXT:  }
func.func @layer_norm(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %e = nn.constant dense<9.99999974E-6> : tensor<f32>
  %scale = nn.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %bias = nn.constant dense<[[[0.5, 0.25, -1.0, 2.0]]]> : tensor<1x1x4xf32>
  %m = nn.reduce_mean %x axes = [2] keepdims = true : tensor<2x3x4xf32> -> tensor<2x3x1xf32>
  %d = nn.sub %x, %m : tensor<2x3x4xf32>, tensor<2x3x1xf32> -> tensor<2x3x4xf32>
  %p = nn.mul %d, %d : tensor<2x3x4xf32>, tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %v = nn.reduce_mean %p axes = [2] keepdims = true : tensor<2x3x4xf32> -> tensor<2x3x1xf32>
  %a = nn.add %v, %e : tensor<2x3x1xf32>, tensor<f32> -> tensor<2x3x1xf32>
  %s = nn.sqrt %a : tensor<2x3x1xf32>
  %n = nn.div %d, %s : tensor<2x3x4xf32>, tensor<2x3x1xf32> -> tensor<2x3x4xf32>
  %g = nn.mul %n, %scale : tensor<2x3x4xf32>, tensor<4xf32> -> tensor<2x3x4xf32>
  %y = nn.add %g, %bias : tensor<2x3x4xf32>, tensor<1x1x4xf32> -> tensor<2x3x4xf32>
  func.return %y : tensor<2x3x4xf32>
}

// By moments, with the scale in the inverse root, as JAX writes it.
// CHECK-LABEL: func.func @layer_norm_by_moments(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
// CHECK-NEXT:    %0 = nn.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK-NEXT:    %y = nn.layer_norm %x, %0 epsilon = 1.0e-06 : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:    return %y : tensor<2x4xf32>
// CHECK-NEXT:  }
func.func @layer_norm_by_moments(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %n = nn.constant dense<0.25> : tensor<f32>
  %e = nn.constant dense<1.0E-6> : tensor<f32>
  %scale = nn.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %s = nn.reduce_sum %x axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
  %m = nn.mul %s, %n : tensor<2x1xf32>, tensor<f32> -> tensor<2x1xf32>
  %p = nn.mul %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  %q = nn.reduce_sum %p axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
  %r = nn.mul %q, %n : tensor<2x1xf32>, tensor<f32> -> tensor<2x1xf32>
  %t = nn.mul %m, %m : tensor<2x1xf32>, tensor<2x1xf32> -> tensor<2x1xf32>
  %v = nn.sub %r, %t : tensor<2x1xf32>, tensor<2x1xf32> -> tensor<2x1xf32>
  %w = nn.relu %v : tensor<2x1xf32>
  %a = nn.add %w, %e : tensor<2x1xf32>, tensor<f32> -> tensor<2x1xf32>
  %i = nn.rsqrt %a : tensor<2x1xf32>
  %g = nn.mul %i, %scale : tensor<2x1xf32>, tensor<1x4xf32> -> tensor<2x4xf32>
  %d = nn.sub %x, %m : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xf32>
  %y = nn.mul %d, %g : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @rms_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
// CHECK-NEXT:    %scale = nn.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK-NEXT:    %y = nn.rms_norm %x, %scale epsilon = 1.0e-06 : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:    return %y : tensor<2x4xf32>
// CHECK-NEXT:  }
func.func @rms_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %e = nn.constant dense<1.0E-6> : tensor<f32>
  %two = nn.constant dense<2.0> : tensor<f32>
  %scale = nn.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %p = nn.pow %x, %two : tensor<2x4xf32>, tensor<f32> -> tensor<2x4xf32>
  %m = nn.reduce_mean %p axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
  %a = nn.add %m, %e : tensor<2x1xf32>, tensor<f32> -> tensor<2x1xf32>
  %s = nn.sqrt %a : tensor<2x1xf32>
  %i = nn.reciprocal %s : tensor<2x1xf32>
  %n = nn.mul %x, %i : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xf32>
  %y = nn.mul %scale, %n : tensor<4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}

// Moments over the first axis are no layer norm.
// CHECK-LABEL: func.func @not_layer_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
// CHECK-NEXT:    %e = nn.constant dense<1.000000e-06> : tensor<f32>
// CHECK-NEXT:    %p = nn.mul %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:    %m = nn.reduce_mean %p axes = [0] keepdims = true : tensor<2x4xf32> -> tensor<1x4xf32>
// CHECK-NEXT:    %a = nn.add %m, %e : tensor<1x4xf32>, tensor<f32> -> tensor<1x4xf32>
// CHECK-NEXT:    %i = nn.rsqrt %a : tensor<1x4xf32>
// CHECK-NEXT:    %n = nn.mul %x, %i : tensor<2x4xf32>, tensor<1x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:    return %n : tensor<2x4xf32>
// CHECK-NEXT:  }
func.func @not_layer_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %e = nn.constant dense<1.0E-6> : tensor<f32>
  %p = nn.mul %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  %m = nn.reduce_mean %p axes = [0] keepdims = true : tensor<2x4xf32> -> tensor<1x4xf32>
  %a = nn.add %m, %e : tensor<1x4xf32>, tensor<f32> -> tensor<1x4xf32>
  %i = nn.rsqrt %a : tensor<1x4xf32>
  %n = nn.mul %x, %i : tensor<2x4xf32>, tensor<1x4xf32> -> tensor<2x4xf32>
  func.return %n : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @softmax(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
// CHECK-NEXT:    %y = nn.softmax %x : tensor<2x4xf32>
// CHECK-NEXT:    %l = nn.log_softmax %x axis = 0 : tensor<2x4xf32>
// CHECK-NEXT:    return %y, %l : tensor<2x4xf32>, tensor<2x4xf32>
// CHECK-NEXT:  }
func.func @softmax(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %m = nn.reduce_max %x axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
  %d = nn.sub %x, %m : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xf32>
  %e = nn.exp %d : tensor<2x4xf32>
  %s = nn.reduce_sum %e axes = [1] keepdims = true : tensor<2x4xf32> -> tensor<2x1xf32>
  %y = nn.div %e, %s : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xf32>
  %z = nn.softmax %x axis = 0 : tensor<2x4xf32>
  %l = nn.log %z : tensor<2x4xf32>
  func.return %y, %l : tensor<2x4xf32>, tensor<2x4xf32>
}

// A guard against rows that are NaN stays behind the softmax.
// CHECK-LABEL: func.func @guarded_softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
// CHECK-NEXT:    %zero = nn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:    %y = nn.softmax %x : tensor<2x4xf32>
// CHECK-NEXT:    %n = nn.is_nan %y : tensor<2x4xf32> -> tensor<2x4xi1>
// CHECK-NEXT:    %z = nn.select %n, %zero, %y : tensor<2x4xi1>, tensor<f32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:    return %z : tensor<2x4xf32>
// CHECK-NEXT:  }
func.func @guarded_softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %y = nn.softmax %x : tensor<2x4xf32>
  %n = nn.is_nan %y : tensor<2x4xf32> -> tensor<2x4xi1>
  %z = nn.select %n, %zero, %y : tensor<2x4xi1>, tensor<f32>, tensor<2x4xf32> -> tensor<2x4xf32>
  func.return %z : tensor<2x4xf32>
}

// An index outside picks a row of zeros.
// CHECK-LABEL: func.func @one_hot(%i: tensor<2x1xi32>) -> tensor<2x2xf32> {
// CHECK-NEXT:    %0 = nn.reshape %i : tensor<2x1xi32> -> tensor<2xi32>
// CHECK-NEXT:    %1 = nn.constant dense<0> : tensor<i32>
// CHECK-NEXT:    %2 = nn.constant dense<3> : tensor<i32>
// CHECK-NEXT:    %3 = nn.ge %0, %1 : tensor<2xi32>, tensor<i32> -> tensor<2xi1>
// CHECK-NEXT:    %4 = nn.lt %0, %2 : tensor<2xi32>, tensor<i32> -> tensor<2xi1>
// CHECK-NEXT:    %5 = nn.and %3, %4 : tensor<2xi1>, tensor<2xi1> -> tensor<2xi1>
// CHECK-NEXT:    %6 = nn.select %5, %0, %2 : tensor<2xi1>, tensor<2xi32>, tensor<i32> -> tensor<2xi32>
// CHECK-NEXT:    %7 = nn.constant dense<[[1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00], [0.000000e+00, 0.000000e+00]]> : tensor<4x2xf32>
// CHECK-NEXT:    %y = nn.gather %7, %6 : tensor<4x2xf32>, tensor<2xi32> -> tensor<2x2xf32>
// CHECK-NEXT:    return %y : tensor<2x2xf32>
// CHECK-NEXT:  }
func.func @one_hot(%i: tensor<2x1xi32>) -> tensor<2x2xf32> {
  %p = nn.constant dense<[[0, 1, 2]]> : tensor<1x3xi32>
  %t = nn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %e = nn.eq %i, %p : tensor<2x1xi32>, tensor<1x3xi32> -> tensor<2x3xi1>
  %h = nn.cast %e : tensor<2x3xi1> -> tensor<2x3xf32>
  %y = nn.matmul %h, %t : tensor<2x3xf32>, tensor<3x2xf32> -> tensor<2x2xf32>
  func.return %y : tensor<2x2xf32>
}

// Positions that are no row 0, 1, 2, ...; a table that is not finite (0 * inf is not 0).
// CHECK-LABEL: func.func @not_one_hot(%i: tensor<2x1xi32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
// CHECK-NEXT:    %p = nn.constant dense<[[0, 1, 2]]> : tensor<1x3xi32>
// CHECK-NEXT:    %q = nn.constant dense<[[0, 2, 1]]> : tensor<1x3xi32>
// CHECK-NEXT:    %t = nn.constant dense<[[1.000000e+00, 2.000000e+00], [3.000000e+00, 0x7F800000], [5.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
// CHECK-NEXT:    %u = nn.constant dense<[[1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
// CHECK-NEXT:    %e = nn.eq %i, %p : tensor<2x1xi32>, tensor<1x3xi32> -> tensor<2x3xi1>
// CHECK-NEXT:    %h = nn.cast %e : tensor<2x3xi1> -> tensor<2x3xf32>
// CHECK-NEXT:    %y = nn.matmul %h, %t : tensor<2x3xf32>, tensor<3x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:    %f = nn.eq %i, %q : tensor<2x1xi32>, tensor<1x3xi32> -> tensor<2x3xi1>
// CHECK-NEXT:    %g = nn.cast %f : tensor<2x3xi1> -> tensor<2x3xf32>
// CHECK-NEXT:    %z = nn.matmul %g, %u : tensor<2x3xf32>, tensor<3x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:    return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
// CHECK-NEXT:  }
func.func @not_one_hot(%i: tensor<2x1xi32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %p = nn.constant dense<[[0, 1, 2]]> : tensor<1x3xi32>
  %q = nn.constant dense<[[0, 2, 1]]> : tensor<1x3xi32>
  %t = nn.constant dense<[[1.0, 2.0], [3.0, 0x7F800000], [5.0, 6.0]]> : tensor<3x2xf32>
  %u = nn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %e = nn.eq %i, %p : tensor<2x1xi32>, tensor<1x3xi32> -> tensor<2x3xi1>
  %h = nn.cast %e : tensor<2x3xi1> -> tensor<2x3xf32>
  %y = nn.matmul %h, %t : tensor<2x3xf32>, tensor<3x2xf32> -> tensor<2x2xf32>
  %f = nn.eq %i, %q : tensor<2x1xi32>, tensor<1x3xi32> -> tensor<2x3xi1>
  %g = nn.cast %f : tensor<2x3xi1> -> tensor<2x3xf32>
  %z = nn.matmul %g, %u : tensor<2x3xf32>, tensor<3x2xf32> -> tensor<2x2xf32>
  func.return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

// What is done to every looked-up row is done to the table.
// CHECK-LABEL: func.func @looked_up_rows(%i: tensor<2x3xi32>, %x: tensor<2x3x2xf32>) -> (tensor<2x3x2xf32>, tensor<2x3x2xf32>) {
// CHECK-NEXT:    %t = nn.constant dense<[[1.000000e+00, 2.000000e+00], [-3.000000e+00, 4.000000e+00], [5.000000e+00, -6.000000e+00]]> : tensor<3x2xf32>
// CHECK-NEXT:    %0 = nn.constant dense<[[2.000000e+00, 2.500000e+00], [0.000000e+00, 4.500000e+00], [6.000000e+00, 0.000000e+00]]> : tensor<3x2xf32>
// CHECK-NEXT:    %r = nn.gather %0, %i : tensor<3x2xf32>, tensor<2x3xi32> -> tensor<2x3x2xf32>
// CHECK-NEXT:    %z = nn.gather %t, %i : tensor<3x2xf32>, tensor<2x3xi32> -> tensor<2x3x2xf32>
// CHECK-NEXT:    %s = nn.add %z, %x : tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x3x2xf32>
// CHECK-NEXT:    return %r, %s : tensor<2x3x2xf32>, tensor<2x3x2xf32>
// CHECK-NEXT:  }
func.func @looked_up_rows(%i: tensor<2x3xi32>, %x: tensor<2x3x2xf32>) -> (tensor<2x3x2xf32>, tensor<2x3x2xf32>) {
  %t = nn.constant dense<[[1.0, 2.0], [-3.0, 4.0], [5.0, -6.0]]> : tensor<3x2xf32>
  %b = nn.constant dense<[1.0, 0.5]> : tensor<2xf32>
  %y = nn.gather %t, %i : tensor<3x2xf32>, tensor<2x3xi32> -> tensor<2x3x2xf32>
  %a = nn.add %y, %b : tensor<2x3x2xf32>, tensor<2xf32> -> tensor<2x3x2xf32>
  %r = nn.relu %a : tensor<2x3x2xf32>
  %z = nn.gather %t, %i : tensor<3x2xf32>, tensor<2x3xi32> -> tensor<2x3x2xf32>
  %s = nn.add %z, %x : tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x3x2xf32>
  func.return %r, %s : tensor<2x3x2xf32>, tensor<2x3x2xf32>
}

// Nothing is known of what is divided by zero.

// CHECK-LABEL: func.func @by_zero
// CHECK:         nn.div
// CHECK-NEXT:    nn.mul
func.func @by_zero(%x: tensor<3xf32>) -> tensor<3xf32> {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %a = nn.div %x, %zero : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
  %y = nn.mul %a, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}
