// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @broadcast(%a: vector<3xf32>) {
  // expected-error @below {{'vector.broadcast' op dimension mismatch (3 vs. 4)}}
  %b = vector.broadcast %a : vector<3xf32> to vector<2x4xf32>
  return
}

// -----

func.func @broadcast_rank(%a: vector<2x3xf32>) {
  // expected-error @below {{'vector.broadcast' op source rank higher than destination rank}}
  %b = vector.broadcast %a : vector<2x3xf32> to vector<3xf32>
  return
}

// -----

func.func @broadcast_element(%a: i32) {
  // expected-error @below {{'vector.broadcast' op failed to verify that source operand and result have same element type}}
  %b = vector.broadcast %a : i32 to vector<3xf32>
  return
}

// -----

func.func @broadcast_scalable(%a: vector<4xf32>) {
  // expected-error @below {{'vector.broadcast' op dimension mismatch (4 vs. [4])}}
  %b = vector.broadcast %a : vector<4xf32> to vector<[4]xf32>
  return
}

// -----

func.func @broadcast_to_scalar(%a: f32) {
  // expected-error @below {{invalid kind of type specified: expected builtin.vector, but found 'f32'}}
  %b = vector.broadcast %a : f32 to f32
  return
}

// -----

func.func @extract(%a: vector<2x4xf32>) {
  // expected-error @below {{expected position attribute #1 to be a non-negative integer smaller than the corresponding vector dimension or poison (-1)}}
  %b = vector.extract %a[2] : vector<4xf32> from vector<2x4xf32>
  return
}

// -----

func.func @extract_type(%a: vector<2x4xf32>) {
  // expected-error @below {{'vector.extract' op inferred type(s) 'vector<4xf32>' are incompatible with return type(s) of operation 'f32'}}
  %b = vector.extract %a[1] : f32 from vector<2x4xf32>
  return
}

// -----

func.func @extract_rank(%a: vector<4xf32>) {
  // expected-error @below {{expected position attribute of rank no greater than vector rank}}
  %b = vector.extract %a[1, 1] : f32 from vector<4xf32>
  return
}

// -----

// Upstream lets this pass.
func.func @insert(%a: vector<2x4xf32>, %s: vector<3xf32>) {
  // expected-error @below {{cannot put vector<3xf32> into vector<2x4xf32> at a position of 1 indices}}
  %b = vector.insert %s, %a [0] : vector<3xf32> into vector<2x4xf32>
  return
}

// -----

func.func @insert_position(%a: vector<2x4xf32>, %s: f32) {
  // expected-error @below {{expected position attribute rank to match the dest vector rank}}
  %b = vector.insert %s, %a [0] : f32 into vector<2x4xf32>
  return
}

// -----

func.func @transpose(%a: vector<2x4xf32>) {
  // expected-error @below {{'vector.transpose' op dimension size mismatch at: 1}}
  %b = vector.transpose %a, [1, 0] : vector<2x4xf32> to vector<2x4xf32>
  return
}

// -----

func.func @transpose_twice(%a: vector<2x2xf32>) {
  // expected-error @below {{'vector.transpose' op duplicate position index: 1}}
  %b = vector.transpose %a, [1, 1] : vector<2x2xf32> to vector<2x2xf32>
  return
}

// -----

func.func @shape_cast(%a: vector<2x4xf32>) {
  // expected-error @below {{has different number of elements at source (8) and result (9)}}
  %b = vector.shape_cast %a : vector<2x4xf32> to vector<9xf32>
  return
}

// -----

func.func @shape_cast_scalable(%a: vector<2x[4]xf32>) {
  // expected-error @below {{has different number of scalable dims at source (1) and result (0)}}
  %b = vector.shape_cast %a : vector<2x[4]xf32> to vector<8xf32>
  return
}

// -----

func.func @bitcast(%a: vector<2x4xf32>) {
  // expected-error @below {{source/result bitwidth of the minor 1-D vectors must be equal}}
  %b = vector.bitcast %a : vector<2x4xf32> to vector<2x4xf16>
  return
}

// -----

func.func @bitcast_nothing(%a: vector<2xi0>) {
  // expected-error @below {{operand #0 must be vector of non-zero-bitwidth type values, but got 'vector<2xi0>'}}
  %b = vector.bitcast %a : vector<2xi0> to vector<2xi0>
  return
}

// -----

func.func @shuffle(%a: vector<2xf32>) {
  // expected-error @below {{'vector.shuffle' op mask index #2 out of range}}
  %b = vector.shuffle %a, %a [0, 4] : vector<2xf32>, vector<2xf32>
  return
}

// -----

func.func @shuffle_types(%a: vector<2xf32>, %b: vector<2xi32>) {
  // expected-error @below {{failed to verify that second operand v2 and result have same element type}}
  %c = vector.shuffle %a, %b [0, 1] : vector<2xf32>, vector<2xi32>
  return
}

// -----

func.func @slice(%a: vector<2x4xf32>) {
  // expected-error @below {{expected sum(offsets, sizes) dimension 1 to be confined to [1, 5)}}
  %b = vector.extract_strided_slice %a {offsets = [0, 3], sizes = [2, 2], strides = [1, 1]} : vector<2x4xf32> to vector<2x2xf32>
  return
}

// -----

func.func @slice_stride(%a: vector<2x4xf32>) {
  // expected-error @below {{expected strides to be confined to [1, 2)}}
  %b = vector.extract_strided_slice %a {offsets = [0, 0], sizes = [2, 2], strides = [1, 2]} : vector<2x4xf32> to vector<2x2xf32>
  return
}

// -----

func.func @slice_scalable(%a: vector<2x[4]xf32>) {
  // expected-error @below {{expected size at idx=1 to match the corresponding base size from the input vector (2 vs 4)}}
  %b = vector.extract_strided_slice %a {offsets = [0, 0], sizes = [2, 2], strides = [1, 1]} : vector<2x[4]xf32> to vector<2x[2]xf32>
  return
}

// -----

func.func @insert_slice(%a: vector<2xf32>, %b: vector<4x4xf32>) {
  // expected-error @below {{expected sum(offsets, source vector shape) dimension 1 to be confined to [1, 5)}}
  %c = vector.insert_strided_slice %a, %b {offsets = [0, 3], strides = [1]} : vector<2xf32> into vector<4x4xf32>
  return
}

// -----

func.func @reduce(%a: vector<2x4xf32>, %s: f32) {
  // expected-error @below {{'vector.multi_reduction' op destination type 'f32' is incompatible with source type 'vector<2x4xf32>'}}
  %b = vector.multi_reduction <add>, %a, %s [0] : vector<2x4xf32> to f32
  return
}

// -----

func.func @kind(%a: vector<4xf32>) {
  // expected-error @below {{'vector.reduction' op unsupported reduction type 'f32' for kind 'maxsi'}}
  %b = vector.reduction <maxsi>, %a : vector<4xf32> into f32
  return
}

// -----

func.func @no_kind(%a: vector<4xf32>) {
  // expected-error @below {{custom op 'vector.reduction' expected ::mlir::vector::CombiningKind to be one of: add,}}
  %b = vector.reduction <sum>, %a : vector<4xf32> into f32
  return
}

// -----

func.func @outerproduct(%a: vector<[4]xf32>, %b: vector<4xf32>) {
  // expected-error @below {{expected either both or only #2 operand dim to be scalable}}
  %c = vector.outerproduct %a, %b : vector<[4]xf32>, vector<4xf32>
  return
}

// -----

func.func @contract(%a: vector<4x8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) {
  // expected-error @below {{invalid accumulator/result vector shape, expected: 'vector<4xf32>'}}
  %d = vector.contract {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]} %a, %b, %c : vector<4x8xf32>, vector<8xf32> into vector<8xf32>
  return
}

// -----

func.func @contract_extents(%a: vector<4x8xf32>, %b: vector<7xf32>, %c: vector<4xf32>) {
  // expected-error @below {{invalid contracting dimension map}}
  %d = vector.contract {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]} %a, %b, %c : vector<4x8xf32>, vector<7xf32> into vector<4xf32>
  return
}

// -----

func.func @create_mask(%i: index) {
  // expected-error @below {{must specify an operand for each result vector dimension}}
  %m = vector.create_mask %i : vector<2x4xi1>
  return
}

// -----

func.func @constant_mask() {
  // expected-error @below {{array attr of size out of bounds of vector result dimension size}}
  %m = vector.constant_mask [5] : vector<4xi1>
  return
}

// -----

func.func @constant_mask_scalable() {
  // expected-error @below {{only supports 'none set' or 'all set' scalable dimensions}}
  %m = vector.constant_mask [2] : vector<[4]xi1>
  return
}

// -----

func.func @step() {
  // expected-error @below {{result #0 must be vector of index or signless integer of at least 8 bits values of ranks 1, but got 'vector<4xi4>'}}
  %s = vector.step : vector<4xi4>
  return
}

// -----

func.func @read_indices(%m: memref<?x?xf32>, %i: index, %f: f32) {
  // expected-error @below {{'vector.transfer_read' op requires 2 indices}}
  %v = vector.transfer_read %m[%i], %f : memref<?x?xf32>, vector<4xf32>
  return
}

// -----

func.func @read_map(%m: memref<?x?xf32>, %i: index, %f: f32) {
  // expected-error @below {{requires a permutation_map that is a permutation (found one dim used more than once)}}
  %v = vector.transfer_read %m[%i, %i], %f {permutation_map = affine_map<(d0, d1) -> (d1, d1)>} : memref<?x?xf32>, vector<4x4xf32>
  return
}

// -----

func.func @read_rank(%m: memref<?xf32>, %i: index, %f: f32) {
  // expected-error @below {{expected a custom permutation_map when rank(source) != rank(destination)}}
  %v = vector.transfer_read %m[%i], %f : memref<?xf32>, vector<4x4xf32>
  return
}

// -----

func.func @write_broadcast(%v: vector<4xf32>, %m: memref<?xf32>, %i: index) {
  // expected-error @below {{'vector.transfer_write' op should not have broadcast dimensions}}
  vector.transfer_write %v, %m[%i] {permutation_map = affine_map<(d0) -> (0)>} : vector<4xf32>, memref<?xf32>
  return
}

// -----

func.func @load_stride(%m: memref<8x8xf32, strided<[8, 2]>>, %i: index) {
  // expected-error @below {{'vector.load' op most minor memref dim must have unit stride}}
  %v = vector.load %m[%i, %i] : memref<8x8xf32, strided<[8, 2]>>, vector<4xf32>
  return
}

// -----

func.func @load_alignment(%m: memref<8xf32>, %i: index) {
  // expected-error @below {{attribute 'alignment' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive and whose value is a power of two > 0}}
  %v = vector.load %m[%i] {alignment = 0} : memref<8xf32>, vector<4xf32>
  return
}

// -----

func.func @masked_load(%m: memref<8xf32>, %i: index, %mask: vector<3xi1>, %p: vector<4xf32>) {
  // expected-error @below {{'vector.maskedload' op expected result shape to match mask shape}}
  %v = vector.maskedload %m[%i], %mask, %p : memref<8xf32>, vector<3xi1>, vector<4xf32> into vector<4xf32>
  return
}

// -----

func.func @gather(%m: memref<8xf64>, %i: index, %x: vector<4xi32>, %mask: vector<4xi1>, %p: vector<4xf32>) {
  // expected-error @below {{base element type ('f64') does not match result element type ('f32')}}
  %v = vector.gather %m[%i] [%x], %mask, %p : memref<8xf64>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  return
}

// -----

func.func @mask(%m: vector<8xi1>, %v: vector<4xf32>) {
  // expected-error @below {{'vector.mask' op expects a 'vector<4xi1>' mask for the maskable operation}}
  %r = vector.mask %m { vector.reduction <add>, %v : vector<4xf32> into f32 } : vector<8xi1> -> f32
  return
}

// -----

func.func @mask_what(%m: vector<4xi1>, %v: vector<4xf32>) {
  // expected-error @below {{'vector.mask' op expects a MaskableOpInterface within the mask region}}
  %r = vector.mask %m { arith.addf %v, %v : vector<4xf32> } : vector<4xi1> -> vector<4xf32>
  return
}

// -----

func.func @deinterleave(%v: vector<3xf32>) {
  // expected-error @below {{failed to verify that the trailing dimension of the source vector has an even number of elements}}
  %a, %b = vector.deinterleave %v : vector<3xf32> -> vector<1xf32>
  return
}

// -----

func.func @from_elements(%a: f32) {
  // expected-error @below {{'vector.from_elements' number of operands and types do not match: got 1 operands and 2 types}}
  %v = vector.from_elements %a : vector<2xf32>
  return
}

// -----

func.func @scan(%a: vector<2x3xf32>, %i: vector<3xf32>) {
  // expected-error @below {{'vector.scan' op unsupported reduction type 'f32' for kind 'xor'}}
  %b:2 = vector.scan <xor>, %a, %i {inclusive = true, reduction_dim = 0} : vector<2x3xf32>, vector<3xf32>
  return
}

// -----

func.func @other_element(%a: f32, %b: i32) {
  // expected-error @below {{use of value '%b' expects different type than prior uses: 'f32' vs 'i32'}}
  %v = vector.from_elements %a, %b : vector<2xf32>
  return
}

// -----

func.func @few_types(%a: f32) {
  // expected-error @below {{expected 2 operand types but had 1}}
  %v = "arith.addf"(%a, %a) : (f32) -> f32
  return
}
