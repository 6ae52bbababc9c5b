// RUN: mlopt %s --canonicalize --allow-unregistered-dialect | filecheck %s

// CHECK-LABEL: func.func @casts
// CHECK-NEXT: return %{{.*}} : tensor<4x?xf32>
func.func @casts(%t: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %a = tensor.cast %t : tensor<4x?xf32> to tensor<?x?xf32>
  %b = tensor.cast %a : tensor<?x?xf32> to tensor<4x?xf32>
  func.return %b : tensor<4x?xf32>
}

// What the type between claims, neither end knows.
// CHECK-LABEL: func.func @casts_that_check
// CHECK: tensor.cast %{{.*}} : tensor<?x?xf32> to tensor<4x?xf32>
// CHECK: tensor.cast %{{.*}} : tensor<4x?xf32> to tensor<?x8xf32>
func.func @casts_that_check(%t: tensor<?x?xf32>) -> tensor<?x8xf32> {
  %a = tensor.cast %t : tensor<?x?xf32> to tensor<4x?xf32>
  %b = tensor.cast %a : tensor<4x?xf32> to tensor<?x8xf32>
  func.return %b : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @dims
// CHECK-SAME: (%{{.*}}: tensor<?x?xf32>, %[[N:.*]]: index)
// CHECK: %[[C:.*]] = arith.constant 4 : index
// CHECK: return %[[C]], %[[N]], %[[N]] : index, index, index
func.func @dims(%t: tensor<?x?xf32>, %n: index) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %s = tensor.extract_slice %t[0, 0] [4, %n] [1, 1] : tensor<?x?xf32> to tensor<4x?xf32>
  %a = tensor.dim %s, %c0 : tensor<4x?xf32>
  %b = tensor.dim %s, %c1 : tensor<4x?xf32>
  %e = tensor.empty(%n) : tensor<8x?xf32>
  %d = tensor.dim %e, %c1 : tensor<8x?xf32>
  func.return %a, %b, %d : index, index, index
}

// An index that is no dimension is left alone: what it gives is undefined, but it must not crash.
// CHECK-LABEL: func.func @no_dim
// CHECK: tensor.dim
func.func @no_dim(%t: tensor<4xf32>) -> index {
  %c = arith.constant 7 : index
  %d = tensor.dim %t, %c : tensor<4xf32>
  func.return %d : index
}

// CHECK-LABEL: func.func @constants
// CHECK-DAG: %[[A:.*]] = arith.constant -3 : i8
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[1.000000e+00, -0.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[C:.*]] = arith.constant dense<7> : tensor<2x2xi16>
// CHECK: return %[[A]], %[[B]], %[[C]]
func.func @constants() -> (i8, tensor<2xf32>, tensor<2x2xi16>) {
  %c1 = arith.constant 1 : index
  %t = arith.constant dense<[[1, -2], [2, -3]]> : tensor<2x2xi8>
  %a = tensor.extract %t[%c1, %c1] : tensor<2x2xi8>
  %one = arith.constant 1.0 : f32
  %zero = arith.constant -0.0 : f32
  %b = tensor.from_elements %one, %zero : tensor<2xf32>
  %seven = arith.constant 7 : i16
  %c = tensor.splat %seven : tensor<2x2xi16>
  func.return %a, %b, %c : i8, tensor<2xf32>, tensor<2x2xi16>
}

// 0.0 and -0.0 are equal, but not the same.
// CHECK-LABEL: func.func @zeros
// CHECK: tensor.insert
func.func @zeros(%i: index) -> tensor<4xf32> {
  %t = arith.constant dense<0.0> : tensor<4xf32>
  %z = arith.constant -0.0 : f32
  %r = tensor.insert %z into %t[%i] : tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @slices
// CHECK: %[[S:.*]] = tensor.extract_slice %{{.*}}[0, 2] [4, %{{.*}}] [1, 1] : tensor<?x?xf32> to tensor<4x?xf32>
// CHECK: %[[R:.*]] = tensor.insert_slice %[[S]] into %{{.*}}[1, 0] [4, %{{.*}}] [1, 1] : tensor<4x?xf32> into tensor<?x?xf32>
// CHECK: return %[[R]]
func.func @slices(%t: tensor<?x?xf32>, %u: tensor<?x?xf32>, %n: index) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %s = tensor.extract_slice %t[%c0, %c2] [%c4, %n] [%c1, %c1] : tensor<?x?xf32> to tensor<?x?xf32>
  %r = tensor.insert_slice %s into %u[%c1, %c0] [%c4, %n] [1, 1] : tensor<?x?xf32> into tensor<?x?xf32>
  func.return %r : tensor<?x?xf32>
}

// A slice that runs out of bounds stays dynamic.
// CHECK-LABEL: func.func @too_long
// CHECK: tensor.extract_slice %{{.*}}[0] [%{{.*}}] [1] : tensor<4xf32> to tensor<?xf32>
func.func @too_long(%t: tensor<4xf32>) -> tensor<?xf32> {
  %c9 = arith.constant 9 : index
  %s = tensor.extract_slice %t[0] [%c9] [1] : tensor<4xf32> to tensor<?xf32>
  func.return %s : tensor<?xf32>
}

// CHECK-LABEL: func.func @there_and_back
// CHECK-SAME: (%[[T:.*]]: tensor<8xf32>, %[[S:.*]]: tensor<4xf32>)
// CHECK-NEXT: return %[[T]], %[[S]]
func.func @there_and_back(%t: tensor<8xf32>, %s: tensor<4xf32>) -> (tensor<8xf32>, tensor<4xf32>) {
  %a = tensor.extract_slice %t[2] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %b = tensor.insert_slice %a into %t[2] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %c = tensor.insert_slice %s into %t[2] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %d = tensor.extract_slice %c[2] [4] [1] : tensor<8xf32> to tensor<4xf32>
  func.return %b, %d : tensor<8xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @reshapes
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1, 2], [3]] : tensor<2x3x4x5xf32> into tensor<24x5xf32>
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2]] output_shape [2, 12, 5] : tensor<24x5xf32> into tensor<2x12x5xf32>
func.func @reshapes(%t: tensor<2x3x4x5xf32>, %u: tensor<24x5xf32>) -> (tensor<24x5xf32>, tensor<2x12x5xf32>) {
  %a = tensor.collapse_shape %t [[0, 1], [2], [3]] : tensor<2x3x4x5xf32> into tensor<6x4x5xf32>
  %b = tensor.collapse_shape %a [[0, 1], [2]] : tensor<6x4x5xf32> into tensor<24x5xf32>
  %c = tensor.expand_shape %u [[0, 1, 2], [3]] output_shape [2, 3, 4, 5] : tensor<24x5xf32> into tensor<2x3x4x5xf32>
  %d = tensor.collapse_shape %c [[0], [1, 2], [3]] : tensor<2x3x4x5xf32> into tensor<2x12x5xf32>
  func.return %b, %d : tensor<24x5xf32>, tensor<2x12x5xf32>
}

// 4x? and ?x4 may be split differently.
// CHECK-LABEL: func.func @in_doubt
// CHECK: tensor.collapse_shape
// CHECK: tensor.expand_shape
func.func @in_doubt(%t: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?x?xf32> {
  %a = tensor.collapse_shape %t [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  %b = tensor.expand_shape %a [[0, 1]] output_shape [%n, %m] : tensor<?xf32> into tensor<?x?xf32>
  func.return %b : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @pads
// CHECK-NEXT: %[[P:.*]] = tensor.pad %{{.*}} low[3] high[1] {
// CHECK: tensor.yield %{{.*}} : f32
// CHECK: } : tensor<4xf32> to tensor<8xf32>
// CHECK-NEXT: return %[[P]]
func.func @pads(%t: tensor<4xf32>, %z: f32) -> tensor<8xf32> {
  %a = tensor.pad %t low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %z : f32
  } : tensor<4xf32> to tensor<6xf32>
  %b = tensor.pad %a low[2] high[0] {
  ^bb0(%i: index):
    tensor.yield %z : f32
  } : tensor<6xf32> to tensor<8xf32>
  func.return %b : tensor<8xf32>
}

// CHECK-LABEL: func.func @generated
// CHECK: %[[R:.*]] = arith.muli %{{.*}}, %{{.*}} : index
// CHECK-NEXT: return %[[R]]
func.func @generated(%n: index, %i: index) -> index {
  %t = tensor.generate %n {
  ^bb0(%j: index):
    %s = arith.muli %j, %n : index
    tensor.yield %s : index
  } : tensor<?xindex>
  %r = tensor.extract %t[%i] : tensor<?xindex>
  func.return %r : index
}

// CHECK-LABEL: func.func @concat
// CHECK: tensor.concat dim(0) %{{.*}}, %{{.*}} : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<5x4xf32>
// CHECK: tensor.cast %{{.*}} : tensor<5x4xf32> to tensor<?x?xf32>
func.func @concat(%a: tensor<2x4xf32>, %b: tensor<3x?xf32>) -> tensor<?x?xf32> {
  %r = tensor.concat dim(0) %a, %b : (tensor<2x4xf32>, tensor<3x?xf32>) -> tensor<?x?xf32>
  func.return %r : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @shape_given
// CHECK-SAME: (%[[T:.*]]: tensor<?x?xf32>
// CHECK: return %[[T]]
func.func @shape_given(%t: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %t, %c0 : tensor<?x?xf32>
  %n = tensor.dim %t, %c1 : tensor<?x?xf32>
  %s = tensor.from_elements %m, %n : tensor<2xindex>
  %r = tensor.reshape %t(%s) : (tensor<?x?xf32>, tensor<2xindex>) -> tensor<?x?xf32>
  func.return %r : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @complex
// CHECK: %[[C:.*]] = complex.constant [1.500000e+00 : f32, -2.000000e+00 : f32] : complex<f32>
// CHECK: return %[[C]]
func.func @complex() -> complex<f32> {
  %t = arith.constant dense<(1.5, -2.0)> : tensor<complex<f32>>
  %e = tensor.extract %t[] : tensor<complex<f32>>
  func.return %e : complex<f32>
}
