// RUN: mlopt %s --plan-views | filecheck %s

// Each part of a concatenation is computed in its slice; an argument is copied into it.
// CHECK-LABEL: func.func @concat(%x: tensor<4x8xf32>) -> tensor<12x8xf32> {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<12x8xf32>
// CHECK-NEXT:      %1 = tensor.extract_slice %0[0, 0] [4, 8] [1, 1] : tensor<12x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %a = func.call @f(%x, %1) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %2 = tensor.extract_slice %0[4, 0] [4, 8] [1, 1] : tensor<12x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %b = func.call @f(%a, %2) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %3 = tensor.insert_slice %a into %0[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
// CHECK-NEXT:      %4 = tensor.insert_slice %b into %3[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
// CHECK-NEXT:      %5 = tensor.extract_slice %4[8, 0] [4, 8] [1, 1] : tensor<12x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %6 = linalg.copy ins(%x : tensor<4x8xf32>) outs(%5 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %7 = tensor.insert_slice %6 into %4[8, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
// CHECK-NEXT:      func.return %7 : tensor<12x8xf32>
// CHECK-NEXT:    }
func.func @concat(%x: tensor<4x8xf32>) -> tensor<12x8xf32> {
  %e0 = tensor.empty() : tensor<4x8xf32>
  %a = func.call @f(%x, %e0) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %b = func.call @f(%a, %e0) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<12x8xf32>
  %1 = tensor.insert_slice %a into %e[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
  %2 = tensor.insert_slice %b into %1[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
  %3 = tensor.insert_slice %x into %2[8, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
  func.return %3 : tensor<12x8xf32>
}

// A concatenation in a concatenation, through a reshape: one buffer for all.
// CHECK-LABEL: func.func @nested(%x: tensor<4x8xf32>) -> tensor<1x8x16xf32> {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<1x8x16xf32>
// CHECK-NEXT:      %1 = tensor.extract_slice %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %2 = tensor.collapse_shape %1 [[0, 1], [2]] : tensor<1x8x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %3 = tensor.extract_slice %2[0, 0] [4, 8] [1, 1] : tensor<8x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %a = func.call @f(%x, %3) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %4 = tensor.extract_slice %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %5 = tensor.collapse_shape %4 [[0, 1], [2]] : tensor<1x8x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %6 = tensor.extract_slice %5[4, 0] [4, 8] [1, 1] : tensor<8x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %b = func.call @f(%a, %6) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %7 = tensor.extract_slice %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %8 = tensor.collapse_shape %7 [[0, 1], [2]] : tensor<1x8x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %9 = tensor.insert_slice %a into %8[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %10 = tensor.insert_slice %b into %9[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %r = tensor.expand_shape %10 [[0, 1], [2]] output_shape [1, 8, 8] : tensor<8x8xf32> into tensor<1x8x8xf32>
// CHECK-NEXT:      %11 = tensor.extract_slice %0[0, 0, 8] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %c = func.call @g(%r, %11) : (tensor<1x8x8xf32>, tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
// CHECK-NEXT:      %12 = tensor.insert_slice %r into %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<1x8x16xf32>
// CHECK-NEXT:      %13 = tensor.insert_slice %c into %12[0, 0, 8] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<1x8x16xf32>
// CHECK-NEXT:      func.return %13 : tensor<1x8x16xf32>
// CHECK-NEXT:    }
func.func @nested(%x: tensor<4x8xf32>) -> tensor<1x8x16xf32> {
  %e0 = tensor.empty() : tensor<4x8xf32>
  %a = func.call @f(%x, %e0) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<4x8xf32>
  %b = func.call @f(%a, %e1) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %1 = tensor.insert_slice %a into %e[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  %2 = tensor.insert_slice %b into %1[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  %r = tensor.expand_shape %2 [[0, 1], [2]] output_shape [1, 8, 8] : tensor<8x8xf32> into tensor<1x8x8xf32>
  %h = tensor.empty() : tensor<1x8x8xf32>
  %c = func.call @g(%r, %h) : (tensor<1x8x8xf32>, tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %o = tensor.empty() : tensor<1x8x16xf32>
  %3 = tensor.insert_slice %r into %o[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<1x8x16xf32>
  %4 = tensor.insert_slice %c into %3[0, 0, 8] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<1x8x16xf32>
  func.return %4 : tensor<1x8x16xf32>
}

// The producer writes to the interior of the first pad; the second pad of the same tensor is a copy.
// CHECK-LABEL: func.func @pads(%x: tensor<4x8xf32>) -> (tensor<5x10xf32>, tensor<5x8xf32>) {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<5x10xf32>
// CHECK-NEXT:      %1 = tensor.empty() : tensor<5x8xf32>
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %2 = tensor.extract_slice %1[1, 0] [4, 8] [1, 1] : tensor<5x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %a = func.call @f(%x, %2) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %3 = tensor.extract_slice %0[4, 0] [1, 10] [1, 1] : tensor<5x10xf32> to tensor<1x10xf32>
// CHECK-NEXT:      %4 = linalg.fill ins(%zero : f32) outs(%3 : tensor<1x10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:      %5 = tensor.insert_slice %4 into %0[4, 0] [1, 10] [1, 1] : tensor<1x10xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %6 = tensor.extract_slice %5[0, 0] [4, 1] [1, 1] : tensor<5x10xf32> to tensor<4x1xf32>
// CHECK-NEXT:      %7 = linalg.fill ins(%zero : f32) outs(%6 : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      %8 = tensor.insert_slice %7 into %5[0, 0] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %9 = tensor.extract_slice %8[0, 9] [4, 1] [1, 1] : tensor<5x10xf32> to tensor<4x1xf32>
// CHECK-NEXT:      %10 = linalg.fill ins(%zero : f32) outs(%9 : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      %11 = tensor.insert_slice %10 into %8[0, 9] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %12 = tensor.extract_slice %11[0, 1] [4, 8] [1, 1] : tensor<5x10xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %13 = linalg.copy ins(%a : tensor<4x8xf32>) outs(%12 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %p = tensor.insert_slice %13 into %11[0, 1] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %14 = tensor.extract_slice %1[0, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<1x8xf32>
// CHECK-NEXT:      %15 = linalg.fill ins(%zero : f32) outs(%14 : tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:      %16 = tensor.insert_slice %15 into %1[0, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<5x8xf32>
// CHECK-NEXT:      %q = tensor.insert_slice %a into %16[1, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<5x8xf32>
// CHECK-NEXT:      func.return %p, %q : tensor<5x10xf32>, tensor<5x8xf32>
// CHECK-NEXT:    }
func.func @pads(%x: tensor<4x8xf32>) -> (tensor<5x10xf32>, tensor<5x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %a = func.call @f(%x, %e) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %p = tensor.pad %a low[0, 1] high[1, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x8xf32> to tensor<5x10xf32>
  %q = tensor.pad %a low[1, 0] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x8xf32> to tensor<5x8xf32>
  func.return %p, %q : tensor<5x10xf32>, tensor<5x8xf32>
}

// Results: an argument, a constant, the same value twice, a part of another tensor are copied.
// CHECK-LABEL: func.func @results(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<2xf32>, tensor<32xf32>, tensor<4x8xf32>, tensor<2x8xf32>) {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<32xf32>
// CHECK-NEXT:      %1 = tensor.empty() : tensor<2x8xf32>
// CHECK-NEXT:      %2 = tensor.empty() : tensor<4x8xf32>
// CHECK-NEXT:      %3 = tensor.empty() : tensor<2xf32>
// CHECK-NEXT:      %4 = tensor.empty() : tensor<4x8xf32>
// CHECK-NEXT:      %c = arith.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK-NEXT:      %5 = tensor.expand_shape %0 [[0, 1]] output_shape [4, 8] : tensor<32xf32> into tensor<4x8xf32>
// CHECK-NEXT:      %a = func.call @f(%x, %5) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %r = tensor.collapse_shape %a [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
// CHECK-NEXT:      %s = tensor.extract_slice %a[1, 0] [2, 8] [1, 1] : tensor<4x8xf32> to tensor<2x8xf32>
// CHECK-NEXT:      %6 = linalg.copy ins(%x : tensor<4x8xf32>) outs(%4 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %7 = linalg.copy ins(%c : tensor<2xf32>) outs(%3 : tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT:      %8 = linalg.copy ins(%a : tensor<4x8xf32>) outs(%2 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %9 = linalg.copy ins(%s : tensor<2x8xf32>) outs(%1 : tensor<2x8xf32>) -> tensor<2x8xf32>
// CHECK-NEXT:      func.return %6, %7, %r, %8, %9 : tensor<4x8xf32>, tensor<2xf32>, tensor<32xf32>, tensor<4x8xf32>, tensor<2x8xf32>
// CHECK-NEXT:    }
func.func @results(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<2xf32>, tensor<32xf32>, tensor<4x8xf32>, tensor<2x8xf32>) {
  %c = arith.constant dense<1.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %a = func.call @f(%x, %e) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %r = tensor.collapse_shape %a [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
  %s = tensor.extract_slice %a[1, 0] [2, 8] [1, 1] : tensor<4x8xf32> to tensor<2x8xf32>
  func.return %x, %c, %r, %a, %s : tensor<4x8xf32>, tensor<2xf32>, tensor<32xf32>, tensor<4x8xf32>, tensor<2x8xf32>
}

// What a view cannot show is copied: joined dimensions with gaps, a strided innermost dimension.
// CHECK-LABEL: func.func @readable(%x: tensor<4x10xf32>) -> (tensor<32xf32>, tensor<4x8xf32>) {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<32xf32>
// CHECK-NEXT:      %1 = tensor.empty() : tensor<4x8xf32>
// CHECK-NEXT:      %s = tensor.extract_slice %x[0, 1] [4, 8] [1, 1] : tensor<4x10xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %2 = tensor.empty() : tensor<4x8xf32>
// CHECK-NEXT:      %3 = linalg.copy ins(%s : tensor<4x8xf32>) outs(%2 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %c = tensor.collapse_shape %3 [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
// CHECK-NEXT:      %a = func.call @h(%c, %0) : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
// CHECK-NEXT:      %y = tensor.expand_shape %x [[0], [1, 2]] output_shape [4, 5, 2] : tensor<4x10xf32> into tensor<4x5x2xf32>
// CHECK-NEXT:      %t = tensor.extract_slice %y[0, 0, 1] [4, 4, 1] [1, 1, 1] : tensor<4x5x2xf32> to tensor<4x4xf32>
// CHECK-NEXT:      %4 = tensor.extract_slice %1[0, 4] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
// CHECK-NEXT:      %5 = tensor.empty() : tensor<4x4xf32>
// CHECK-NEXT:      %6 = linalg.copy ins(%t : tensor<4x4xf32>) outs(%5 : tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %b = func.call @k(%6, %4) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %7 = tensor.extract_slice %1[0, 0] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
// CHECK-NEXT:      %8 = linalg.copy ins(%b : tensor<4x4xf32>) outs(%7 : tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %9 = tensor.insert_slice %8 into %1[0, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
// CHECK-NEXT:      %10 = tensor.insert_slice %b into %9[0, 4] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
// CHECK-NEXT:      func.return %a, %10 : tensor<32xf32>, tensor<4x8xf32>
// CHECK-NEXT:    }
func.func @readable(%x: tensor<4x10xf32>) -> (tensor<32xf32>, tensor<4x8xf32>) {
  %s = tensor.extract_slice %x[0, 1] [4, 8] [1, 1] : tensor<4x10xf32> to tensor<4x8xf32>
  %c = tensor.collapse_shape %s [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
  %e = tensor.empty() : tensor<32xf32>
  %a = func.call @h(%c, %e) : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
  %y = tensor.expand_shape %x [[0], [1, 2]] output_shape [4, 5, 2] : tensor<4x10xf32> into tensor<4x5x2xf32>
  %t = tensor.extract_slice %y[0, 0, 1] [4, 4, 1] [1, 1, 1] : tensor<4x5x2xf32> to tensor<4x4xf32>
  %d = tensor.empty() : tensor<4x4xf32>
  %b = func.call @k(%t, %d) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %o = tensor.empty() : tensor<4x8xf32>
  %1 = tensor.insert_slice %b into %o[0, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
  %2 = tensor.insert_slice %b into %1[0, 4] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
  func.return %a, %2 : tensor<32xf32>, tensor<4x8xf32>
}

func.func private @f(tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
func.func private @g(tensor<1x8x8xf32>, tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
func.func private @h(tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
func.func private @k(tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
