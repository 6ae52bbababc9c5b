// RUN: mlopt %s --plan-views | filecheck %s

// The step's state is carried in place: what a call still reads is written elsewhere and copied at the end of the step; the row of the
// sequence is computed in its row.
// CHECK-LABEL: func.func @recurrent(%x: tensor<5x8xf32>, %h0: tensor<8xf32>) -> (tensor<5x8xf32>, tensor<8xf32>) {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:      %1 = tensor.empty() : tensor<5x8xf32>
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %c5 = arith.constant 5 : index
// CHECK-NEXT:      %2 = linalg.copy ins(%h0 : tensor<8xf32>) outs(%0 : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:      %y:2 = scf.for %t = %c0 to %c5 step %c1 iter_args(%yi = %1, %hi = %2) -> (tensor<5x8xf32>, tensor<8xf32>) {
// CHECK-NEXT:        %xt = tensor.extract_slice %x[%t, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<8xf32>
// CHECK-NEXT:        %extracted_slice = tensor.extract_slice %yi[%t, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<8xf32>
// CHECK-NEXT:        %hn = func.call @cell(%xt, %hi, %extracted_slice) : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        %yn = tensor.insert_slice %hn into %yi[%t, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<5x8xf32>
// CHECK-NEXT:        %3 = linalg.copy ins(%hn : tensor<8xf32>) outs(%hi : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        scf.yield %yn, %3 : tensor<5x8xf32>, tensor<8xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %y#0, %y#1 : tensor<5x8xf32>, tensor<8xf32>
// CHECK-NEXT:    }
func.func @recurrent(%x: tensor<5x8xf32>, %h0: tensor<8xf32>) -> (tensor<5x8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %e = tensor.empty() : tensor<5x8xf32>
  %y, %h = scf.for %t = %c0 to %c5 step %c1 iter_args(%yi = %e, %hi = %h0) -> (tensor<5x8xf32>, tensor<8xf32>) {
    %xt = tensor.extract_slice %x[%t, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<8xf32>
    %d = tensor.empty() : tensor<8xf32>
    %hn = func.call @cell(%xt, %hi, %d) : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %yn = tensor.insert_slice %hn into %yi[%t, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<5x8xf32>
    scf.yield %yn, %hn : tensor<5x8xf32>, tensor<8xf32>
  }
  func.return %y, %h : tensor<5x8xf32>, tensor<8xf32>
}

// A carried value that nobody reads any more is overwritten at once.
// CHECK-LABEL: func.func @overwritten(%x: tensor<8xf32>) -> tensor<8xf32> {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %c5 = arith.constant 5 : index
// CHECK-NEXT:      %1 = linalg.copy ins(%x : tensor<8xf32>) outs(%0 : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:      %h = scf.for %t = %c0 to %c5 step %c1 iter_args(%hi = %1) -> (tensor<8xf32>) {
// CHECK-NEXT:        %d = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:        %a = func.call @unary(%hi, %d) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        %b = func.call @unary(%a, %hi) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        scf.yield %b : tensor<8xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %h : tensor<8xf32>
// CHECK-NEXT:    }
func.func @overwritten(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %h = scf.for %t = %c0 to %c5 step %c1 iter_args(%hi = %x) -> (tensor<8xf32>) {
    %d = tensor.empty() : tensor<8xf32>
    %a = func.call @unary(%hi, %d) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %b = func.call @unary(%a, %d) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    scf.yield %b : tensor<8xf32>
  }
  func.return %h : tensor<8xf32>
}

// Two values that change places are saved before either is overwritten.
// CHECK-LABEL: func.func @swap(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
// CHECK-NEXT:      %0 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:      %1 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %c5 = arith.constant 5 : index
// CHECK-NEXT:      %2 = linalg.copy ins(%x : tensor<8xf32>) outs(%1 : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:      %3 = linalg.copy ins(%y : tensor<8xf32>) outs(%0 : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:      %a:2 = scf.for %t = %c0 to %c5 step %c1 iter_args(%p = %2, %q = %3) -> (tensor<8xf32>, tensor<8xf32>) {
// CHECK-NEXT:        %4 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:        %5 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:        %6 = linalg.copy ins(%q : tensor<8xf32>) outs(%5 : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        %7 = linalg.copy ins(%p : tensor<8xf32>) outs(%4 : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        %8 = linalg.copy ins(%6 : tensor<8xf32>) outs(%p : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        %9 = linalg.copy ins(%7 : tensor<8xf32>) outs(%q : tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:        scf.yield %8, %9 : tensor<8xf32>, tensor<8xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      return %a#0, %a#1 : tensor<8xf32>, tensor<8xf32>
// CHECK-NEXT:    }
func.func @swap(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %a, %b = scf.for %t = %c0 to %c5 step %c1 iter_args(%p = %x, %q = %y) -> (tensor<8xf32>, tensor<8xf32>) {
    scf.yield %q, %p : tensor<8xf32>, tensor<8xf32>
  }
  func.return %a, %b : tensor<8xf32>, tensor<8xf32>
}

func.func private @cell(tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
func.func private @unary(tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
