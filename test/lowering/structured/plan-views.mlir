// RUN: mlopt %s --plan-views | filecheck %s

// Each part of a concatenation is computed in its slice; an argument is copied into it.
// CHECK-LABEL: func.func @concat(%x: tensor<4x8xf32>) -> tensor<12x8xf32> {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<12x8xf32>
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %0[0, 0] [4, 8] [1, 1] : tensor<12x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %a = call @f(%x, %extracted_slice) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %0[4, 0] [4, 8] [1, 1] : tensor<12x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %b = call @f(%a, %extracted_slice_0) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %a into %0[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
// CHECK-NEXT:      %inserted_slice_1 = tensor.insert_slice %b into %inserted_slice[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
// CHECK-NEXT:      %extracted_slice_2 = tensor.extract_slice %inserted_slice_1[8, 0] [4, 8] [1, 1] : tensor<12x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %1 = linalg.copy ins(%x : tensor<4x8xf32>) outs(%extracted_slice_2 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %inserted_slice_3 = tensor.insert_slice %1 into %inserted_slice_1[8, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<12x8xf32>
// CHECK-NEXT:      return %inserted_slice_3 : tensor<12x8xf32>
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
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %collapsed = tensor.collapse_shape %extracted_slice {{\[\[}}0, 1], [2]] : tensor<1x8x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %collapsed[0, 0] [4, 8] [1, 1] : tensor<8x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %a = call @f(%x, %extracted_slice_0) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %extracted_slice_1 = tensor.extract_slice %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %collapsed_2 = tensor.collapse_shape %extracted_slice_1 {{\[\[}}0, 1], [2]] : tensor<1x8x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %extracted_slice_3 = tensor.extract_slice %collapsed_2[4, 0] [4, 8] [1, 1] : tensor<8x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %b = call @f(%a, %extracted_slice_3) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %extracted_slice_4 = tensor.extract_slice %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %collapsed_5 = tensor.collapse_shape %extracted_slice_4 {{\[\[}}0, 1], [2]] : tensor<1x8x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %a into %collapsed_5[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %inserted_slice_6 = tensor.insert_slice %b into %inserted_slice[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
// CHECK-NEXT:      %r = tensor.expand_shape %inserted_slice_6 {{\[\[}}0, 1], [2]] output_shape [1, 8, 8] : tensor<8x8xf32> into tensor<1x8x8xf32>
// CHECK-NEXT:      %extracted_slice_7 = tensor.extract_slice %0[0, 0, 8] [1, 8, 8] [1, 1, 1] : tensor<1x8x16xf32> to tensor<1x8x8xf32>
// CHECK-NEXT:      %c = call @g(%r, %extracted_slice_7) : (tensor<1x8x8xf32>, tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
// CHECK-NEXT:      %inserted_slice_8 = tensor.insert_slice %r into %0[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<1x8x16xf32>
// CHECK-NEXT:      %inserted_slice_9 = tensor.insert_slice %c into %inserted_slice_8[0, 0, 8] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<1x8x16xf32>
// CHECK-NEXT:      return %inserted_slice_9 : tensor<1x8x16xf32>
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
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %1[1, 0] [4, 8] [1, 1] : tensor<5x8xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %a = call @f(%x, %extracted_slice) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %0[4, 0] [1, 10] [1, 1] : tensor<5x10xf32> to tensor<1x10xf32>
// CHECK-NEXT:      %2 = linalg.fill ins(%zero : f32) outs(%extracted_slice_0 : tensor<1x10xf32>) -> tensor<1x10xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %2 into %0[4, 0] [1, 10] [1, 1] : tensor<1x10xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %extracted_slice_1 = tensor.extract_slice %inserted_slice[0, 0] [4, 1] [1, 1] : tensor<5x10xf32> to tensor<4x1xf32>
// CHECK-NEXT:      %3 = linalg.fill ins(%zero : f32) outs(%extracted_slice_1 : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      %inserted_slice_2 = tensor.insert_slice %3 into %inserted_slice[0, 0] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %extracted_slice_3 = tensor.extract_slice %inserted_slice_2[0, 9] [4, 1] [1, 1] : tensor<5x10xf32> to tensor<4x1xf32>
// CHECK-NEXT:      %4 = linalg.fill ins(%zero : f32) outs(%extracted_slice_3 : tensor<4x1xf32>) -> tensor<4x1xf32>
// CHECK-NEXT:      %inserted_slice_4 = tensor.insert_slice %4 into %inserted_slice_2[0, 9] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %extracted_slice_5 = tensor.extract_slice %inserted_slice_4[0, 1] [4, 8] [1, 1] : tensor<5x10xf32> to tensor<4x8xf32>
// CHECK-NEXT:      %5 = linalg.copy ins(%a : tensor<4x8xf32>) outs(%extracted_slice_5 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %p = tensor.insert_slice %5 into %inserted_slice_4[0, 1] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<5x10xf32>
// CHECK-NEXT:      %extracted_slice_6 = tensor.extract_slice %1[0, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<1x8xf32>
// CHECK-NEXT:      %6 = linalg.fill ins(%zero : f32) outs(%extracted_slice_6 : tensor<1x8xf32>) -> tensor<1x8xf32>
// CHECK-NEXT:      %inserted_slice_7 = tensor.insert_slice %6 into %1[0, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<5x8xf32>
// CHECK-NEXT:      %q = tensor.insert_slice %a into %inserted_slice_7[1, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<5x8xf32>
// CHECK-NEXT:      return %p, %q : tensor<5x10xf32>, tensor<5x8xf32>
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
// CHECK-NEXT:      %expanded = tensor.expand_shape %0 {{\[\[}}0, 1]] output_shape [4, 8] : tensor<32xf32> into tensor<4x8xf32>
// CHECK-NEXT:      %a = call @f(%x, %expanded) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %r = tensor.collapse_shape %a [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
// CHECK-NEXT:      %s = tensor.extract_slice %a[1, 0] [2, 8] [1, 1] : tensor<4x8xf32> to tensor<2x8xf32>
// CHECK-NEXT:      %5 = linalg.copy ins(%x : tensor<4x8xf32>) outs(%4 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %6 = linalg.copy ins(%c : tensor<2xf32>) outs(%3 : tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT:      %7 = linalg.copy ins(%a : tensor<4x8xf32>) outs(%2 : tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT:      %8 = linalg.copy ins(%s : tensor<2x8xf32>) outs(%1 : tensor<2x8xf32>) -> tensor<2x8xf32>
// CHECK-NEXT:      return %5, %6, %r, %7, %8 : tensor<4x8xf32>, tensor<2xf32>, tensor<32xf32>, tensor<4x8xf32>, tensor<2x8xf32>
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
// CHECK-NEXT:      %a = call @h(%c, %0) : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
// CHECK-NEXT:      %y = tensor.expand_shape %x [[0], [1, 2]] output_shape [4, 5, 2] : tensor<4x10xf32> into tensor<4x5x2xf32>
// CHECK-NEXT:      %t = tensor.extract_slice %y[0, 0, 1] [4, 4, 1] [1, 1, 1] : tensor<4x5x2xf32> to tensor<4x4xf32>
// CHECK-NEXT:      %extracted_slice = tensor.extract_slice %1[0, 4] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
// CHECK-NEXT:      %4 = tensor.empty() : tensor<4x4xf32>
// CHECK-NEXT:      %5 = linalg.copy ins(%t : tensor<4x4xf32>) outs(%4 : tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %b = call @k(%5, %extracted_slice) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %1[0, 0] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
// CHECK-NEXT:      %6 = linalg.copy ins(%b : tensor<4x4xf32>) outs(%extracted_slice_0 : tensor<4x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %6 into %1[0, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
// CHECK-NEXT:      %inserted_slice_1 = tensor.insert_slice %b into %inserted_slice[0, 4] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
// CHECK-NEXT:      return %a, %inserted_slice_1 : tensor<32xf32>, tensor<4x8xf32>
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
