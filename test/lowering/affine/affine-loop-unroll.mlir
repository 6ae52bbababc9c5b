// RUN: mlopt %s --affine-loop-unroll | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-unroll -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0 + 1)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 + 2)>
// CHECK-NEXT: #map2 = affine_map<(d0) -> (d0 + 3)>
// CHECK-NEXT: #map3 = affine_map<(d0) -> (d0 + 4)>
// CHECK-NEXT: #map4 = affine_map<(d0) -> (d0 + 6)>

// CHECK-LABEL: func.func @whole(%m: memref<8xi32>) {
// CHECK-NEXT:    affine.for %i = 0 to 8 step 4 {
// CHECK-NEXT:      %x = arith.index_cast %i : index to i32
// CHECK-NEXT:      affine.store %x, %m[%i] : memref<8xi32>
// CHECK-NEXT:      %0 = affine.apply #map(%i)
// CHECK-NEXT:      %x_0 = arith.index_cast %0 : index to i32
// CHECK-NEXT:      affine.store %x_0, %m[%0] : memref<8xi32>
// CHECK-NEXT:      %1 = affine.apply #map1(%i)
// CHECK-NEXT:      %x_1 = arith.index_cast %1 : index to i32
// CHECK-NEXT:      affine.store %x_1, %m[%1] : memref<8xi32>
// CHECK-NEXT:      %2 = affine.apply #map2(%i)
// CHECK-NEXT:      %x_2 = arith.index_cast %2 : index to i32
// CHECK-NEXT:      affine.store %x_2, %m[%2] : memref<8xi32>
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @whole(%m: memref<8xi32>) {
  affine.for %i = 0 to 8 {
    %x = arith.index_cast %i : index to i32
    affine.store %x, %m[%i] : memref<8xi32>
  }
  return
}

// CHECK-LABEL: func.func @with_rest(%m: memref<16xi32>, %n: index) -> i32 {
// CHECK-NEXT:    %i = arith.constant 0 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : i32
// CHECK-NEXT:    %e = arith.constant 7 : index
// CHECK-NEXT:    %x = affine.load %m[%i] : memref<16xi32>
// CHECK-NEXT:    %t = arith.addi %c0, %x : i32
// CHECK-NEXT:    %0 = affine.apply #map1(%i)
// CHECK-NEXT:    %x_0 = affine.load %m[%0] : memref<16xi32>
// CHECK-NEXT:    %t_1 = arith.addi %t, %x_0 : i32
// CHECK-NEXT:    %1 = affine.apply #map3(%i)
// CHECK-NEXT:    %x_2 = affine.load %m[%1] : memref<16xi32>
// CHECK-NEXT:    %t_3 = arith.addi %t_1, %x_2 : i32
// CHECK-NEXT:    %2 = affine.apply #map4(%i)
// CHECK-NEXT:    %x_4 = affine.load %m[%2] : memref<16xi32>
// CHECK-NEXT:    %t_5 = arith.addi %t_3, %x_4 : i32
// CHECK-NEXT:    return %t_5 : i32
// CHECK-NEXT:  }
func.func @with_rest(%m: memref<16xi32>, %n: index) -> i32 {
  %c0 = arith.constant 0 : i32
  %e = arith.constant 7 : index
  %r = affine.for %i = 0 to 7 step 2 iter_args(%s = %c0) -> (i32) {
    %x = affine.load %m[%i] : memref<16xi32>
    %t = arith.addi %s, %x : i32
    affine.yield %t : i32
  }
  return %r : i32
}
