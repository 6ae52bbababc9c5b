// RUN: mlopt %s | filecheck %s

func.func @more(%a: vector<4x8xf32>, %b: vector<8x6xf32>, %c: vector<4x6xf32>, %m: vector<4x6xi1>, %s: vector<[8]xf32>, %t: vector<4xf32>, %i: vector<f32>) -> vector<4x6xf32> {
  %0 = vector.contract {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %a, %b, %c : vector<4x8xf32>, vector<8x6xf32> into vector<4x6xf32>
  %1 = vector.mask %m { vector.multi_reduction <add>, %0, %t [1] : vector<4x6xf32> to vector<4xf32> } : vector<4x6xi1> -> vector<4xf32>
  %2, %3 = vector.scan <add>, %1, %i {inclusive = true, reduction_dim = 0 : i64} : vector<4xf32>, vector<f32>
  %4 = vector.interleave %1, %2 : vector<4xf32> -> vector<8xf32>
  %5, %6 = vector.deinterleave %4 : vector<8xf32> -> vector<4xf32>
  %7 = vector.scalable.insert %5, %s[4] : vector<4xf32> into vector<[8]xf32>
  %8 = vector.vscale
  vector.print str "sum: "
  vector.print %6 : vector<4xf32>
  return %0 : vector<4x6xf32>
}

// CHECK:      module {
// CHECK-NEXT:   func.func @more(%a: vector<4x8xf32>, %b: vector<8x6xf32>, %c: vector<4x6xf32>, %m: vector<4x6xi1>, %s: vector<[8]xf32>, %t: vector<4xf32>, %i: vector<f32>) -> vector<4x6xf32> {
// CHECK-NEXT:     %0 = vector.contract {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %a, %b, %c : vector<4x8xf32>, vector<8x6xf32> into vector<4x6xf32>
// CHECK-NEXT:     %1 = vector.mask %m { vector.multi_reduction <add>, %0, %t [1] : vector<4x6xf32> to vector<4xf32> } : vector<4x6xi1> -> vector<4xf32>
// CHECK-NEXT:     %2:2 = vector.scan <add>, %1, %i {inclusive = true, reduction_dim = 0 : i64} : vector<4xf32>, vector<f32>
// CHECK-NEXT:     %3 = vector.interleave %1, %2#0 : vector<4xf32> -> vector<8xf32>
// CHECK-NEXT:     %res1, %res2 = vector.deinterleave %3 : vector<8xf32> -> vector<4xf32>
// CHECK-NEXT:     %4 = vector.scalable.insert %res1, %s[4] : vector<4xf32> into vector<[8]xf32>
// CHECK-NEXT:     %5 = vector.vscale
// CHECK-NEXT:     vector.print str "sum: "
// CHECK-NEXT:     vector.print %res2 : vector<4xf32>
// CHECK-NEXT:     return %0 : vector<4x6xf32>
// CHECK-NEXT:   }
// CHECK-NEXT: }
