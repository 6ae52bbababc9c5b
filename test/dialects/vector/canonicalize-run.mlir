// RUN: mlopt %s --validate-each --canonicalize=test-convergence -o /dev/null

func.func @transfers(%t: tensor<4x4xf32>, %u: tensor<2x4xf32>, %a: vector<1x4xf32>, %b: vector<1x4xf32>)
    -> (vector<1x4xf32>, vector<4x1x6xf32>, tensor<4x4xf32>, tensor<2x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %f = arith.constant 0.5 : f32
  %0 = vector.transfer_write %a, %t[%c1, %c0] : vector<1x4xf32>, tensor<4x4xf32>
  %1 = vector.transfer_write %b, %0[%c2, %c0] : vector<1x4xf32>, tensor<4x4xf32>
  %2 = vector.transfer_read %1[%c1, %c0], %f : tensor<4x4xf32>, vector<1x4xf32>
  %3 = vector.transfer_read %1[%c2, %c0], %f {in_bounds = [true, true, true], permutation_map = affine_map<(d0, d1) -> (d1, d0, 0)>} : tensor<4x4xf32>, vector<4x1x6xf32>
  %4 = vector.transfer_write %b, %1[%c1, %c0] : vector<1x4xf32>, tensor<4x4xf32>
  %5 = vector.transfer_read %u[%c0, %c0], %f : tensor<2x4xf32>, vector<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %6 = vector.transfer_write %5, %e[%c0, %c0] : vector<2x4xf32>, tensor<2x4xf32>
  return %2, %3, %4, %6 : vector<1x4xf32>, vector<4x1x6xf32>, tensor<4x4xf32>, tensor<2x4xf32>
}

// A read and a write that leave their tensors: the padding is read, what is outside is not written.
func.func @outside(%t: tensor<4xf32>, %a: vector<4xf32>) -> (vector<4xf32>, tensor<4xf32>) {
  %c2 = arith.constant 2 : index
  %f = arith.constant 0.5 : f32
  %0 = vector.transfer_write %a, %t[%c2] : vector<4xf32>, tensor<4xf32>
  %1 = vector.transfer_read %0[%c2], %f : tensor<4xf32>, vector<4xf32>
  return %1, %0 : vector<4xf32>, tensor<4xf32>
}

func.func @lanes(%m: memref<8xi32>, %mask: vector<4xi1>, %p: vector<4xi32>) -> (vector<4xi32>, vector<4xi32>, vector<4xi32>) {
  %c1 = arith.constant 1 : index
  %true = vector.constant_mask [4] : vector<4xi1>
  %x = arith.constant dense<[0, 1, 2, 3]> : vector<4xi64>
  %a = vector.maskedload %m[%c1], %true, %p : memref<8xi32>, vector<4xi1>, vector<4xi32> into vector<4xi32>
  %b = vector.gather %m[%c1] [%x], %mask, %p : memref<8xi32>, vector<4xi64>, vector<4xi1>, vector<4xi32> into vector<4xi32>
  vector.scatter %m[%c1] [%x], %mask, %p : memref<8xi32>, vector<4xi64>, vector<4xi1>, vector<4xi32>
  %c = vector.load %m[%c1] : memref<8xi32>, vector<4xi32>
  return %a, %b, %c : vector<4xi32>, vector<4xi32>, vector<4xi32>
}

func.func @reductions(%a: vector<1xi32>, %b: vector<5x1xi32>, %i: i32, %acc: vector<5xi32>) -> (i32, vector<5xi32>, vector<5xi32>) {
  %0 = vector.reduction <mul>, %a, %i : vector<1xi32> into i32
  %1 = vector.multi_reduction <maxui>, %b, %acc [1] : vector<5x1xi32> to vector<5xi32>
  %2 = vector.multi_reduction <xor>, %b, %acc [1] : vector<5x1xi32> to vector<5xi32>
  return %0, %1, %2 : i32, vector<5xi32>, vector<5xi32>
}

func.func @masks(%d: index) -> (vector<3xi1>, vector<2x2xi1>, vector<3x4xi1>, vector<2xi1>, vector<4xi1>) {
  %c9 = arith.constant 9 : index
  %c2 = arith.constant 2 : index
  %m = vector.create_mask %c9, %c2 : vector<4x3xi1>
  %e = vector.extract %m[3] : vector<3xi1> from vector<4x3xi1>
  %l = vector.extract_strided_slice %m {offsets = [2, 1], sizes = [2, 2], strides = [1, 1]} : vector<4x3xi1> to vector<2x2xi1>
  %n = vector.create_mask %d, %c2 : vector<4x3xi1>
  %t = vector.transpose %n, [1, 0] : vector<4x3xi1> to vector<3x4xi1>
  %o = vector.create_mask %d : vector<4xi1>
  %s = vector.extract_strided_slice %o {offsets = [1], sizes = [2], strides = [1]} : vector<4xi1> to vector<2xi1>
  %x = vector.step : vector<4xindex>
  %four = arith.constant dense<4> : vector<4xindex>
  %y = arith.cmpi ule, %four, %x : vector<4xindex>
  return %e, %l, %t, %s, %y : vector<3xi1>, vector<2x2xi1>, vector<3x4xi1>, vector<2xi1>, vector<4xi1>
}

func.func @bits() -> (vector<2xi32>, vector<2xf32>, vector<2xi8>) {
  %a = arith.constant dense<160> : vector<8xi8>
  %b = arith.constant dense<2.0> : vector<4xf16>
  %c = vector.bitcast %a : vector<8xi8> to vector<2xi32>
  %d = vector.bitcast %b : vector<4xf16> to vector<2xf32>
  %x = arith.constant -1 : i8
  %e = vector.from_elements %x, %x : vector<2xi8>
  return %c, %d, %e : vector<2xi32>, vector<2xf32>, vector<2xi8>
}
