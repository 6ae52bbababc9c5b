// RUN: mlopt %s --nn-raise | filecheck %s
// RUN: mlopt %s --validate-each --nn-raise -o /dev/null

// Bytes are multiplied as they are; zero points, and weights that are shifted into their range, are made up for afterwards.
// CHECK-LABEL: func.func @matmul(%x: tensor<2x4xi8>) -> tensor<2x2xi32> {
// CHECK-NEXT:     %three = nn.constant dense<3> : tensor<i32>
// CHECK-NEXT:     %a = nn.cast %x : tensor<2x4xi8> -> tensor<2x4xi32>
// CHECK-NEXT:     %b = nn.sub %a, %three : tensor<2x4xi32>, tensor<i32> -> tensor<2x4xi32>
// CHECK-NEXT:     %0 = nn.reduce_sum %b axes = [1] keepdims = true : tensor<2x4xi32> -> tensor<2x1xi32>
// CHECK-NEXT:     %1 = nn.cast %x : tensor<2x4xi8> -> tensor<2x4xui8>
// CHECK-NEXT:     %2 = nn.constant dense<128> : tensor<ui8>
// CHECK-NEXT:     %3 = nn.add %1, %2 : tensor<2x4xui8>, tensor<ui8> -> tensor<2x4xui8>
// CHECK-NEXT:     %4 = nn.constant dense<{{\[\[}}1, -126], [3, -124], [5, -122], [-7, 72{{\]\]}}> : tensor<4x2xi8>
// CHECK-NEXT:     %5 = nn.matmul %3, %4 : tensor<2x4xui8>, tensor<4x2xi8> -> tensor<2x2xi32>
// CHECK-NEXT:     %6 = nn.constant dense<[262, -39300]> : tensor<2xi32>
// CHECK-NEXT:     %7 = nn.sub %5, %6 : tensor<2x2xi32>, tensor<2xi32> -> tensor<2x2xi32>
// CHECK-NEXT:     %8 = nn.constant dense<[0, 128]> : tensor<2xi32>
// CHECK-NEXT:     %9 = nn.mul %0, %8 : tensor<2x1xi32>, tensor<2xi32> -> tensor<2x2xi32>
// CHECK-NEXT:     %y = nn.add %7, %9 : tensor<2x2xi32>, tensor<2x2xi32> -> tensor<2x2xi32>
// CHECK-NEXT:     return %y : tensor<2x2xi32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func @conv(%x: tensor<1x3x4x4xui8>, %z: tensor<ui8>) -> (tensor<1x1x3x3xi32>, tensor<1x1x5x5xi32>) {
// CHECK-NEXT:     %zero = nn.cast %z : tensor<ui8> -> tensor<i32>
// CHECK-NEXT:     %0 = nn.pad %x low = [0, 0, 0, 0] high = [0, 1, 0, 0] : tensor<1x3x4x4xui8> -> tensor<1x4x4x4xui8>
// CHECK-NEXT:     %1 = nn.constant dense<{{\[\[}}{{\[\[}}1, 2], [3, 4{{\]\]}}, {{\[\[}}5, 6], [7, 8{{\]\]}}, {{\[\[}}-1, -1], [-1, -2{{\]\]}}, {{\[\[}}0, 0], [0, 0{{\]\]}}{{\]\]}}> : tensor<1x4x2x2xi8>
// CHECK-NEXT:     %2 = nn.conv %0, %1 : tensor<1x4x4x4xui8>, tensor<1x4x2x2xi8> -> tensor<1x1x3x3xi32>
// CHECK-NEXT:     %3 = nn.reshape %zero : tensor<i32>
// CHECK-NEXT:     %4 = nn.constant dense<31> : tensor<1x1x1xi32>
// CHECK-NEXT:     %5 = nn.mul %4, %3 : tensor<1x1x1xi32>, tensor<i32> -> tensor<1x1x1xi32>
// CHECK-NEXT:     %y = nn.sub %2, %5 : tensor<1x1x3x3xi32>, tensor<1x1x1xi32> -> tensor<1x1x3x3xi32>
// CHECK-NEXT:     %6 = nn.pad %x low = [0, 0, 1, 1] high = [0, 1, 1, 1] value = 7.0 : tensor<1x3x4x4xui8> -> tensor<1x4x6x6xui8>
// CHECK-NEXT:     %7 = nn.constant dense<{{\[\[}}{{\[\[}}1, 2], [3, 4{{\]\]}}, {{\[\[}}5, 6], [7, 8{{\]\]}}, {{\[\[}}-1, -1], [-1, -2{{\]\]}}, {{\[\[}}0, 0], [0, 0{{\]\]}}{{\]\]}}> : tensor<1x4x2x2xi8>
// CHECK-NEXT:     %8 = nn.conv %6, %7 : tensor<1x4x6x6xui8>, tensor<1x4x2x2xi8> -> tensor<1x1x5x5xi32>
// CHECK-NEXT:     %9 = nn.constant dense<217> : tensor<1x1x1xi32>
// CHECK-NEXT:     %p = nn.sub %8, %9 : tensor<1x1x5x5xi32>, tensor<1x1x1xi32> -> tensor<1x1x5x5xi32>
// CHECK-NEXT:     return %y, %p : tensor<1x1x3x3xi32>, tensor<1x1x5x5xi32>
// CHECK-NEXT:   }
// CHECK-LABEL: func.func @stays(%x: tensor<2x4xi16>, %v: tensor<2x4xui8>) -> (tensor<2x2xi32>, tensor<2x2xi32>) {
// CHECK-NEXT:     %w = nn.constant dense<{{\[\[}}1, 2], [3, 4], [5, 6], [-7, 20{{\]\]}}> : tensor<4x2xi32>
// CHECK-NEXT:     %wide = nn.constant dense<{{\[\[}}1, 2], [3, 4], [5, 6], [-7, 300{{\]\]}}> : tensor<4x2xi32>
// CHECK-NEXT:     %a = nn.cast %x : tensor<2x4xi16> -> tensor<2x4xi32>
// CHECK-NEXT:     %y = nn.matmul %a, %w : tensor<2x4xi32>, tensor<4x2xi32> -> tensor<2x2xi32>
// CHECK-NEXT:     %b = nn.cast %v : tensor<2x4xui8> -> tensor<2x4xi32>
// CHECK-NEXT:     %z = nn.matmul %b, %wide : tensor<2x4xi32>, tensor<4x2xi32> -> tensor<2x2xi32>
// CHECK-NEXT:     return %y, %z : tensor<2x2xi32>, tensor<2x2xi32>
// CHECK-NEXT:   }
func.func @matmul(%x: tensor<2x4xi8>) -> tensor<2x2xi32> {
  %w = nn.constant dense<[[1, 2], [3, 4], [5, 6], [-7, 200]]> : tensor<4x2xi32>
  %three = nn.constant dense<3> : tensor<i32>
  %a = nn.cast %x : tensor<2x4xi8> -> tensor<2x4xi32>
  %b = nn.sub %a, %three : tensor<2x4xi32>, tensor<i32> -> tensor<2x4xi32>
  %y = nn.matmul %b, %w : tensor<2x4xi32>, tensor<4x2xi32> -> tensor<2x2xi32>
  func.return %y : tensor<2x2xi32>
}
func.func @conv(%x: tensor<1x3x4x4xui8>, %z: tensor<ui8>) -> (tensor<1x1x3x3xi32>, tensor<1x1x5x5xi32>) {
  %w = nn.constant dense<[[[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[-1, -1], [-1, -2]]]]> : tensor<1x3x2x2xi32>
  %zero = nn.cast %z : tensor<ui8> -> tensor<i32>
  %a = nn.cast %x : tensor<1x3x4x4xui8> -> tensor<1x3x4x4xi32>
  %b = nn.sub %a, %zero : tensor<1x3x4x4xi32>, tensor<i32> -> tensor<1x3x4x4xi32>
  %y = nn.conv %b, %w : tensor<1x3x4x4xi32>, tensor<1x3x2x2xi32> -> tensor<1x1x3x3xi32>
  %seven = nn.constant dense<7> : tensor<i32>
  %c = nn.sub %a, %seven : tensor<1x3x4x4xi32>, tensor<i32> -> tensor<1x3x4x4xi32>
  %p = nn.conv %c, %w pads = [1, 1, 1, 1] : tensor<1x3x4x4xi32>, tensor<1x3x2x2xi32> -> tensor<1x1x5x5xi32>
  func.return %y, %p : tensor<1x1x3x3xi32>, tensor<1x1x5x5xi32>
}
func.func @stays(%x: tensor<2x4xi16>, %v: tensor<2x4xui8>) -> (tensor<2x2xi32>, tensor<2x2xi32>) {
  %w = nn.constant dense<[[1, 2], [3, 4], [5, 6], [-7, 20]]> : tensor<4x2xi32>
  %wide = nn.constant dense<[[1, 2], [3, 4], [5, 6], [-7, 300]]> : tensor<4x2xi32>
  %a = nn.cast %x : tensor<2x4xi16> -> tensor<2x4xi32>
  %y = nn.matmul %a, %w : tensor<2x4xi32>, tensor<4x2xi32> -> tensor<2x2xi32>
  %b = nn.cast %v : tensor<2x4xui8> -> tensor<2x4xi32>
  %z = nn.matmul %b, %wide : tensor<2x4xi32>, tensor<4x2xi32> -> tensor<2x2xi32>
  func.return %y, %z : tensor<2x2xi32>, tensor<2x2xi32>
}

// What is broadcast by the sum stays; a zero point at the end of the range wraps around as the sum does.

// CHECK-LABEL: func.func @ends(
// CHECK-SAME:      %x: tensor<1x4xi8>
// CHECK:         %[[A:.*]] = nn.add
// CHECK-NEXT:    nn.matmul %[[A]]
// CHECK:         %[[Z:.*]] = nn.constant dense<[512, 1280]> : tensor<2xi32>
// CHECK-NEXT:    nn.sub %{{.*}}, %[[Z]]
func.func @ends(%x: tensor<1x4xi8>) -> (tensor<3x2xi32>, tensor<1x2xi32>) {
  %w = nn.constant dense<[[1, 2], [1, 2], [1, 2], [1, 4]]> : tensor<4x2xi32>
  %wide = nn.constant dense<5> : tensor<3x4xi32>
  %least = nn.constant dense<-2147483648> : tensor<i32>
  %a = nn.cast %x : tensor<1x4xi8> -> tensor<1x4xi32>
  %b = nn.add %a, %wide : tensor<1x4xi32>, tensor<3x4xi32> -> tensor<3x4xi32>
  %y = nn.matmul %b, %w : tensor<3x4xi32>, tensor<4x2xi32> -> tensor<3x2xi32>
  %c = nn.add %a, %least : tensor<1x4xi32>, tensor<i32> -> tensor<1x4xi32>
  %z = nn.matmul %c, %w : tensor<1x4xi32>, tensor<4x2xi32> -> tensor<1x2xi32>
  func.return %y, %z : tensor<3x2xi32>, tensor<1x2xi32>
}
