// RUN: mlopt %s --nn-decompose --validate-each | filecheck %s

// An `nn.if` is one `scf.if` on the element of its condition.
// CHECK-LABEL: func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %extracted = tensor.extract %c[] : tensor<i1>
// CHECK-NEXT:    %y = scf.if %extracted -> (tensor<4xf32>) {
// CHECK-NEXT:      %a = nn.exp %x : tensor<4xf32>
// CHECK-NEXT:      scf.yield %a : tensor<4xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %x : tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %y : tensor<4xf32>
// CHECK-NEXT:  }
func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.if %c : tensor<i1> -> tensor<4xf32> {
    %a = nn.exp %x : tensor<4xf32>
    nn.yield %a : tensor<4xf32>
  } else {
    nn.yield %x : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// Known steps: `scf.for`. What is scanned is read by slices, what is stacked is written by slices; what does not change stands before it.
// CHECK-LABEL: func.func @scan(%x: tensor<5x4xf32>, %h0: tensor<4xf32>, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<4x5xf32>) {
// CHECK-NEXT:    %e = nn.exp %b : tensor<4xf32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c5 = arith.constant 5 : index
// CHECK-NEXT:    %0 = tensor.empty() : tensor<4x5xf32>
// CHECK-NEXT:    %h:2 = scf.for %arg0 = %c0 to %c5 step %c1 iter_args(%h1 = %h0, %arg1 = %0) -> (tensor<4xf32>, tensor<4x5xf32>) {
// CHECK-NEXT:      %c4 = arith.constant 4 : index
// CHECK-NEXT:      %1 = arith.subi %c4, %arg0 : index
// CHECK-NEXT:      %row = tensor.extract_slice %x[%1, 0] [1, 4] [1, 1] : tensor<5x4xf32> to tensor<4xf32>
// CHECK-NEXT:      %h2 = nn.add %h1, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %p = nn.mul %h2, %e : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:      %inserted_slice = tensor.insert_slice %p into %arg1[0, %arg0] [4, 1] [1, 1] : tensor<4xf32> into tensor<4x5xf32>
// CHECK-NEXT:      scf.yield %h2, %inserted_slice : tensor<4xf32>, tensor<4x5xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %h#0, %h#1 : tensor<4xf32>, tensor<4x5xf32>
// CHECK-NEXT:  }
func.func @scan(%x: tensor<5x4xf32>, %h0: tensor<4xf32>, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<4x5xf32>) {
  %h, %s = nn.loop trips = 5 carry(%h0) scan(%x [0] reversed) stack([1]) : tensor<4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<4x5xf32>) {
  ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>, %row: tensor<4xf32>):
    %e = nn.exp %b : tensor<4xf32>
    %h2 = nn.add %h1, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    %p = nn.mul %h2, %e : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    nn.yield %h2, %p : tensor<4xf32>, tensor<4xf32>
  }
  func.return %h, %s : tensor<4xf32>, tensor<4x5xf32>
}

// A count and a condition: `scf.while`, which decides on numbers and computes in its second region.
// CHECK-LABEL: func.func @while(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> attributes {validate_shapes = {{\[\[}}], [], [4]]} {
// CHECK-NEXT:    %ten = nn.constant dense<1.000000e+01> : tensor<f32>
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %extracted = tensor.extract %n[] : tensor<i64>
// CHECK-NEXT:    %0 = arith.index_cast %extracted : i64 to index
// CHECK-NEXT:    %extracted_0 = tensor.extract %c[] : tensor<i1>
// CHECK-NEXT:    %1:2 = scf.while (%arg0 = %c0, %arg1 = %extracted_0, %arg2 = %x) : (index, i1, tensor<4xf32>) -> (index, tensor<4xf32>) {
// CHECK-NEXT:      %2 = arith.cmpi slt, %arg0, %0 : index
// CHECK-NEXT:      %3 = arith.andi %2, %arg1 : i1
// CHECK-NEXT:      scf.condition(%3) %arg0, %arg2 : index, tensor<4xf32>
// CHECK-NEXT:    } do {
// CHECK-NEXT:    ^bb0(%arg0: index, %h: tensor<4xf32>):
// CHECK-NEXT:      %2 = tensor.empty() : tensor<i64>
// CHECK-NEXT:      %3 = arith.index_cast %arg0 : index to i64
// CHECK-NEXT:      %i = tensor.insert %3 into %2[] : tensor<i64>
// CHECK-NEXT:      %f = nn.cast %i : tensor<i64> -> tensor<f32>
// CHECK-NEXT:      %s = nn.add %h, %f : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:      %m = nn.reduce_max %s : tensor<4xf32> -> tensor<f32>
// CHECK-NEXT:      %go = nn.lt %m, %ten : tensor<f32>, tensor<f32> -> tensor<i1>
// CHECK-NEXT:      %extracted_1 = tensor.extract %go[] : tensor<i1>
// CHECK-NEXT:      %4 = arith.addi %arg0, %c1 : index
// CHECK-NEXT:      scf.yield %4, %extracted_1, %s : index, i1, tensor<4xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %1#1 : tensor<4xf32>
// CHECK-NEXT:  }
func.func @while(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> attributes {validate_shapes = [[], [], [4]]} {
  %ten = nn.constant dense<10.0> : tensor<f32>
  %y = nn.loop count(%n) while(%c) carry(%x) : tensor<i64>, tensor<i1>, tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<4xf32>):
    %f = nn.cast %i : tensor<i64> -> tensor<f32>
    %s = nn.add %h, %f : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
    %m = nn.reduce_max %s : tensor<4xf32> -> tensor<f32>
    %go = nn.lt %m, %ten : tensor<f32>, tensor<f32> -> tensor<i1>
    nn.yield %go, %s : tensor<i1>, tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}
