// RUN: mlopt %s | filecheck %s
// RUN: mlopt %s | mlopt | filecheck %s

// CHECK: arith.constant 1.1920929E-7 : f32
// CHECK: arith.constant 1.2345679E-4 : f32
// CHECK: arith.constant 0.00123456784 : f32
// CHECK: arith.constant 0x4B3C614E : f32
// CHECK: arith.constant 1.23456794E+9 : f32
// CHECK: arith.constant 1.2345679E+20 : f32
// CHECK: arith.constant 0.33333333333333331 : f64
// CHECK: arith.constant -1.2345678901E-10 : f64
// CHECK: arith.constant 3.332520e-01 : f16
// CHECK: arith.constant 3.140630e+00 : bf16
// CHECK: arith.constant 6.550400e+04 : f16
// CHECK: arith.constant 123456.789 : f64
// CHECK: arith.constant dense<[1.1920929E-7, 1.000000e-01]> : tensor<2xf32>
// CHECK: arith.constant 0x42A674E79C5FE400 : f64
// CHECK: arith.constant 0.000000e+00 : f32
// CHECK: arith.constant -0.000000e+00 : f32
// CHECK: arith.constant 3.40282347E+38 : f32
// CHECK: arith.constant 1.401300e-45 : f32

func.func @f() {
  %0 = arith.constant 1.1920929E-7 : f32
  %1 = arith.constant 0.000123456789 : f32
  %2 = arith.constant 0.00123456789 : f32
  %3 = arith.constant 12345678.0 : f32
  %4 = arith.constant 1234567890.0 : f32
  %5 = arith.constant 1.23456789e20 : f32
  %6 = arith.constant 0.333333333333333333 : f64
  %7 = arith.constant -1.2345678901e-10 : f64
  %8 = arith.constant 0.33333 : f16
  %9 = arith.constant 3.14159 : bf16
  %10 = arith.constant 65504.0 : f16
  %11 = arith.constant 123456.789 : f64
  %12 = arith.constant dense<[1.1920929E-7, 0.1]> : tensor<2xf32>
  %13 = arith.constant 12345678901234.0 : f64
  %14 = arith.constant 0.0 : f32
  %15 = arith.constant -0.0 : f32
  %16 = arith.constant 3.40282347E+38 : f32
  %17 = arith.constant 1.40129846E-45 : f32
  return
}
