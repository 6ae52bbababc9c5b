// RUN: mlopt %s --mlir-print-local-scope | mlopt --mlir-print-local-scope | filecheck %s
// RUN: mlopt %s --mlir-print-local-scope --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt --mlir-print-local-scope | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

// CHECK-LABEL: func.func @f(%m: memref<?x?xf32>, %t: tensor<?x?xf32>, %i: index, %s: f32, %k: vector<2x4xi1>, %v: vector<2x4xf32>, %r: vector<4xf32>, %x: vector<4xi32>, %k1: vector<4xi1>, %z: memref<f32>) -> tensor<?x?xf32> {
func.func @f(%m: memref<?x?xf32>, %t: tensor<?x?xf32>, %i: index, %s: f32, %k: vector<2x4xi1>, %v: vector<2x4xf32>, %r: vector<4xf32>, %x: vector<4xi32>, %k1: vector<4xi1>, %z: memref<f32>) -> tensor<?x?xf32> {
  // CHECK-NEXT: %a = vector.transfer_read %m[%i, %i], %s, %k {in_bounds = [true, false]} : memref<?x?xf32>, vector<2x4xf32>
  %a = vector.transfer_read %m[%i, %i], %s, %k {in_bounds = [true, false]} : memref<?x?xf32>, vector<2x4xf32>
  // CHECK-NEXT: %b = vector.transfer_read %m[%i, %i], %s {in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (d1, 0)>} : memref<?x?xf32>, vector<2x4xf32>
  %b = vector.transfer_read %m[%i, %i], %s {in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (d1, 0)>} : memref<?x?xf32>, vector<2x4xf32>
  // CHECK-NEXT: %b2 = vector.transfer_read %m[%i, %i], %s, %k {permutation_map = affine_map<(d0, d1) -> (d1, d0)>} : memref<?x?xf32>, vector<4x2xf32>
  %b2 = vector.transfer_read %m[%i, %i], %s, %k {permutation_map = affine_map<(d0, d1) -> (d1, d0)>} : memref<?x?xf32>, vector<4x2xf32>
  // CHECK-NEXT: %b3 = vector.transfer_read %z[], %s : memref<f32>, vector<f32>
  %b3 = vector.transfer_read %z[], %s : memref<f32>, vector<f32>
  // CHECK-NEXT: %c = vector.transfer_read %t[%i, %i], %s : tensor<?x?xf32>, vector<4xf32>
  %c = vector.transfer_read %t[%i, %i], %s : tensor<?x?xf32>, vector<4xf32>
  // CHECK-NEXT: vector.transfer_write %v, %m[%i, %i], %k {in_bounds = [true, true]} : vector<2x4xf32>, memref<?x?xf32>
  vector.transfer_write %v, %m[%i, %i], %k {in_bounds = [true, true]} : vector<2x4xf32>, memref<?x?xf32>
  // CHECK-NEXT: %d = vector.transfer_write %v, %t[%i, %i] {tag} : vector<2x4xf32>, tensor<?x?xf32>
  %d = vector.transfer_write %v, %t[%i, %i] {tag} : vector<2x4xf32>, tensor<?x?xf32>
  // CHECK-NEXT: %e = vector.load %m[%i, %i] : memref<?x?xf32>, vector<4xf32>
  %e = vector.load %m[%i, %i] : memref<?x?xf32>, vector<4xf32>
  // CHECK-NEXT: vector.store %e, %m[%i, %i] {alignment = 16 : i64, nontemporal = true} : memref<?x?xf32>, vector<4xf32>
  vector.store %e, %m[%i, %i] {alignment = 16 : i64, nontemporal = true} : memref<?x?xf32>, vector<4xf32>
  // CHECK-NEXT: %f = vector.maskedload %m[%i, %i], %k1, %e : memref<?x?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  %f = vector.maskedload %m[%i, %i], %k1, %e : memref<?x?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  // CHECK-NEXT: vector.maskedstore %m[%i, %i], %k1, %e : memref<?x?xf32>, vector<4xi1>, vector<4xf32>
  vector.maskedstore %m[%i, %i], %k1, %e : memref<?x?xf32>, vector<4xi1>, vector<4xf32>
  // CHECK-NEXT: %g = vector.gather %m[%i, %i] [%x], %k1, %e : memref<?x?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  %g = vector.gather %m[%i, %i][%x], %k1, %e : memref<?x?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  // CHECK-NEXT: vector.scatter %m[%i, %i] [%x], %k1, %e : memref<?x?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32>
  vector.scatter %m[%i, %i][%x], %k1, %e : memref<?x?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32>
  // CHECK-NEXT: %h = vector.broadcast %r : vector<4xf32> to vector<2x4xf32>
  %h = vector.broadcast %r : vector<4xf32> to vector<2x4xf32>
  // CHECK-NEXT: %h2 = vector.broadcast %s : f32 to vector<2x4xf32>
  %h2 = vector.broadcast %s : f32 to vector<2x4xf32>
  // CHECK-NEXT: %j = vector.create_mask %i, %i : vector<2x4xi1>
  %j = vector.create_mask %i, %i : vector<2x4xi1>
  // CHECK-NEXT: %l = vector.constant_mask [1, 3] : vector<2x4xi1>
  %l = vector.constant_mask [1, 3] : vector<2x4xi1>
  // CHECK-NEXT: %n = vector.step : vector<4xindex>
  %n = vector.step : vector<4xindex>
  // CHECK-NEXT: %o = vector.from_elements %s, %s, %s, %s : vector<2x2xf32>
  %o = vector.from_elements %s, %s, %s, %s : vector<2x2xf32>
  // CHECK-NEXT: %p:4 = vector.to_elements %o : vector<2x2xf32>
  %p:4 = vector.to_elements %o : vector<2x2xf32>
  // CHECK-NEXT: %q = vector.fma %v, %v, %h : vector<2x4xf32>
  %q = vector.fma %v, %v, %h : vector<2x4xf32>
  // CHECK-NEXT: %r1 = vector.reduction <add>, %r : vector<4xf32> into f32
  %r1 = vector.reduction <add>, %r : vector<4xf32> into f32
  // CHECK-NEXT: %r2 = vector.reduction <maximumf>, %r, %s fastmath<reassoc> : vector<4xf32> into f32
  %r2 = vector.reduction <maximumf>, %r, %s fastmath<reassoc> : vector<4xf32> into f32
  // CHECK-NEXT: %r3 = vector.multi_reduction <add>, %v, %r [0] : vector<2x4xf32> to vector<4xf32>
  %r3 = vector.multi_reduction <add>, %v, %r [0] : vector<2x4xf32> to vector<4xf32>
  // CHECK-NEXT: %r4 = vector.multi_reduction <mul>, %v, %s [0, 1] : vector<2x4xf32> to f32
  %r4 = vector.multi_reduction <mul>, %v, %s [0, 1] : vector<2x4xf32> to f32
  // CHECK-NEXT: %r5 = vector.outerproduct %r, %r : vector<4xf32>, vector<4xf32>
  %r5 = vector.outerproduct %r, %r : vector<4xf32>, vector<4xf32>
  // CHECK-NEXT: %r6 = vector.outerproduct %r, %r, %r5 {kind = #vector.kind<maxnumf>} : vector<4xf32>, vector<4xf32>
  %r6 = vector.outerproduct %r, %r, %r5 {kind = #vector.kind<maxnumf>} : vector<4xf32>, vector<4xf32>
  // CHECK-NEXT: %r7 = vector.outerproduct %r, %s, %r : vector<4xf32>, f32
  %r7 = vector.outerproduct %r, %s, %r : vector<4xf32>, f32
  // CHECK-NEXT: %t1 = vector.transpose %v, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
  %t1 = vector.transpose %v, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
  // CHECK-NEXT: %t2 = vector.shape_cast %v : vector<2x4xf32> to vector<8xf32>
  %t2 = vector.shape_cast %v : vector<2x4xf32> to vector<8xf32>
  // CHECK-NEXT: %t3 = vector.bitcast %v : vector<2x4xf32> to vector<2x8xi16>
  %t3 = vector.bitcast %v : vector<2x4xf32> to vector<2x8xi16>
  // CHECK-NEXT: %t4 = vector.extract %v[0, %i] : f32 from vector<2x4xf32>
  %t4 = vector.extract %v[0, %i] : f32 from vector<2x4xf32>
  // CHECK-NEXT: %t5 = vector.extract %v[1] : vector<4xf32> from vector<2x4xf32>
  %t5 = vector.extract %v[1] : vector<4xf32> from vector<2x4xf32>
  // CHECK-NEXT: %t6 = vector.insert %s, %v [0, %i] : f32 into vector<2x4xf32>
  %t6 = vector.insert %s, %v [0, %i] : f32 into vector<2x4xf32>
  // CHECK-NEXT: %t7 = vector.insert %r, %v [1] : vector<4xf32> into vector<2x4xf32>
  %t7 = vector.insert %r, %v [1] : vector<4xf32> into vector<2x4xf32>
  // CHECK-NEXT: %t8 = vector.extract_strided_slice %v {offsets = [0, 2], sizes = [2, 2], strides = [1, 1]} : vector<2x4xf32> to vector<2x2xf32>
  %t8 = vector.extract_strided_slice %v {offsets = [0, 2], sizes = [2, 2], strides = [1, 1]} : vector<2x4xf32> to vector<2x2xf32>
  // CHECK-NEXT: %t9 = vector.insert_strided_slice %t8, %v {offsets = [0, 2], strides = [1, 1]} : vector<2x2xf32> into vector<2x4xf32>
  %t9 = vector.insert_strided_slice %t8, %v {offsets = [0, 2], strides = [1, 1]} : vector<2x2xf32> into vector<2x4xf32>
  // CHECK-NEXT: %ta = vector.shuffle %r, %r [0, 5, 2, 7] : vector<4xf32>, vector<4xf32>
  %ta = vector.shuffle %r, %r [0, 5, 2, 7] : vector<4xf32>, vector<4xf32>
  // CHECK-NEXT: return %d : tensor<?x?xf32>
  func.return %d : tensor<?x?xf32>
// CHECK-NEXT: }
}
