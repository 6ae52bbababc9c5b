// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @broadcast(%a: vector<3xf32>) {
  // expected-error @below {{cannot make shape 2x4 of 3}}
  %b = vector.broadcast %a : vector<3xf32> to vector<2x4xf32>
  func.return
}

// -----

func.func @extract(%a: vector<2x4xf32>) {
  // expected-error @below {{at index 2 of dimension 0}}
  %b = vector.extract %a[2] : vector<4xf32> from vector<2x4xf32>
  func.return
}

// -----

// Upstream lets this pass.
func.func @insert(%a: vector<2x4xf32>, %s: vector<3xf32>) {
  // expected-error @below {{moves vector<3xf32>}}
  %b = vector.insert %s, %a [0] : vector<3xf32> into vector<2x4xf32>
  func.return
}

// -----

func.func @transpose(%a: vector<2x4xf32>) {
  // expected-error @below {{vector<4x2xf32> is expected}}
  %b = vector.transpose %a, [1, 0] : vector<2x4xf32> to vector<2x4xf32>
  func.return
}

// -----

func.func @shape_cast(%a: vector<2x4xf32>) {
  // expected-error @below {{cannot make vector<9xf32>}}
  %b = vector.shape_cast %a : vector<2x4xf32> to vector<9xf32>
  func.return
}

// -----

func.func @slice(%a: vector<2x4xf32>) {
  // expected-error @below {{leaves dimension 1 of extent 4}}
  %b = vector.extract_strided_slice %a {offsets = [0, 3], sizes = [2, 2], strides = [1, 1]} : vector<2x4xf32> to vector<2x2xf32>
  func.return
}

// -----

func.func @reduce(%a: vector<2x4xf32>, %s: f32) {
  // expected-error @below {{over (0,) gives f32}}
  %b = vector.multi_reduction <add>, %a, %s [0] : vector<2x4xf32> to f32
  func.return
}

// -----

func.func @kind(%a: vector<4xf32>) {
  // expected-error @below {{cannot combine f32 by 'xor'}}
  %b = vector.reduction <xor>, %a : vector<4xf32> into f32
  func.return
}

// -----

func.func @mask(%m: memref<?x?xf32>, %i: index, %p: f32, %k: vector<4xi1>) {
  // expected-error @below {{needs a mask of shape (2, 4)}}
  %b = "vector.transfer_read"(%m, %i, %i, %p, %k) <{in_bounds = [false, false], operandSegmentSizes = array<i32: 1, 2, 1, 1>, permutation_map = affine_map<(d0, d1) -> (d0, d1)>}> : (memref<?x?xf32>, index, index, f32, vector<4xi1>) -> vector<2x4xf32>
  func.return
}

// -----

func.func @write_broadcast(%m: memref<?x?xf32>, %i: index, %v: vector<4xf32>) {
  // expected-error @below {{cannot write a broadcast dimension}}
  vector.transfer_write %v, %m[%i, %i] {permutation_map = affine_map<(d0, d1) -> (0)>, in_bounds = [true]} : vector<4xf32>, memref<?x?xf32>
  func.return
}

// -----

func.func @create_mask(%n: index) {
  // expected-error @below {{makes vector<2x4xi1> of 1 sizes}}
  %b = vector.create_mask %n : vector<2x4xi1>
  func.return
}

// -----

func.func @gather(%m: memref<?xf32>, %i: index, %x: vector<4xi32>, %k: vector<8xi1>, %p: vector<4xf32>) {
  // expected-error @below {{has a mask of type vector<8xi1>}}
  %b = vector.gather %m[%i][%x], %k, %p : memref<?xf32>, vector<4xi32>, vector<8xi1>, vector<4xf32> into vector<4xf32>
  func.return
}
