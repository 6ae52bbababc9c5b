// RUN: mlopt %s --mlir-print-debuginfo --mlir-print-upstream-names | filecheck %s
// RUN: mlopt %s --mlir-print-debuginfo --mlir-print-upstream-names | mlopt --mlir-print-debuginfo --mlir-print-upstream-names | filecheck %s
// RUN: mlopt %s --mlir-print-debuginfo --mlir-print-local-scope | filecheck %s --check-prefix=LOCAL
// Names of locations: what arguments and attributes refer to stands above the IR, the rest below, the simple before the composed.

// CHECK:       #loc = loc("a.mlir":1:2)
// CHECK-NEXT:  #loc1 = loc(unknown)
// CHECK-NEXT:  #loc3 = loc("hey")
// CHECK-NEXT:  #map = affine_map<(d0) -> (d0 + 1)>
// CHECK-NEXT:  #loc4 = loc("foo"(#loc))
// CHECK-NEXT:  module {
// CHECK-NEXT:    func.func @f(%arg0: i32 loc("foo"(#loc)), %arg1: memref<4xf32, #map> loc(unknown)) -> i32 {
// CHECK-NEXT:      %0 = arith.addi %arg0, %arg0 : i32 loc(#loc5)
// CHECK-NEXT:      cf.br ^bb1(%0 : i32) loc(#loc6)
// CHECK-NEXT:    ^bb1(%1: i32 loc("foo"(#loc))):  // pred: ^bb0
// CHECK-NEXT:      return {stuff = #loc3} %1 : i32 loc(#loc2)
// CHECK-NEXT:    } loc(#loc)
// CHECK-NEXT:  } loc(#loc)
// CHECK-NEXT:  #loc2 = loc("b.mlir":3:0)
// CHECK-NEXT:  #loc5 = loc(fused<"x">[#loc, #loc4])
// CHECK-NEXT:  #loc6 = loc(callsite(#loc at #loc4))

// LOCAL:       arith.addi %{{.*}} : i32 loc(fused<"x">["a.mlir":1:2, "foo"("a.mlir":1:2)])
#loc = loc("a.mlir":1:2)
#loc1 = loc("foo"(#loc))
#map = affine_map<(d0) -> (d0 + 1)>
module {
  func.func @f(%a: i32 loc(#loc1), %m: memref<4xf32, #map> loc(unknown)) -> i32 {
    %s = arith.addi %a, %a : i32 loc(fused<"x">[#loc, #loc1])
    cf.br ^done(%s : i32) loc(callsite(#loc at #loc1))
  ^done(%d: i32 loc(#loc1)):
    return {stuff = loc("hey")} %d : i32 loc(#later)
  } loc(#loc)
} loc(#loc)
#later = loc("b.mlir":3)
