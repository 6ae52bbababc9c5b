// RUN: mlopt %s --canonicalize --allow-unregistered-dialect --split-input-file | filecheck %s

// CHECK-DAG: #[[MAP:.*]] = affine_map<()[s0, s1] -> (s0 + s1 * 4 + 3)>
// CHECK: func.func @compose(%arg0: index, %arg1: index)
// CHECK-NEXT: %[[R:.*]] = affine.apply #[[MAP]]()[%arg1, %arg0]
// CHECK-NEXT: return %[[R]]
func.func @compose(%arg0: index, %arg1: index) -> index {
  %c3 = arith.constant 3 : index
  %0 = affine.apply affine_map<(d0) -> (d0 * 4)>(%arg0)
  %1 = affine.apply affine_map<(d0)[s0, s1] -> (d0 + s0 + s1)>(%0)[%arg1, %c3]
  return %1 : index
}

// -----

// CHECK: func.func @access(
// CHECK: affine.for %[[I:.*]] = 0 to 64
// CHECK-NEXT: affine.load %{{.*}}[%[[I]] + 1, %[[I]] floordiv 8]
func.func @access(%m: memref<65x8xf32>) {
  affine.for %i = 0 to 64 {
    %j = affine.apply affine_map<(d0) -> (d0 + 1)>(%i)
    %k = affine.apply affine_map<(d0) -> (d0 * 2)>(%i)
    %v = affine.load %m[%j, %k floordiv 16] : memref<65x8xf32>
    "test.use"(%v) : (f32) -> ()
  }
  return
}

// -----

// CHECK: func.func @bounds_of_loops(
// CHECK: affine.load %{{.*}}[0] : memref<8xf32>
// CHECK: affine.load %{{.*}}[%{{.*}}] : memref<8xf32>
func.func @bounds_of_loops(%m: memref<8xf32>) {
  affine.for %i = 0 to 8 {
    %v = affine.load %m[%i floordiv 8] : memref<8xf32>
    %w = affine.load %m[%i mod 8] : memref<8xf32>
    "test.use"(%v, %w) : (f32, f32) -> ()
  }
  return
}

// -----

// CHECK-DAG: #[[MIN:.*]] = affine_map<()[s0, s1] -> (16, s1 + 1, s0)>
// CHECK: func.func @merged(%arg0: index, %arg1: index)
// CHECK-NEXT: affine.min #[[MIN]]()[%arg1, %arg0]
func.func @merged(%arg0: index, %arg1: index) -> index {
  %0 = affine.min affine_map<()[s0] -> (s0 + 1, 16)>()[%arg0]
  %1 = affine.min affine_map<()[s0, s1] -> (s0, s1)>()[%0, %arg1]
  return %1 : index
}

// -----

// CHECK: func.func @empty_loop(%arg0: f32)
// CHECK-NEXT: return %arg0
func.func @empty_loop(%arg0: f32) -> f32 {
  %0 = affine.for %i = 0 to 10 iter_args(%a = %arg0) -> (f32) {
    affine.yield %a : f32
  }
  return %0 : f32
}

// -----

// CHECK: func.func @swapped(
// CHECK: affine.for
func.func @swapped(%arg0: f32, %arg1: f32, %n: index) -> f32 {
  %0:2 = affine.for %i = 0 to %n iter_args(%a = %arg0, %b = %arg1) -> (f32, f32) {
    affine.yield %b, %a : f32, f32
  }
  return %0#0 : f32
}

// -----

// CHECK: func.func @known_condition(%arg0: f32, %arg1: f32)
// CHECK-NEXT: return %arg1
func.func @known_condition(%arg0: f32, %arg1: f32) -> f32 {
  %c = arith.constant -1 : index
  %0 = affine.if affine_set<(d0) : (d0 >= 0)>(%c) -> f32 {
    affine.yield %arg0 : f32
  } else {
    affine.yield %arg1 : f32
  }
  return %0 : f32
}

// -----

// CHECK: func.func @split_and_joined(%arg0: index)
// CHECK-NEXT: return %arg0
func.func @split_and_joined(%arg0: index) -> index {
  %0:3 = affine.delinearize_index %arg0 into (2, 3, 4) : index, index, index
  %1 = affine.linearize_index [%0#0, %0#1, %0#2] by (2, 3, 4) : index
  return %1 : index
}

// -----

// CHECK: func.func @unit_extent(%arg0: index)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[R:.*]]:2 = affine.delinearize_index %arg0 into (4, 8) : index, index
// CHECK-NEXT: return %[[R]]#0, %[[ZERO]], %[[R]]#1
func.func @unit_extent(%arg0: index) -> (index, index, index) {
  %0:3 = affine.delinearize_index %arg0 into (4, 1, 8) : index, index, index
  return %0#0, %0#1, %0#2 : index, index, index
}

// -----

// A sum of what an index was split into is the index.
// CHECK: func.func @joined_by_hand(%arg0: index)
// CHECK-NEXT: return %arg0
func.func @joined_by_hand(%arg0: index) -> index {
  %0:2 = affine.delinearize_index %arg0 into (8) : index, index
  %1 = affine.apply affine_map<()[s0, s1] -> (s0 * 8 + s1)>()[%0#0, %0#1]
  return %1 : index
}

// -----

// A chain that doubles with every link is composed only as far as its map stays small.
// CHECK: func.func @doubling(
// CHECK-COUNT-2: affine.apply
// CHECK: return
func.func @doubling(%a: index) -> index {
  %0 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%a, %a)
  %1 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%0, %0)
  %2 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%1, %1)
  %3 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%2, %2)
  %4 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%3, %3)
  %5 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%4, %4)
  %6 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%5, %5)
  %7 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%6, %6)
  %8 = affine.apply affine_map<(d0, d1) -> (d0 floordiv 2 + d1 floordiv 3)>(%7, %7)
  return %8 : index
}
