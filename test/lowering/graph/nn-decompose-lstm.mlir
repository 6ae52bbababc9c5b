// RUN: mlopt %s --nn-decompose --split-input-file | filecheck %s

// All inputs are projected at once; the loop carries h, c and the outputs.
// CHECK-LABEL: func.func @loop(%x: tensor<3x1x2xf32>, %w: tensor<1x8x2xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> (tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>) {
// CHECK-NEXT:    %0 = nn.slice %w starts = [0, 0, 0] ends = [1, 8, 2] : tensor<1x8x2xf32>
// CHECK-NEXT:    %1 = nn.reshape %0 : tensor<1x8x2xf32> -> tensor<8x2xf32>
// CHECK-NEXT:    %2 = nn.transpose %1 permutation = [1, 0] : tensor<8x2xf32> -> tensor<2x8xf32>
// CHECK-NEXT:    %3 = nn.slice %r starts = [0, 0, 0] ends = [1, 8, 2] : tensor<1x8x2xf32>
// CHECK-NEXT:    %4 = nn.reshape %3 : tensor<1x8x2xf32> -> tensor<8x2xf32>
// CHECK-NEXT:    %5 = nn.transpose %4 permutation = [1, 0] : tensor<8x2xf32> -> tensor<2x8xf32>
// CHECK-NEXT:    %6 = nn.slice %b starts = [0, 0] ends = [1, 16] : tensor<1x16xf32>
// CHECK-NEXT:    %7 = nn.reshape %6 : tensor<1x16xf32> -> tensor<16xf32>
// CHECK-NEXT:    %8 = nn.slice %7 starts = [0] ends = [8] : tensor<16xf32> -> tensor<8xf32>
// CHECK-NEXT:    %9 = nn.slice %7 starts = [8] ends = [16] : tensor<16xf32> -> tensor<8xf32>
// CHECK-NEXT:    %10 = nn.add %8, %9 : tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
// CHECK-NEXT:    %11 = nn.matmul %x, %2 : tensor<3x1x2xf32>, tensor<2x8xf32> -> tensor<3x1x8xf32>
// CHECK-NEXT:    %12 = nn.add %11, %10 : tensor<3x1x8xf32>, tensor<8xf32> -> tensor<3x1x8xf32>
// CHECK-NEXT:    %13 = nn.slice %h starts = [0, 0, 0] ends = [1, 1, 2] : tensor<1x1x2xf32>
// CHECK-NEXT:    %14 = nn.reshape %13 : tensor<1x1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %15 = nn.slice %c starts = [0, 0, 0] ends = [1, 1, 2] : tensor<1x1x2xf32>
// CHECK-NEXT:    %16 = nn.reshape %15 : tensor<1x1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %17 = arith.constant 0 : index
// CHECK-NEXT:    %18 = arith.constant 1 : index
// CHECK-NEXT:    %19 = arith.constant 3 : index
// CHECK-NEXT:    %20 = tensor.empty() : tensor<3x1x2xf32>
// CHECK-NEXT:    %21, %22, %23 = scf.for %24 = %17 to %19 step %18 iter_args(%25 = %14, %26 = %16, %27 = %20) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<3x1x2xf32>) {
// CHECK-NEXT:      %28 = tensor.extract_slice %12[%24, 0, 0] [1, 1, 8] [1, 1, 1] : tensor<3x1x8xf32> to tensor<1x8xf32>
// CHECK-NEXT:      %29 = nn.matmul %25, %5 : tensor<1x2xf32>, tensor<2x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:      %30 = nn.add %29, %28 : tensor<1x8xf32>, tensor<1x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:      %31 = nn.slice %30 starts = [0, 0] ends = [1, 2] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %32 = nn.slice %30 starts = [0, 2] ends = [1, 4] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %33 = nn.slice %30 starts = [0, 4] ends = [1, 6] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %34 = nn.slice %30 starts = [0, 6] ends = [1, 8] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %35 = nn.sigmoid %33 : tensor<1x2xf32>
// CHECK-NEXT:      %36 = nn.mul %35, %26 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %37 = nn.sigmoid %31 : tensor<1x2xf32>
// CHECK-NEXT:      %38 = nn.tanh %34 : tensor<1x2xf32>
// CHECK-NEXT:      %39 = nn.mul %37, %38 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %40 = nn.add %36, %39 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %41 = nn.sigmoid %32 : tensor<1x2xf32>
// CHECK-NEXT:      %42 = nn.tanh %40 : tensor<1x2xf32>
// CHECK-NEXT:      %43 = nn.mul %41, %42 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %44 = tensor.insert_slice %43 into %27[%24, 0, 0] [1, 1, 2] [1, 1, 1] : tensor<1x2xf32> into tensor<3x1x2xf32>
// CHECK-NEXT:      scf.yield %43, %40, %44 : tensor<1x2xf32>, tensor<1x2xf32>, tensor<3x1x2xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %y = nn.reshape %23 : tensor<3x1x2xf32> -> tensor<3x1x1x2xf32>
// CHECK-NEXT:    %hn = nn.reshape %21 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    %cn = nn.reshape %22 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    func.return %y, %hn, %cn : tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
// CHECK-NEXT:  }
func.func @loop(%x: tensor<3x1x2xf32>, %w: tensor<1x8x2xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> (tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>) {
  %y, %hn, %cn = nn.lstm %x, %w, %r, %b, %h, %c : tensor<3x1x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x16xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32> -> (tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  func.return %y, %hn, %cn : tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
}

// -----

// Two steps are unrolled.
// CHECK-LABEL: func.func @unrolled(%x: tensor<2x1x2xf32>, %w: tensor<1x8x2xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> tensor<2x1x1x2xf32> {
// CHECK-NEXT:    %0 = nn.slice %w starts = [0, 0, 0] ends = [1, 8, 2] : tensor<1x8x2xf32>
// CHECK-NEXT:    %1 = nn.reshape %0 : tensor<1x8x2xf32> -> tensor<8x2xf32>
// CHECK-NEXT:    %2 = nn.transpose %1 permutation = [1, 0] : tensor<8x2xf32> -> tensor<2x8xf32>
// CHECK-NEXT:    %3 = nn.slice %r starts = [0, 0, 0] ends = [1, 8, 2] : tensor<1x8x2xf32>
// CHECK-NEXT:    %4 = nn.reshape %3 : tensor<1x8x2xf32> -> tensor<8x2xf32>
// CHECK-NEXT:    %5 = nn.transpose %4 permutation = [1, 0] : tensor<8x2xf32> -> tensor<2x8xf32>
// CHECK-NEXT:    %6 = nn.slice %b starts = [0, 0] ends = [1, 16] : tensor<1x16xf32>
// CHECK-NEXT:    %7 = nn.reshape %6 : tensor<1x16xf32> -> tensor<16xf32>
// CHECK-NEXT:    %8 = nn.slice %7 starts = [0] ends = [8] : tensor<16xf32> -> tensor<8xf32>
// CHECK-NEXT:    %9 = nn.slice %7 starts = [8] ends = [16] : tensor<16xf32> -> tensor<8xf32>
// CHECK-NEXT:    %10 = nn.add %8, %9 : tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
// CHECK-NEXT:    %11 = nn.matmul %x, %2 : tensor<2x1x2xf32>, tensor<2x8xf32> -> tensor<2x1x8xf32>
// CHECK-NEXT:    %12 = nn.add %11, %10 : tensor<2x1x8xf32>, tensor<8xf32> -> tensor<2x1x8xf32>
// CHECK-NEXT:    %13 = nn.slice %h starts = [0, 0, 0] ends = [1, 1, 2] : tensor<1x1x2xf32>
// CHECK-NEXT:    %14 = nn.reshape %13 : tensor<1x1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %15 = nn.slice %c starts = [0, 0, 0] ends = [1, 1, 2] : tensor<1x1x2xf32>
// CHECK-NEXT:    %16 = nn.reshape %15 : tensor<1x1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %17 = nn.slice %12 starts = [1, 0, 0] ends = [2, 1, 8] : tensor<2x1x8xf32> -> tensor<1x1x8xf32>
// CHECK-NEXT:    %18 = nn.reshape %17 : tensor<1x1x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:    %19 = nn.matmul %14, %5 : tensor<1x2xf32>, tensor<2x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:    %20 = nn.add %19, %18 : tensor<1x8xf32>, tensor<1x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:    %21 = nn.slice %20 starts = [0, 0] ends = [1, 2] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %22 = nn.slice %20 starts = [0, 2] ends = [1, 4] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %23 = nn.slice %20 starts = [0, 4] ends = [1, 6] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %24 = nn.slice %20 starts = [0, 6] ends = [1, 8] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %25 = nn.sigmoid %23 : tensor<1x2xf32>
// CHECK-NEXT:    %26 = nn.mul %25, %16 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %27 = nn.sigmoid %21 : tensor<1x2xf32>
// CHECK-NEXT:    %28 = nn.tanh %24 : tensor<1x2xf32>
// CHECK-NEXT:    %29 = nn.mul %27, %28 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %30 = nn.add %26, %29 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %31 = nn.sigmoid %22 : tensor<1x2xf32>
// CHECK-NEXT:    %32 = nn.tanh %30 : tensor<1x2xf32>
// CHECK-NEXT:    %33 = nn.mul %31, %32 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %34 = nn.reshape %33 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    %35 = nn.slice %12 starts = [0, 0, 0] ends = [1, 1, 8] : tensor<2x1x8xf32> -> tensor<1x1x8xf32>
// CHECK-NEXT:    %36 = nn.reshape %35 : tensor<1x1x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:    %37 = nn.matmul %33, %5 : tensor<1x2xf32>, tensor<2x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:    %38 = nn.add %37, %36 : tensor<1x8xf32>, tensor<1x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:    %39 = nn.slice %38 starts = [0, 0] ends = [1, 2] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %40 = nn.slice %38 starts = [0, 2] ends = [1, 4] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %41 = nn.slice %38 starts = [0, 4] ends = [1, 6] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %42 = nn.slice %38 starts = [0, 6] ends = [1, 8] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %43 = nn.sigmoid %41 : tensor<1x2xf32>
// CHECK-NEXT:    %44 = nn.mul %43, %30 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %45 = nn.sigmoid %39 : tensor<1x2xf32>
// CHECK-NEXT:    %46 = nn.tanh %42 : tensor<1x2xf32>
// CHECK-NEXT:    %47 = nn.mul %45, %46 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %48 = nn.add %44, %47 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %49 = nn.sigmoid %40 : tensor<1x2xf32>
// CHECK-NEXT:    %50 = nn.tanh %48 : tensor<1x2xf32>
// CHECK-NEXT:    %51 = nn.mul %49, %50 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %52 = nn.reshape %51 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    %53 = nn.concat %52, %34 axis = 0 : tensor<1x1x2xf32>, tensor<1x1x2xf32> -> tensor<2x1x2xf32>
// CHECK-NEXT:    %y = nn.reshape %53 : tensor<2x1x2xf32> -> tensor<2x1x1x2xf32>
// CHECK-NEXT:    func.return %y : tensor<2x1x1x2xf32>
// CHECK-NEXT:  }
func.func @unrolled(%x: tensor<2x1x2xf32>, %w: tensor<1x8x2xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> tensor<2x1x1x2xf32> {
  %y, %hn, %cn = nn.lstm %x, %w, %r, %b, %h, %c direction = "reverse" : tensor<2x1x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x16xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32> -> (tensor<2x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  func.return %y : tensor<2x1x1x2xf32>
}
