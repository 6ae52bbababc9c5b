// RUN: mlopt %s --nn-decompose --validate-each | filecheck %s

// All inputs are projected at once; the loop carries c and the outputs, of which the latest is h.
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
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    %17 = tensor.empty() : tensor<4x1x2xf32>
// CHECK-NEXT:    %inserted_slice = tensor.insert_slice %14 into %17[0, 0, 0] [1, 1, 2] [1, 1, 1] : tensor<1x2xf32> into tensor<4x1x2xf32>
// CHECK-NEXT:    %18:2 = scf.for %arg0 = %c0 to %c3 step %c1 iter_args(%arg1 = %16, %arg2 = %inserted_slice) -> (tensor<1x2xf32>, tensor<4x1x2xf32>) {
// CHECK-NEXT:      %22 = arith.addi %arg0, %c1 : index
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %arg2[%arg0, 0, 0] [1, 1, 2] [1, 1, 1] : tensor<4x1x2xf32> to tensor<1x2xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %12[%arg0, 0, 0] [1, 1, 8] [1, 1, 1] : tensor<3x1x8xf32> to tensor<1x8xf32>
// CHECK-NEXT:      %23 = nn.matmul %extracted_slice, %5 : tensor<1x2xf32>, tensor<2x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:      %24 = nn.add %23, %extracted_slice_0 : tensor<1x8xf32>, tensor<1x8xf32> -> tensor<1x8xf32>
// CHECK-NEXT:      %25 = nn.slice %24 starts = [0, 0] ends = [1, 2] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %26 = nn.slice %24 starts = [0, 2] ends = [1, 4] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %27 = nn.slice %24 starts = [0, 4] ends = [1, 6] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %28 = nn.slice %24 starts = [0, 6] ends = [1, 8] : tensor<1x8xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %29 = nn.sigmoid %27 : tensor<1x2xf32>
// CHECK-NEXT:      %30 = nn.mul %29, %arg1 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %31 = nn.sigmoid %25 : tensor<1x2xf32>
// CHECK-NEXT:      %32 = nn.tanh %28 : tensor<1x2xf32>
// CHECK-NEXT:      %33 = nn.mul %31, %32 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %34 = nn.add %30, %33 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %35 = nn.sigmoid %26 : tensor<1x2xf32>
// CHECK-NEXT:      %36 = nn.tanh %34 : tensor<1x2xf32>
// CHECK-NEXT:      %37 = nn.mul %35, %36 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:      %inserted_slice_1 = tensor.insert_slice %37 into %arg2[%22, 0, 0] [1, 1, 2] [1, 1, 1] : tensor<1x2xf32> into tensor<4x1x2xf32>
// CHECK-NEXT:      scf.yield %34, %inserted_slice_1 : tensor<1x2xf32>, tensor<4x1x2xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %19 = nn.slice %18#1 starts = [1, 0, 0] ends = [4, 1, 2] : tensor<4x1x2xf32> -> tensor<3x1x2xf32>
// CHECK-NEXT:    %20 = nn.slice %18#1 starts = [3, 0, 0] ends = [4, 1, 2] : tensor<4x1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    %21 = nn.reshape %20 : tensor<1x1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %y = nn.reshape %19 : tensor<3x1x2xf32> -> tensor<3x1x1x2xf32>
// CHECK-NEXT:    %hn = nn.reshape %21 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    %cn = nn.reshape %18#0 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    return %y, %hn, %cn : tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
// CHECK-NEXT:  }
func.func @loop(%x: tensor<3x1x2xf32>, %w: tensor<1x8x2xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> (tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>) {
  %y, %hn, %cn = nn.lstm %x, %w, %r, %b, %h, %c : tensor<3x1x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x16xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32> -> (tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  func.return %y, %hn, %cn : tensor<3x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
}


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
// CHECK-NEXT:    return %y : tensor<2x1x1x2xf32>
// CHECK-NEXT:  }
func.func @unrolled(%x: tensor<2x1x2xf32>, %w: tensor<1x8x2xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> tensor<2x1x1x2xf32> {
  %y, %hn, %cn = nn.lstm %x, %w, %r, %b, %h, %c direction = "reverse" : tensor<2x1x2xf32>, tensor<1x8x2xf32>, tensor<1x8x2xf32>, tensor<1x16xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32> -> (tensor<2x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  func.return %y : tensor<2x1x1x2xf32>
}

// No step gives back the states.
// CHECK-LABEL: func.func @no_step(%x: tensor<0x1x3xf32>, %w: tensor<1x8x3xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> (tensor<0x1x1x2xf32>, tensor<1x1x2xf32>) {
// CHECK-NEXT:    %0 = nn.slice %c starts = [0, 0, 0] ends = [1, 1, 2] : tensor<1x1x2xf32>
// CHECK-NEXT:    %1 = nn.reshape %0 : tensor<1x1x2xf32> -> tensor<1x2xf32>
// CHECK-NEXT:    %2 = nn.constant dense<0.000000e+00> : tensor<0x1x2xf32>
// CHECK-NEXT:    %y = nn.reshape %2 : tensor<0x1x2xf32> -> tensor<0x1x1x2xf32>
// CHECK-NEXT:    %cn = nn.reshape %1 : tensor<1x2xf32> -> tensor<1x1x2xf32>
// CHECK-NEXT:    return %y, %cn : tensor<0x1x1x2xf32>, tensor<1x1x2xf32>
// CHECK-NEXT:  }
func.func @no_step(%x: tensor<0x1x3xf32>, %w: tensor<1x8x3xf32>, %r: tensor<1x8x2xf32>, %b: tensor<1x16xf32>, %h: tensor<1x1x2xf32>, %c: tensor<1x1x2xf32>) -> (tensor<0x1x1x2xf32>, tensor<1x1x2xf32>) {
  %y, %hn, %cn = nn.lstm %x, %w, %r, %b, %h, %c : tensor<0x1x3xf32>, tensor<1x8x3xf32>, tensor<1x8x2xf32>, tensor<1x16xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32> -> (tensor<0x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
  func.return %y, %cn : tensor<0x1x1x2xf32>, tensor<1x1x2xf32>
}
