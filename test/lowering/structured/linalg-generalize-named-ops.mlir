// RUN: mlopt %s --linalg-generalize-named-ops | filecheck %s
// RUN: mlopt %s --validate-each --linalg-generalize-named-ops -o /dev/null

// CHECK-DAG: #map = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #map1 = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #map2 = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: func.func @matmul
// CHECK-NEXT:    %m = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<4x8xi8>, tensor<8x6xi8>) outs(%c : tensor<4x6xi32>) {
// CHECK-NEXT:    ^bb0([[A:%[a-z0-9_]+]]: i8, [[B:%[a-z0-9_]+]]: i8, [[C:%[a-z0-9_]+]]: i32):
// CHECK-NEXT:      [[X:%[a-z0-9_]+]] = arith.extsi [[A]] : i8 to i32
// CHECK-NEXT:      [[Y:%[a-z0-9_]+]] = arith.extsi [[B]] : i8 to i32
// CHECK-NEXT:      [[P:%[a-z0-9_]+]] = arith.muli [[X]], [[Y]] : i32
// CHECK-NEXT:      [[S:%[a-z0-9_]+]] = arith.addi [[C]], [[P]] : i32
// CHECK-NEXT:      linalg.yield [[S]] : i32
// CHECK-NEXT:    } -> tensor<4x6xi32>
func.func @matmul(%a: tensor<4x8xi8>, %b: tensor<8x6xi8>, %c: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %m = linalg.matmul {tag} ins(%a, %b : tensor<4x8xi8>, tensor<8x6xi8>) outs(%c : tensor<4x6xi32>) -> tensor<4x6xi32>
  return %m : tensor<4x6xi32>
}

// CHECK-LABEL: func.func @others
// CHECK-NOT:     linalg.{{[a-fh-xz]}}
// CHECK:         return
func.func @others(%x: tensor<4x3xf32>, %v: tensor<4xf32>, %t: tensor<3x4xf32>, %s: f32) -> (tensor<4xf32>, tensor<4x3xf32>) {
  %f = linalg.fill ins(%s : f32) outs(%x : tensor<4x3xf32>) -> tensor<4x3xf32>
  %e = linalg.elementwise kind=#linalg.elementwise_kind<add> ins(%f, %x : tensor<4x3xf32>, tensor<4x3xf32>) outs(%x : tensor<4x3xf32>) -> tensor<4x3xf32>
  %p = linalg.transpose ins(%e : tensor<4x3xf32>) outs(%t : tensor<3x4xf32>) permutation = [1, 0]
  %r = linalg.reduce { arith.addf } ins(%p : tensor<3x4xf32>) outs(%v : tensor<4xf32>) dimensions = [0]
  %b = linalg.broadcast ins(%r : tensor<4xf32>) outs(%x : tensor<4x3xf32>) dimensions = [1]
  %h = linalg.map { arith.mulf } ins(%b, %e : tensor<4x3xf32>, tensor<4x3xf32>) outs(%x : tensor<4x3xf32>)
  return %r, %h : tensor<4xf32>, tensor<4x3xf32>
}
