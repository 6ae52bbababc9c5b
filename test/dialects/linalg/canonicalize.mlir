// RUN: mlopt %s --canonicalize | filecheck %s
// RUN: mlopt %s --validate-each --canonicalize -o /dev/null

#id = affine_map<(d0, d1) -> (d0, d1)>

// A cast that forgets extents goes; what is known of one operand is known of all.
// CHECK-LABEL: func.func @casts
// CHECK-NEXT:    [[A:%[a-z0-9_]+]] = tensor.cast %b : tensor<?x?xf32> to tensor<2x3xf32>
// CHECK-NEXT:    [[R:%[a-z0-9_]+]] = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%a, [[A]] : tensor<2x3xf32>, tensor<2x3xf32>) outs(%a : tensor<2x3xf32>) {
// CHECK:         return [[R]] : tensor<2x3xf32>
func.func @casts(%a: tensor<2x3xf32>, %b: tensor<?x?xf32>) -> tensor<2x3xf32> attributes {validate_shapes = [[2, 3], [2, 3]]} {
  %0 = tensor.cast %a : tensor<2x3xf32> to tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%0 : tensor<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.subf %x, %y : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  %2 = tensor.cast %1 : tensor<?x?xf32> to tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @identity
// CHECK-NEXT:    return %b, %a : tensor<2x3xf32>, tensor<2x3xf32>
func.func @identity(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>, %c: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %0:2 = linalg.generic {indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x3xf32>, tensor<2x3xf32>) outs(%c, %c : tensor<2x3xf32>, tensor<2x3xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32, %p: f32):
    linalg.yield %y, %x : f32, f32
  } -> (tensor<2x3xf32>, tensor<2x3xf32>)
  return %0#0, %0#1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// Not under unequal maps, and not where a value comes from outside.
// CHECK-LABEL: func.func @not_identity
// CHECK:         linalg.generic
// CHECK:         linalg.generic
func.func @not_identity(%a: tensor<3x3xf32>, %s: f32) -> (tensor<3x3xf32>, tensor<3x3xf32>) {
  %0 = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d1, d0)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<3x3xf32>) outs(%a : tensor<3x3xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<3x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<3x3xf32>) outs(%a : tensor<3x3xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %s : f32
  } -> tensor<3x3xf32>
  return %0, %1 : tensor<3x3xf32>, tensor<3x3xf32>
}

// CHECK-LABEL: func.func @unit_index
// CHECK-NOT:     linalg.index 0
// CHECK:         linalg.index 1
func.func @unit_index(%a: tensor<1x4xindex>) -> tensor<1x4xindex> {
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%a : tensor<1x4xindex>) {
  ^bb0(%x: index):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %i, %j : index
    linalg.yield %k : index
  } -> tensor<1x4xindex>
  return %0 : tensor<1x4xindex>
}

// CHECK-LABEL: func.func @moves
// CHECK-NEXT:    [[T:%[a-z0-9_]+]] = linalg.transpose ins(%a : tensor<2x3x4xf32>) outs(%c : tensor<4x3x2xf32>) permutation = [2, 1, 0]
// CHECK-NEXT:    [[B:%[a-z0-9_]+]] = linalg.broadcast ins(%v : tensor<2xf32>) outs(%d : tensor<2x3x4xf32>) dimensions = [1, 2]
// CHECK-NEXT:    return [[T]], [[B]] : tensor<4x3x2xf32>, tensor<2x3x4xf32>
func.func @moves(%a: tensor<2x3x4xf32>, %b: tensor<3x4x2xf32>, %c: tensor<4x3x2xf32>, %v: tensor<2xf32>, %w: tensor<2x4xf32>, %d: tensor<2x3x4xf32>) -> (tensor<4x3x2xf32>, tensor<2x3x4xf32>) {
  %0 = linalg.transpose ins(%a : tensor<2x3x4xf32>) outs(%b : tensor<3x4x2xf32>) permutation = [1, 2, 0]
  %1 = linalg.transpose ins(%0 : tensor<3x4x2xf32>) outs(%c : tensor<4x3x2xf32>) permutation = [1, 0, 2]
  %2 = linalg.broadcast ins(%v : tensor<2xf32>) outs(%w : tensor<2x4xf32>) dimensions = [1]
  %3 = linalg.broadcast ins(%2 : tensor<2x4xf32>) outs(%d : tensor<2x3x4xf32>) dimensions = [1]
  return %1, %3 : tensor<4x3x2xf32>, tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @transposed_broadcast
// CHECK:         [[T:%[a-z0-9_]+]] = linalg.transpose ins(%v : tensor<2x3xf32>) outs({{%[a-z0-9_]+}} : tensor<3x2xf32>) permutation = [1, 0]
// CHECK-NEXT:    [[B:%[a-z0-9_]+]] = linalg.broadcast ins([[T]] : tensor<3x2xf32>) outs(%c : tensor<3x4x2xf32>) dimensions = [1]
// CHECK-NEXT:    return [[B]]
func.func @transposed_broadcast(%v: tensor<2x3xf32>, %b: tensor<2x3x4xf32>, %c: tensor<3x4x2xf32>) -> tensor<3x4x2xf32> {
  %0 = linalg.broadcast ins(%v : tensor<2x3xf32>) outs(%b : tensor<2x3x4xf32>) dimensions = [2]
  %1 = linalg.transpose ins(%0 : tensor<2x3x4xf32>) outs(%c : tensor<3x4x2xf32>) permutation = [1, 2, 0]
  return %1 : tensor<3x4x2xf32>
}

// CHECK-LABEL: func.func @padded_fill
// CHECK:         [[E:%[a-z0-9_]+]] = tensor.empty() : tensor<7x9xf32>
// CHECK-NEXT:    [[F:%[a-z0-9_]+]] = linalg.fill ins({{%[a-z0-9_]+}} : f32) outs([[E]] : tensor<7x9xf32>) -> tensor<7x9xf32>
// CHECK-NEXT:    return [[F]]
func.func @padded_fill(%t: tensor<4x5xf32>) -> tensor<7x9xf32> {
  %z = arith.constant 0.0 : f32
  %f = linalg.fill ins(%z : f32) outs(%t : tensor<4x5xf32>) -> tensor<4x5xf32>
  %p = tensor.pad %f low[1, 1] high[2, 3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<4x5xf32> to tensor<7x9xf32>
  return %p : tensor<7x9xf32>
}

// A padding of another value stays.
// CHECK-LABEL: func.func @padded_by_another
// CHECK:         tensor.pad
func.func @padded_by_another(%t: tensor<4x5xf32>) -> tensor<7x9xf32> {
  %z = arith.constant 0.0 : f32
  %y = arith.constant -0.0 : f32
  %f = linalg.fill ins(%z : f32) outs(%t : tensor<4x5xf32>) -> tensor<4x5xf32>
  %p = tensor.pad %f low[1, 1] high[2, 3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %y : f32
  } : tensor<4x5xf32> to tensor<7x9xf32>
  return %p : tensor<7x9xf32>
}

// CHECK-LABEL: func.func @insert_padded
// CHECK-NOT:     tensor.pad
// CHECK:         tensor.insert_slice %a into {{%[a-z0-9_]+}}[1, 6] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<4x9xf32>
func.func @insert_padded(%a: tensor<2x2xf32>, %b: tensor<4x4xf32>, %t: tensor<4x9xf32>) -> tensor<4x9xf32> {
  %z = arith.constant 0.0 : f32
  %p = tensor.pad %a low[1, 1] high[1, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<2x2xf32> to tensor<4x4xf32>
  %f = linalg.fill ins(%z : f32) outs(%t : tensor<4x9xf32>) -> tensor<4x9xf32>
  %0 = tensor.insert_slice %b into %f[0, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x9xf32>
  %1 = tensor.insert_slice %p into %0[0, 5] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x9xf32>
  return %1 : tensor<4x9xf32>
}

// CHECK-LABEL: func.func @read_fill
// CHECK-NEXT:    [[C:%[a-z0-9_]+]] = tensor.collapse_shape %t {{\[}}[0, 1]{{\]}} : tensor<2x3xf32> into tensor<6xf32>
// CHECK-NEXT:    [[F:%[a-z0-9_]+]] = linalg.fill ins(%v : f32) outs([[C]] : tensor<6xf32>) -> tensor<6xf32>
// CHECK-NEXT:    return %v, [[F]]
func.func @read_fill(%v: f32, %t: tensor<2x3xf32>) -> (f32, tensor<6xf32>) {
  %c1 = arith.constant 1 : index
  %f = linalg.fill ins(%v : f32) outs(%t : tensor<2x3xf32>) -> tensor<2x3xf32>
  %e = tensor.extract %f[%c1, %c1] : tensor<2x3xf32>
  %r = tensor.collapse_shape %f [[0, 1]] : tensor<2x3xf32> into tensor<6xf32>
  return %e, %r : f32, tensor<6xf32>
}

// CHECK-LABEL: func.func @packed
// CHECK-NEXT:    return %a : tensor<8x16xf32>
func.func @packed(%a: tensor<8x16xf32>, %d: tensor<2x8x8xf32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %z = arith.constant 0.0 : f32
  %p = linalg.pack %a padding_value(%z : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x16xf32> -> tensor<2x8x8xf32>
  %u = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [8] into %e : tensor<2x8x8xf32> -> tensor<8x16xf32>
  return %u : tensor<8x16xf32>
}

// Other tiles: nothing cancels. The padding is needed.
// CHECK-LABEL: func.func @packed_otherwise
// CHECK:         linalg.pack {{.*}} padding_value
// CHECK:         linalg.unpack
func.func @packed_otherwise(%a: tensor<8x15xf32>, %d: tensor<2x8x8xf32>, %e: tensor<8x15xf32>) -> tensor<8x15xf32> {
  %z = arith.constant 0.0 : f32
  %p = linalg.pack %a padding_value(%z : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x15xf32> -> tensor<2x8x8xf32>
  %u = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [8] into %e : tensor<2x8x8xf32> -> tensor<8x15xf32>
  return %u : tensor<8x15xf32>
}

// CHECK-LABEL: func.func @packed_constant
// CHECK-NEXT:    [[C:%[a-z0-9_]+]] = arith.constant dense<1.500000e+00> : tensor<2x8x8xf32>
// CHECK-NEXT:    return [[C]]
func.func @packed_constant(%d: tensor<2x8x8xf32>) -> tensor<2x8x8xf32> {
  %c = arith.constant dense<1.5> : tensor<8x16xf32>
  %p = linalg.pack %c outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [8] into %d : tensor<8x16xf32> -> tensor<2x8x8xf32>
  return %p : tensor<2x8x8xf32>
}

// CHECK-LABEL: func.func @sliced_unpack
// CHECK-NEXT:    [[S:%[a-z0-9_]+]] = tensor.extract_slice %e[0, 0] [8, 13] [1, 1] : tensor<8x15xf32> to tensor<8x13xf32>
// CHECK-NEXT:    [[U:%[a-z0-9_]+]] = linalg.unpack %p inner_dims_pos = [1] inner_tiles = [8] into [[S]] : tensor<8x2x8xf32> -> tensor<8x13xf32>
// CHECK-NEXT:    return [[U]]
func.func @sliced_unpack(%p: tensor<8x2x8xf32>, %e: tensor<8x15xf32>) -> tensor<8x13xf32> {
  %u = linalg.unpack %p inner_dims_pos = [1] inner_tiles = [8] into %e : tensor<8x2x8xf32> -> tensor<8x15xf32>
  %s = tensor.extract_slice %u[0, 0] [8, 13] [1, 1] : tensor<8x15xf32> to tensor<8x13xf32>
  return %s : tensor<8x13xf32>
}

// CHECK-LABEL: func.func @on_memrefs
// CHECK-NEXT:    return
func.func @on_memrefs(%m: memref<4xf32>, %e: memref<0xf32>) {
  linalg.copy ins(%m : memref<4xf32>) outs(%m : memref<4xf32>)
  linalg.copy ins(%e : memref<0xf32>) outs(%e : memref<0xf32>)
  return
}
