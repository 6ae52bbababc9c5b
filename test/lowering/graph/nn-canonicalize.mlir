// RUN: mlopt %s --nn-canonicalize | filecheck %s

// Identities vanish, constants stand on the right.
// CHECK-LABEL: func.func @identities(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
// CHECK-NEXT:      return %x : tensor<2x3xf32>
// CHECK-NEXT:    }
func.func @identities(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %one = nn.constant dense<1.0> : tensor<f32>
  %low = nn.constant dense<0xFF800000> : tensor<f32>
  %a = nn.add %zero, %x : tensor<f32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %b = nn.mul %a, %one : tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
  %c = nn.div %b, %one : tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
  %d = nn.max %low, %c : tensor<f32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %e = nn.neg %d : tensor<2x3xf32>
  %f = nn.neg %e : tensor<2x3xf32>
  func.return %f : tensor<2x3xf32>
}

// An identity that makes the result larger is none; 0 * x is not 0 for every x.
// CHECK-LABEL: func.func @not_identities(%x: tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>) {
// CHECK-NEXT:      %one = nn.constant dense<1.000000e+00> : tensor<2x3xf32>
// CHECK-NEXT:      %zero = nn.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:      %a = nn.mul %x, %one : tensor<3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      %b = nn.mul %x, %zero : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
// CHECK-NEXT:      return %a, %b : tensor<2x3xf32>, tensor<3xf32>
// CHECK-NEXT:    }
func.func @not_identities(%x: tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>) {
  %one = nn.constant dense<1.0> : tensor<2x3xf32>
  %zero = nn.constant dense<0.0> : tensor<f32>
  %a = nn.mul %x, %one : tensor<3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %b = nn.mul %x, %zero : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
  func.return %a, %b : tensor<2x3xf32>, tensor<3xf32>
}

// Exact rewrites of subtraction, division by a power of two, powers and roots.
// CHECK-LABEL: func.func @arithmetic(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
// CHECK-NEXT:      %0 = nn.constant dense<[-1.000000e+00, -2.000000e+00, -3.000000e+00]> : tensor<3xf32>
// CHECK-NEXT:      %a = nn.add %x, %0 : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
// CHECK-NEXT:      %1 = nn.constant dense<[5.000000e-01, 2.500000e-01, -1.250000e-01]> : tensor<3xf32>
// CHECK-NEXT:      %b = nn.mul %x, %1 : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
// CHECK-NEXT:      %d = nn.mul %x, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
// CHECK-NEXT:      %e = nn.rsqrt %d : tensor<3xf32>
// CHECK-NEXT:      return %a, %b, %d, %e : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT:    }
func.func @arithmetic(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %c = nn.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %p = nn.constant dense<[2.0, 4.0, -8.0]> : tensor<3xf32>
  %two = nn.constant dense<2.0> : tensor<f32>
  %one = nn.constant dense<1.0> : tensor<f32>
  %a = nn.sub %x, %c : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  %b = nn.div %x, %p : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  %d = nn.pow %x, %two : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
  %r = nn.sqrt %d : tensor<3xf32>
  %e = nn.div %one, %r : tensor<f32>, tensor<3xf32> -> tensor<3xf32>
  func.return %a, %b, %d, %e : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// A third rounds, so the division stays.
// CHECK-LABEL: func.func @division_by_three(%x: tensor<3xf32>) -> tensor<3xf32> {
// CHECK-NEXT:      %three = nn.constant dense<3.000000e+00> : tensor<f32>
// CHECK-NEXT:      %a = nn.div %x, %three : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
// CHECK-NEXT:      return %a : tensor<3xf32>
// CHECK-NEXT:    }
func.func @division_by_three(%x: tensor<3xf32>) -> tensor<3xf32> {
  %three = nn.constant dense<3.0> : tensor<f32>
  %a = nn.div %x, %three : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
  func.return %a : tensor<3xf32>
}

// CHECK-LABEL: func.func @bounds(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
// CHECK-NEXT:      %a = nn.relu %x : tensor<3xf32>
// CHECK-NEXT:      %c = nn.clip %x min = 0.0 max = 4.0 : tensor<3xf32>
// CHECK-NEXT:      return %c, %a, %x : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT:    }
func.func @bounds(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %six = nn.constant dense<6.0> : tensor<f32>
  %a = nn.max %x, %zero : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
  %b = nn.min %a, %six : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
  %c = nn.clip %b min = -1.0 max = 4.0 : tensor<3xf32>
  %d = nn.relu %a : tensor<3xf32>
  %e = nn.clip %x : tensor<3xf32>
  func.return %c, %d, %e : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// i8 -> i32 -> f32 skips the i32, which holds every i8; f32 -> i8 -> f32 does not skip the rounding.
// CHECK-LABEL: func.func @casts(%x: tensor<3xi8>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xi8>, tensor<3xf32>) {
// CHECK-NEXT:      %b = nn.cast %x : tensor<3xi8> -> tensor<3xf32>
// CHECK-NEXT:      %d = nn.cast %y : tensor<3xf32> -> tensor<3xi8>
// CHECK-NEXT:      %e = nn.cast %d : tensor<3xi8> -> tensor<3xf32>
// CHECK-NEXT:      return %b, %x, %e : tensor<3xf32>, tensor<3xi8>, tensor<3xf32>
// CHECK-NEXT:    }
func.func @casts(%x: tensor<3xi8>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xi8>, tensor<3xf32>) {
  %a = nn.cast %x : tensor<3xi8> -> tensor<3xi32>
  %b = nn.cast %a : tensor<3xi32> -> tensor<3xf32>
  %c = nn.cast %a : tensor<3xi32> -> tensor<3xi8>
  %d = nn.cast %y : tensor<3xf32> -> tensor<3xi8>
  %e = nn.cast %d : tensor<3xi8> -> tensor<3xf32>
  func.return %b, %c, %e : tensor<3xf32>, tensor<3xi8>, tensor<3xf32>
}

// CHECK-LABEL: func.func @selects(%x: tensor<3xf32>, %y: tensor<2x3xf32>, %c: tensor<2x3xi1>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
// CHECK-NEXT:      %a = nn.broadcast_to %x : tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      return %a, %y : tensor<2x3xf32>, tensor<2x3xf32>
// CHECK-NEXT:    }
func.func @selects(%x: tensor<3xf32>, %y: tensor<2x3xf32>, %c: tensor<2x3xi1>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %true = nn.constant dense<true> : tensor<i1>
  %a = nn.select %true, %x, %y : tensor<i1>, tensor<3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %b = nn.select %c, %y, %y : tensor<2x3xi1>, tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %a, %b : tensor<2x3xf32>, tensor<2x3xf32>
}

// Elementwise ops broadcast by themselves, unless the broadcast is what makes the result large.
// CHECK-LABEL: func.func @broadcasts(%x: tensor<3xf32>, %y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
// CHECK-NEXT:      %a = nn.broadcast_to %x : tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      %0 = nn.exp %x : tensor<3xf32>
// CHECK-NEXT:      %c = nn.add %y, %0 : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      %d = nn.add %x, %a : tensor<3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      return %c, %d : tensor<2x3xf32>, tensor<2x3xf32>
// CHECK-NEXT:    }
func.func @broadcasts(%x: tensor<3xf32>, %y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %a = nn.broadcast_to %x : tensor<3xf32> -> tensor<2x3xf32>
  %b = nn.exp %a : tensor<2x3xf32>
  %c = nn.add %y, %b : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %d = nn.add %a, %a : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %c, %d : tensor<2x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: func.func @reshapes(%x: tensor<2x3x4xf32>) -> (tensor<24xf32>, tensor<2x3x4xf32>) {
// CHECK-NEXT:      %b = nn.reshape %x : tensor<2x3x4xf32> -> tensor<24xf32>
// CHECK-NEXT:      return %b, %x : tensor<24xf32>, tensor<2x3x4xf32>
// CHECK-NEXT:    }
func.func @reshapes(%x: tensor<2x3x4xf32>) -> (tensor<24xf32>, tensor<2x3x4xf32>) {
  %a = nn.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %b = nn.reshape %a : tensor<6x4xf32> -> tensor<24xf32>
  %c = nn.reshape %b : tensor<24xf32> -> tensor<2x3x4xf32>
  func.return %b, %c : tensor<24xf32>, tensor<2x3x4xf32>
}

// The dimensions that change places have extent 1: nothing moves.
// CHECK-LABEL: func.func @transposes(%x: tensor<1x3x1x4xf32>, %y: tensor<2x3x4xf32>) -> (tensor<3x1x1x4xf32>, tensor<4x3x2xf32>) {
// CHECK-NEXT:      %a = nn.reshape %x : tensor<1x3x1x4xf32> -> tensor<3x1x1x4xf32>
// CHECK-NEXT:      %c = nn.transpose %y permutation = [2, 1, 0] : tensor<2x3x4xf32> -> tensor<4x3x2xf32>
// CHECK-NEXT:      return %a, %c : tensor<3x1x1x4xf32>, tensor<4x3x2xf32>
// CHECK-NEXT:    }
func.func @transposes(%x: tensor<1x3x1x4xf32>, %y: tensor<2x3x4xf32>) -> (tensor<3x1x1x4xf32>, tensor<4x3x2xf32>) {
  %a = nn.transpose %x permutation = [1, 0, 2, 3] : tensor<1x3x1x4xf32> -> tensor<3x1x1x4xf32>
  %b = nn.transpose %y permutation = [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %c = nn.transpose %b permutation = [0, 2, 1] : tensor<4x2x3xf32> -> tensor<4x3x2xf32>
  func.return %a, %c : tensor<3x1x1x4xf32>, tensor<4x3x2xf32>
}

// CHECK-LABEL: func.func @slices(%x: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<2x4xf32>, tensor<6x4xf32>) {
// CHECK-NEXT:      %c = nn.slice %x starts = [3, 0] ends = [5, 4] : tensor<8x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:      %e = nn.slice %x starts = [2, 0] ends = [8, 4] : tensor<8x4xf32> -> tensor<6x4xf32>
// CHECK-NEXT:      return %x, %c, %e : tensor<8x4xf32>, tensor<2x4xf32>, tensor<6x4xf32>
// CHECK-NEXT:    }
func.func @slices(%x: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<2x4xf32>, tensor<6x4xf32>) {
  %a = nn.slice %x starts = [0, 0] ends = [8, 4] : tensor<8x4xf32> -> tensor<8x4xf32>
  %b = nn.slice %x starts = [2, 0] ends = [6, 4] : tensor<8x4xf32> -> tensor<4x4xf32>
  %c = nn.slice %b starts = [1, 0] ends = [3, 4] : tensor<4x4xf32> -> tensor<2x4xf32>
  %d = nn.slice %x starts = [6, 0] ends = [8, 4] : tensor<8x4xf32> -> tensor<2x4xf32>
  %e = nn.concat %b, %d axis = 0 : tensor<4x4xf32>, tensor<2x4xf32> -> tensor<6x4xf32>
  func.return %a, %c, %e : tensor<8x4xf32>, tensor<2x4xf32>, tensor<6x4xf32>
}

// CHECK-LABEL: func.func @concats(%x: tensor<2x3xf32>, %y: tensor<2x1xf32>) -> (tensor<2x3xf32>, tensor<2x5xf32>, tensor<2x1xf32>) {
// CHECK-NEXT:      %c = nn.concat %y, %x, %y axis = 1 : tensor<2x1xf32>, tensor<2x3xf32>, tensor<2x1xf32> -> tensor<2x5xf32>
// CHECK-NEXT:      return %x, %c, %y : tensor<2x3xf32>, tensor<2x5xf32>, tensor<2x1xf32>
// CHECK-NEXT:    }
func.func @concats(%x: tensor<2x3xf32>, %y: tensor<2x1xf32>) -> (tensor<2x3xf32>, tensor<2x5xf32>, tensor<2x1xf32>) {
  %a = nn.concat %x axis = 1 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b = nn.concat %y, %x axis = 1 : tensor<2x1xf32>, tensor<2x3xf32> -> tensor<2x4xf32>
  %c = nn.concat %b, %y axis = 1 : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x5xf32>
  %d = nn.slice %c starts = [0, 0] ends = [2, 1] : tensor<2x5xf32> -> tensor<2x1xf32>
  func.return %a, %c, %d : tensor<2x3xf32>, tensor<2x5xf32>, tensor<2x1xf32>
}

// Pads with different values stay apart.
// CHECK-LABEL: func.func @pads(%x: tensor<2x3xf32>) -> (tensor<4x3xf32>, tensor<5x3xf32>) {
// CHECK-NEXT:      %b = nn.pad %x low = [1, 0] high = [1, 0] : tensor<2x3xf32> -> tensor<4x3xf32>
// CHECK-NEXT:      %c = nn.pad %b low = [1, 0] high = [0, 0] value = 1.0 : tensor<4x3xf32> -> tensor<5x3xf32>
// CHECK-NEXT:      return %b, %c : tensor<4x3xf32>, tensor<5x3xf32>
// CHECK-NEXT:    }
func.func @pads(%x: tensor<2x3xf32>) -> (tensor<4x3xf32>, tensor<5x3xf32>) {
  %a = nn.pad %x low = [1, 0] high = [0, 0] : tensor<2x3xf32> -> tensor<3x3xf32>
  %b = nn.pad %a low = [0, 0] high = [1, 0] : tensor<3x3xf32> -> tensor<4x3xf32>
  %c = nn.pad %b low = [1, 0] high = [0, 0] value = 1.0 : tensor<4x3xf32> -> tensor<5x3xf32>
  func.return %b, %c : tensor<4x3xf32>, tensor<5x3xf32>
}

// CHECK-LABEL: func.func @gathers(%x: tensor<5x3xf32>, %i: tensor<2xi32>) -> (tensor<3xf32>, tensor<2x3xf32>, tensor<2x1x3xf32>) {
// CHECK-NEXT:      %0 = nn.slice %x starts = [4, 0] ends = [5, 3] : tensor<5x3xf32> -> tensor<1x3xf32>
// CHECK-NEXT:      %a = nn.reshape %0 : tensor<1x3xf32> -> tensor<3xf32>
// CHECK-NEXT:      %b = nn.slice %x starts = [1, 0] ends = [3, 3] : tensor<5x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      %1 = nn.gather %x, %i : tensor<5x3xf32>, tensor<2xi32> -> tensor<2x3xf32>
// CHECK-NEXT:      %c = nn.reshape %1 : tensor<2x3xf32> -> tensor<2x1x3xf32>
// CHECK-NEXT:      return %a, %b, %c : tensor<3xf32>, tensor<2x3xf32>, tensor<2x1x3xf32>
// CHECK-NEXT:    }
func.func @gathers(%x: tensor<5x3xf32>, %i: tensor<2xi32>) -> (tensor<3xf32>, tensor<2x3xf32>, tensor<2x1x3xf32>) {
  %last = nn.constant dense<-1> : tensor<i64>
  %two = nn.constant dense<[1, 2]> : tensor<2xi64>
  %a = nn.gather %x, %last axis = 0 : tensor<5x3xf32>, tensor<i64> -> tensor<3xf32>
  %b = nn.gather %x, %two axis = 0 : tensor<5x3xf32>, tensor<2xi64> -> tensor<2x3xf32>
  %wide = nn.cast %i : tensor<2xi32> -> tensor<2xi64>
  %column = nn.reshape %wide : tensor<2xi64> -> tensor<2x1xi64>
  %c = nn.gather %x, %column axis = 0 : tensor<5x3xf32>, tensor<2x1xi64> -> tensor<2x1x3xf32>
  func.return %a, %b, %c : tensor<3xf32>, tensor<2x3xf32>, tensor<2x1x3xf32>
}

// CHECK-LABEL: func.func @reductions(%x: tensor<2x3x1xf32>) -> (tensor<2x3xf32>, tensor<2x1x1xf32>, tensor<1x3x1xf32>) {
// CHECK-NEXT:      %two = nn.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:      %a = nn.reshape %x : tensor<2x3x1xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      %0 = nn.reduce_max %x axes = [1, 2] keepdims = true : tensor<2x3x1xf32> -> tensor<2x1x1xf32>
// CHECK-NEXT:      %d = nn.mul %0, %two : tensor<2x1x1xf32>, tensor<f32> -> tensor<2x1x1xf32>
// CHECK-NEXT:      %e = nn.reduce_mean %x axes = [0] keepdims = true : tensor<2x3x1xf32> -> tensor<1x3x1xf32>
// CHECK-NEXT:      return %a, %d, %e : tensor<2x3xf32>, tensor<2x1x1xf32>, tensor<1x3x1xf32>
// CHECK-NEXT:    }
func.func @reductions(%x: tensor<2x3x1xf32>) -> (tensor<2x3xf32>, tensor<2x1x1xf32>, tensor<1x3x1xf32>) {
  %two = nn.constant dense<2.0> : tensor<f32>
  %a = nn.reduce_sum %x axes = [2] : tensor<2x3x1xf32> -> tensor<2x3xf32>
  %b = nn.reduce_max %x axes = [1, 2] : tensor<2x3x1xf32> -> tensor<2xf32>
  %c = nn.mul %b, %two : tensor<2xf32>, tensor<f32> -> tensor<2xf32>
  %d = nn.reshape %c : tensor<2xf32> -> tensor<2x1x1xf32>
  %e = nn.reduce_mean %x axes = [0] keepdims = true : tensor<2x3x1xf32> -> tensor<1x3x1xf32>
  func.return %a, %d, %e : tensor<2x3xf32>, tensor<2x1x1xf32>, tensor<1x3x1xf32>
}

// A batch norm with constant moments is a multiplication and an addition.
// CHECK-LABEL: func.func @batch_norm(%x: tensor<1x2x3xf32>, %v: tensor<2xf32>) -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>) {
// CHECK-NEXT:      %scale = nn.constant dense<[4.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:      %bias = nn.constant dense<[3.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:      %mean = nn.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-NEXT:      %0 = nn.constant dense<[[[2.000000e+00], [5.000000e-01]]]> : tensor<1x2x1xf32>
// CHECK-NEXT:      %1 = nn.constant dense<[[[2.000000e+00], [8.750000e-01]]]> : tensor<1x2x1xf32>
// CHECK-NEXT:      %2 = nn.mul %x, %0 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:      %y = nn.add %2, %1 : tensor<1x2x3xf32>, tensor<1x2x1xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:      %square = nn.mul %v, %v : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:      %z = nn.batch_norm %x, %scale, %bias, %mean, %square : tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2x3xf32>
// CHECK-NEXT:      return %y, %z : tensor<1x2x3xf32>, tensor<1x2x3xf32>
// CHECK-NEXT:    }
func.func @batch_norm(%x: tensor<1x2x3xf32>, %v: tensor<2xf32>) -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>) {
  %scale = nn.constant dense<[4.0, 2.0]> : tensor<2xf32>
  %bias = nn.constant dense<[3.0, 1.0]> : tensor<2xf32>
  %mean = nn.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %variance = nn.constant dense<[3.0, 15.0]> : tensor<2xf32>
  %y = nn.batch_norm %x, %scale, %bias, %mean, %variance epsilon = 1.0 : tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2x3xf32>
  %square = nn.mul %v, %v : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %z = nn.batch_norm %x, %scale, %bias, %mean, %square : tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2x3xf32>
  func.return %y, %z : tensor<1x2x3xf32>, tensor<1x2x3xf32>
}

// CHECK-LABEL: func.func @windows(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) {
// CHECK-NEXT:      %c = nn.reduce_mean %x axes = [2, 3] keepdims = true : tensor<1x2x4x4xf32> -> tensor<1x2x1x1xf32>
// CHECK-NEXT:      return %x, %x, %c : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>
// CHECK-NEXT:    }
func.func @windows(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) {
  %a = nn.resize %x scales = [1.0, 1.0, 1.0, 1.0] : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %b = nn.max_pool %x kernel = [1, 1] : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %c = nn.avg_pool %x kernel = [4, 4] : tensor<1x2x4x4xf32> -> tensor<1x2x1x1xf32>
  func.return %a, %b, %c : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>
}
