// RUN: mlopt %s --affine-loop-unroll=unroll-factor=-1 | filecheck %s
// RUN: mlopt %s --validate-each --affine-loop-unroll=unroll-factor=-1 -o /dev/null

// CHECK: #map = affine_map<(d0) -> (d0 + 1)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 + 2)>
// CHECK-NEXT: #map2 = affine_map<(d0) -> (d0 + 3)>
// CHECK-NEXT: #map3 = affine_map<(d0) -> (d0 + 4)>
// CHECK-NEXT: #map4 = affine_map<(d0) -> (d0 + 5)>
// CHECK-NEXT: #map5 = affine_map<(d0) -> (d0 + 6)>
// CHECK-NEXT: #map6 = affine_map<(d0) -> (d0 + 7)>

// CHECK-LABEL: func.func @full(%m: memref<8xi32>) {
// CHECK-NEXT:    %i = arith.constant 0 : index
// CHECK-NEXT:    %x = arith.index_cast %i : index to i32
// CHECK-NEXT:    affine.store %x, %m[%i] : memref<8xi32>
// CHECK-NEXT:    %0 = affine.apply #map(%i)
// CHECK-NEXT:    %x_0 = arith.index_cast %0 : index to i32
// CHECK-NEXT:    affine.store %x_0, %m[%0] : memref<8xi32>
// CHECK-NEXT:    %1 = affine.apply #map1(%i)
// CHECK-NEXT:    %x_1 = arith.index_cast %1 : index to i32
// CHECK-NEXT:    affine.store %x_1, %m[%1] : memref<8xi32>
// CHECK-NEXT:    %2 = affine.apply #map2(%i)
// CHECK-NEXT:    %x_2 = arith.index_cast %2 : index to i32
// CHECK-NEXT:    affine.store %x_2, %m[%2] : memref<8xi32>
// CHECK-NEXT:    %3 = affine.apply #map3(%i)
// CHECK-NEXT:    %x_3 = arith.index_cast %3 : index to i32
// CHECK-NEXT:    affine.store %x_3, %m[%3] : memref<8xi32>
// CHECK-NEXT:    %4 = affine.apply #map4(%i)
// CHECK-NEXT:    %x_4 = arith.index_cast %4 : index to i32
// CHECK-NEXT:    affine.store %x_4, %m[%4] : memref<8xi32>
// CHECK-NEXT:    %5 = affine.apply #map5(%i)
// CHECK-NEXT:    %x_5 = arith.index_cast %5 : index to i32
// CHECK-NEXT:    affine.store %x_5, %m[%5] : memref<8xi32>
// CHECK-NEXT:    %6 = affine.apply #map6(%i)
// CHECK-NEXT:    %x_6 = arith.index_cast %6 : index to i32
// CHECK-NEXT:    affine.store %x_6, %m[%6] : memref<8xi32>
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @full(%m: memref<8xi32>) {
  affine.for %i = 0 to 8 {
    %x = arith.index_cast %i : index to i32
    affine.store %x, %m[%i] : memref<8xi32>
  }
  return
}
