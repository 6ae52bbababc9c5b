// RUN: mlopt %s --plan-views | filecheck %s

// The branches write into the place of their result: here a part of a concatenation. What a branch passes on as it is, is copied there.
// CHECK-LABEL: func.func @branches(%c: i1, %x: tensor<4xf32>) -> tensor<8xf32> {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<8xf32>
// CHECK-NEXT:    %extracted_slice = tensor.extract_slice %0[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:    %y = scf.if %c -> (tensor<4xf32>) {
// CHECK-NEXT:      %a = func.call @unary(%x, %extracted_slice) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      scf.yield %a : tensor<4xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %1 = linalg.copy ins(%x : tensor<4xf32>) outs(%extracted_slice : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      scf.yield %1 : tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %extracted_slice_0 = tensor.extract_slice %0[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK-NEXT:    %z = call @unary(%x, %extracted_slice_0) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %inserted_slice = tensor.insert_slice %y into %0[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
// CHECK-NEXT:    %inserted_slice_1 = tensor.insert_slice %z into %inserted_slice[4] [4] [1] : tensor<4xf32> into tensor<8xf32>
// CHECK-NEXT:    return %inserted_slice_1 : tensor<8xf32>
// CHECK-NEXT:  }
func.func @branches(%c: i1, %x: tensor<4xf32>) -> tensor<8xf32> {
  %y = scf.if %c -> (tensor<4xf32>) {
    %d = tensor.empty() : tensor<4xf32>
    %a = func.call @unary(%x, %d) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %a : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  %e0 = tensor.empty() : tensor<4xf32>
  %z = func.call @unary(%x, %e0) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %e = tensor.empty() : tensor<8xf32>
  %0 = tensor.insert_slice %y into %e[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %1 = tensor.insert_slice %z into %0[4] [4] [1] : tensor<4xf32> into tensor<8xf32>
  func.return %1 : tensor<8xf32>
}

// A branch that keeps what is carried moves nothing; the other one overwrites it when it has read it.
// CHECK-LABEL: func.func @kept(%n: index, %x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %1 = linalg.copy ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %1) -> (tensor<4xf32>) {
// CHECK-NEXT:      %c = arith.cmpi slt, %i, %c1 : index
// CHECK-NEXT:      %next = scf.if %c -> (tensor<4xf32>) {
// CHECK-NEXT:        %d = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:        %a = func.call @unary(%h, %d) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:        %b = func.call @unary(%a, %h) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:        scf.yield %b : tensor<4xf32>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %h : tensor<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield %next : tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func @kept(%n: index, %x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> (tensor<4xf32>) {
    %c = arith.cmpi slt, %i, %c1 : index
    %next = scf.if %c -> (tensor<4xf32>) {
      %d = tensor.empty() : tensor<4xf32>
      %a = func.call @unary(%h, %d) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %b = func.call @unary(%a, %d) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      scf.yield %b : tensor<4xf32>
    } else {
      scf.yield %h : tensor<4xf32>
    }
    scf.yield %next : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// What a `scf.while` carries stands in one place; a number becomes a tensor in a place of its own.
// CHECK-LABEL: func.func @while(%n: index, %x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4xf32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %1 = linalg.copy ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %y:2 = scf.while (%i = %c0, %h = %1) : (index, tensor<4xf32>) -> (index, tensor<4xf32>) {
// CHECK-NEXT:      %c = arith.cmpi slt, %i, %n : index
// CHECK-NEXT:      scf.condition(%c) %i, %h : index, tensor<4xf32>
// CHECK-NEXT:    } do {
// CHECK-NEXT:    ^bb0(%i: index, %h: tensor<4xf32>):
// CHECK-NEXT:      %2 = tensor.empty() : tensor<index>
// CHECK-NEXT:      %t = tensor.insert %i into %2[] : tensor<index>
// CHECK-NEXT:      %a = func.call @numbered(%t, %h) : (tensor<index>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %j = arith.addi %i, %c1 : index
// CHECK-NEXT:      scf.yield %j, %a : index, tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %y#1 : tensor<4xf32>
// CHECK-NEXT:  }
func.func @while(%n: index, %x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y:2 = scf.while (%i = %c0, %h = %x) : (index, tensor<4xf32>) -> (index, tensor<4xf32>) {
    %c = arith.cmpi slt, %i, %n : index
    scf.condition(%c) %i, %h : index, tensor<4xf32>
  } do {
  ^bb0(%i: index, %h: tensor<4xf32>):
    %e = tensor.empty() : tensor<index>
    %t = tensor.insert %i into %e[] : tensor<index>
    %d = tensor.empty() : tensor<4xf32>
    %a = func.call @numbered(%t, %d) : (tensor<index>, tensor<4xf32>) -> tensor<4xf32>
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %a : index, tensor<4xf32>
  }
  func.return %y#1 : tensor<4xf32>
}
func.func private @unary(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func private @numbered(tensor<index>, tensor<4xf32>) -> tensor<4xf32>

// A step reads what the step before has written: `t` and `t + 1` are different parts, and nothing is copied.
// CHECK-LABEL: func.func @state_in_a_stack(%x: tensor<5x4xf32>, %h0: tensor<4xf32>) -> tensor<6x4xf32> {
// CHECK-NEXT:    %0 = tensor.empty() : tensor<6x4xf32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c5 = arith.constant 5 : index
// CHECK-NEXT:    %extracted_slice = tensor.extract_slice %0[0, 0] [1, 4] [1, 1] : tensor<6x4xf32> to tensor<4xf32>
// CHECK-NEXT:    %1 = linalg.copy ins(%h0 : tensor<4xf32>) outs(%extracted_slice : tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %s = tensor.insert_slice %1 into %0[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<6x4xf32>
// CHECK-NEXT:    %y = scf.for %t = %c0 to %c5 step %c1 iter_args(%yi = %s) -> (tensor<6x4xf32>) {
// CHECK-NEXT:      %next = arith.addi %t, %c1 : index
// CHECK-NEXT:      %h = tensor.extract_slice %yi[%t, 0] [1, 4] [1, 1] : tensor<6x4xf32> to tensor<4xf32>
// CHECK-NEXT:      %extracted_slice_0 = tensor.extract_slice %yi[%next, 0] [1, 4] [1, 1] : tensor<6x4xf32> to tensor<4xf32>
// CHECK-NEXT:      %n = func.call @unary(%h, %extracted_slice_0) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:      %yn = tensor.insert_slice %n into %yi[%next, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<6x4xf32>
// CHECK-NEXT:      scf.yield %yn : tensor<6x4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %y : tensor<6x4xf32>
// CHECK-NEXT:  }
func.func @state_in_a_stack(%x: tensor<5x4xf32>, %h0: tensor<4xf32>) -> tensor<6x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %e = tensor.empty() : tensor<6x4xf32>
  %s = tensor.insert_slice %h0 into %e[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<6x4xf32>
  %y = scf.for %t = %c0 to %c5 step %c1 iter_args(%yi = %s) -> (tensor<6x4xf32>) {
    %next = arith.addi %t, %c1 : index
    %h = tensor.extract_slice %yi[%t, 0] [1, 4] [1, 1] : tensor<6x4xf32> to tensor<4xf32>
    %d = tensor.empty() : tensor<4xf32>
    %n = func.call @unary(%h, %d) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %yn = tensor.insert_slice %n into %yi[%next, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<6x4xf32>
    scf.yield %yn : tensor<6x4xf32>
  }
  func.return %y : tensor<6x4xf32>
}
