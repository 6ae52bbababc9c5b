// RUN: mlopt %s --scf-for-loop-canonicalization | filecheck %s
// RUN: mlopt %s --validate-each --scf-for-loop-canonicalization -o /dev/null

// CHECK: #map = affine_map<(d0) -> (3, -d0 + 8)>

// CHECK-LABEL: func.func @whole_tiles(%m: memref<8xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %s = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    scf.for %i = %c0 to %c8 step %s {
// CHECK-NEXT:      memref.store %s, %m[%i] : memref<8xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @whole_tiles(%m: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c4 {
    %s = affine.min affine_map<(d0)[s0] -> (4, s0 - d0)>(%i)[%c8]
    memref.store %s, %m[%i] : memref<8xindex>
  }
  return
}

// CHECK-LABEL: func.func @ragged_tiles(%m: memref<8xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c3 = arith.constant 3 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    scf.for %i = %c0 to %c8 step %c3 {
// CHECK-NEXT:      %s = affine.min #map(%i)
// CHECK-NEXT:      memref.store %s, %m[%i] : memref<8xindex>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @ragged_tiles(%m: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c3 {
    %s = affine.min affine_map<(d0) -> (3, 8 - d0)>(%i)
    memref.store %s, %m[%i] : memref<8xindex>
  }
  return
}

// CHECK-LABEL: func.func @extent_of_carried(%t: tensor<?xf32>, %f: f32) -> tensor<?xf32> {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %s = tensor.from_elements %f : tensor<1xf32>
// CHECK-NEXT:    %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%x = %t) -> (tensor<?xf32>) {
// CHECK-NEXT:      %n = tensor.dim %t, %c0 : tensor<?xf32>
// CHECK-NEXT:      %l = arith.subi %n, %c1 : index
// CHECK-NEXT:      %y = tensor.insert_slice %s into %x[%l] [1] [1] : tensor<1xf32> into tensor<?xf32>
// CHECK-NEXT:      scf.yield %y : tensor<?xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %r : tensor<?xf32>
// CHECK-NEXT:  }
func.func @extent_of_carried(%t: tensor<?xf32>, %f: f32) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %s = tensor.from_elements %f : tensor<1xf32>
  %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%x = %t) -> (tensor<?xf32>) {
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    %l = arith.subi %n, %c1 : index
    %y = tensor.insert_slice %s into %x[%l] [1] [1] : tensor<1xf32> into tensor<?xf32>
    scf.yield %y : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
