// RUN: mlopt %s --convert-nn-to-linalg | filecheck %s
// RUN: mlopt %s --validate-each --convert-nn-to-linalg --linalg-fuse-pointwise -o /dev/null

// The bits of a narrow float are put together in integers: rounded normal numbers, denormals by an addition, overflow, NaN, sign.
// CHECK-LABEL: func.func private @to_f8(
// CHECK-SAME: %x: tensor<8xf32>, %out: tensor<8xi8> {bufferization.writable = true}) -> tensor<8xi8>
// CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: i8):
// CHECK-NEXT: %[[BITS:.*]] = arith.bitcast %[[X]] : f32 to i32
// CHECK-NEXT: %[[MASK:.*]] = arith.constant 2147483647 : i32
// CHECK-NEXT: %[[A:.*]] = arith.andi %[[BITS]], %[[MASK]] : i32
// CHECK: %[[NORMAL:.*]] = arith.subi %{{.*}}, %c960_i32 : i32
// CHECK: %[[SUM:.*]] = arith.addf %{{.*}}, %cst : f32
// CHECK: %[[DENORMAL:.*]] = arith.subi %{{.*}}, %{{.*}} : i32
// CHECK: %[[IS_DENORMAL:.*]] = arith.cmpi slt, %[[A]], %{{.*}} : i32
// CHECK-NEXT: %[[CODE:.*]] = arith.select %[[IS_DENORMAL]], %[[DENORMAL]], %[[NORMAL]] : i32
// CHECK: %[[BYTE:.*]] = arith.trunci %{{.*}} : i32 to i8
// CHECK-NEXT: linalg.yield %[[BYTE]] : i8
func.func private @to_f8(%x: tensor<8xf32>) -> tensor<8xf8E4M3FN> attributes {kernel} {
  %y = nn.cast %x saturate = false : tensor<8xf32> -> tensor<8xf8E4M3FN>
  return %y : tensor<8xf8E4M3FN>
}

// An integer of 4 bits is extended by its sign where it is read.
// CHECK-LABEL: func.func private @from_i4(
// CHECK: ^bb0(%[[X:.*]]: i8, %{{.*}}: f32):
// CHECK-NEXT: %[[FOUR:.*]] = arith.constant 4 : i8
// CHECK-NEXT: %[[UP:.*]] = arith.shli %[[X]], %[[FOUR]] : i8
// CHECK-NEXT: %[[DOWN:.*]] = arith.shrsi %[[UP]], %[[FOUR]] : i8
// CHECK-NEXT: %[[Y:.*]] = arith.sitofp %[[DOWN]] : i8 to f32
// CHECK-NEXT: linalg.yield %[[Y]] : f32
func.func private @from_i4(%x: tensor<8xi4>) -> tensor<8xf32> attributes {kernel} {
  %y = nn.cast %x : tensor<8xi4> -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: func.func private @to_ui2(
// CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: i8):
// CHECK-NEXT: %[[I:.*]] = arith.fptosi %[[X]] : f32 to i32
// CHECK-NEXT: %[[T:.*]] = arith.trunci %[[I]] : i32 to i8
// CHECK-NEXT: %[[THREE:.*]] = arith.constant 3 : i8
// CHECK-NEXT: %[[Y:.*]] = arith.andi %[[T]], %[[THREE]] : i8
// CHECK-NEXT: linalg.yield %[[Y]] : i8
func.func private @to_ui2(%x: tensor<8xf32>) -> tensor<8xui2> attributes {kernel} {
  %y = nn.cast %x : tensor<8xf32> -> tensor<8xui2>
  return %y : tensor<8xui2>
}

// CHECK-LABEL: func.func private @moved(
// CHECK-SAME: %x: tensor<2x3xi8>, %out: tensor<3x2xi8> {bufferization.writable = true}) -> tensor<3x2xi8>
// CHECK: linalg.yield %{{.*}} : i8
func.func private @moved(%x: tensor<2x3xf4E2M1FN>) -> tensor<3x2xf4E2M1FN> attributes {kernel} {
  %y = nn.transpose %x permutation = [1, 0] : tensor<2x3xf4E2M1FN> -> tensor<3x2xf4E2M1FN>
  return %y : tensor<3x2xf4E2M1FN>
}

// Constants keep their bytes, the value of padding becomes bits: 2.0 is 0x40, that is 64.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: -> (tensor<8xi8>, tensor<8xf32>, tensor<8xi8>, tensor<3x2xi8>, tensor<5xi8>)
// CHECK: arith.constant dense<[60, 126, -64]> : tensor<3xi8>
// CHECK: %[[TWO:.*]] = arith.constant 64 : i8
// CHECK: tensor.yield %[[TWO]] : i8
func.func @main(%x: tensor<8xf32>, %i: tensor<8xi4>, %m: tensor<2x3xf4E2M1FN>)
    -> (tensor<8xf8E4M3FN>, tensor<8xf32>, tensor<8xui2>, tensor<3x2xf4E2M1FN>, tensor<5xf8E5M2>) {
  %c = nn.constant dense<[1.0, 0x7E, -2.0]> : tensor<3xf8E5M2>
  %p = nn.pad %c low = [1] high = [1] value = 2.0 : tensor<3xf8E5M2> -> tensor<5xf8E5M2>
  %a = func.call @to_f8(%x) : (tensor<8xf32>) -> tensor<8xf8E4M3FN>
  %b = func.call @from_i4(%i) : (tensor<8xi4>) -> tensor<8xf32>
  %d = func.call @to_ui2(%x) : (tensor<8xf32>) -> tensor<8xui2>
  %t = func.call @moved(%m) : (tensor<2x3xf4E2M1FN>) -> tensor<3x2xf4E2M1FN>
  return %a, %b, %d, %t, %p : tensor<8xf8E4M3FN>, tensor<8xf32>, tensor<8xui2>, tensor<3x2xf4E2M1FN>, tensor<5xf8E5M2>
}
