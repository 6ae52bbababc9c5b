// RUN: mlopt %s --mlir-print-local-scope --convert-vector-to-scf --split-input-file | filecheck %s
// RUN: mlopt %s --mlir-print-local-scope --convert-vector-to-scf=full-unroll --split-input-file | filecheck %s --check-prefix=UNROLLED

// Rows that may lie outside are read under a condition; what is outside is padding.

// CHECK-LABEL: func.func @read(%m: memref<?x?xf32>, %i: index, %j: index) -> vector<2x4xf32> {
// CHECK:         %[[ROWS:.*]] = vector.type_cast %[[BUFFER:.*]] : memref<vector<2x4xf32>> to memref<2xvector<4xf32>>
// CHECK-NEXT:    scf.for %[[R:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %[[DIM:.*]] = memref.dim %m, %{{.*}} : memref<?x?xf32>
// CHECK-NEXT:      %[[AT:.*]] = affine.apply affine_map<(d0)[s0] -> (d0 + s0)>(%[[R]])[%i]
// CHECK-NEXT:      %[[INSIDE:.*]] = arith.cmpi sgt, %[[DIM]], %[[AT]] : index
// CHECK-NEXT:      scf.if %[[INSIDE]] {
// CHECK-NEXT:        %[[ROW:.*]] = affine.apply affine_map<(d0)[s0] -> (d0 + s0)>(%[[R]])[%i]
// CHECK-NEXT:        %[[V:.*]] = vector.transfer_read %m[%[[ROW]], %j], %{{.*}} : memref<?x?xf32>, vector<4xf32>
// CHECK-NEXT:        memref.store %[[V]], %[[ROWS]][%[[R]]] : memref<2xvector<4xf32>>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        memref.store %{{.*}}, %[[ROWS]][%[[R]]] : memref<2xvector<4xf32>>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    %{{.*}} = memref.load %[[BUFFER]][] : memref<vector<2x4xf32>>

// UNROLLED-LABEL: func.func @read(%m: memref<?x?xf32>, %i: index, %j: index) -> vector<2x4xf32> {
// UNROLLED:         %[[FIRST:.*]] = scf.if %{{.*}} -> (vector<2x4xf32>) {
// UNROLLED-NEXT:      %[[V:.*]] = vector.transfer_read %m[%i, %j], %{{.*}} : memref<?x?xf32>, vector<4xf32>
// UNROLLED-NEXT:      %[[W:.*]] = vector.insert %[[V]], %[[PADDING:.*]] [0] : vector<4xf32> into vector<2x4xf32>
// UNROLLED-NEXT:      scf.yield %[[W]] : vector<2x4xf32>
// UNROLLED-NEXT:    } else {
// UNROLLED-NEXT:      scf.yield %[[PADDING]] : vector<2x4xf32>
// UNROLLED-NEXT:    }
// UNROLLED:         vector.insert %{{.*}}, %[[FIRST]] [1] : vector<4xf32> into vector<2x4xf32>
func.func @read(%m: memref<?x?xf32>, %i: index, %j: index) -> vector<2x4xf32> {
  %pad = arith.constant 7.0 : f32
  %v = vector.transfer_read %m[%i, %j], %pad : memref<?x?xf32>, vector<2x4xf32>
  return %v : vector<2x4xf32>
}

// -----

// A column is written element by element: it is no vector of memory.

// CHECK-LABEL: func.func @column(%m: memref<8x8xf32, strided<[8, 2]>>, %v: vector<4xf32>, %i: index) {
// CHECK:         scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %[[ROW:.*]] = affine.apply affine_map<(d0)[s0] -> (d0 + s0)>(%[[K]])[%i]
// CHECK-NEXT:      %[[E:.*]] = vector.extract %v[%[[K]]] : f32 from vector<4xf32>
// CHECK-NEXT:      memref.store %[[E]], %m[%i, %[[ROW]]] : memref<8x8xf32, strided<[8, 2]>>
// CHECK-NEXT:    }
func.func @column(%m: memref<8x8xf32, strided<[8, 2]>>, %v: vector<4xf32>, %i: index) {
  vector.transfer_write %v, %m[%i, %i] {in_bounds = [true]} : vector<4xf32>, memref<8x8xf32, strided<[8, 2]>>
  return
}

// -----

// Tensors stay, unless asked for.

// CHECK-LABEL: func.func @tensor
// CHECK:         vector.transfer_read %t[%i, %i], %{{.*}} {in_bounds = [true, true]} : tensor<8x8xf32>, vector<2x4xf32>
func.func @tensor(%t: tensor<8x8xf32>, %i: index) -> vector<2x4xf32> {
  %pad = arith.constant 7.0 : f32
  %v = vector.transfer_read %t[%i, %i], %pad {in_bounds = [true, true]} : tensor<8x8xf32>, vector<2x4xf32>
  return %v : vector<2x4xf32>
}
