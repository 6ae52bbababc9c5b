// RUN: mlopt %s --irdl-file=%S/Inputs/geometry.irdl.mlir --canonicalize | filecheck %s
// RUN: mlopt %s --irdl-file %S/Inputs/geometry.irdl.mlir | mlopt --irdl-file=%S/Inputs/geometry.irdl.mlir | filecheck %s
// RUN: not mlopt %s 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: not mlopt %s --irdl-file=/no/such.mlir 2>&1 | filecheck %s --check-prefix=FILE
// RUN: echo "func.func @f() { return }" > %t.mlir && not mlopt %s --irdl-file=%t.mlir 2>&1 | filecheck %s --check-prefix=EMPTY

// UNKNOWN: error: {{.*}}geometry
// FILE:    mlopt: error: cannot read '/no/such.mlir': No such file or directory
// EMPTY:   error: defines no dialect

// CHECK-LABEL: func.func @f
// CHECK-SAME:    (%p: !geometry.point<f32>, %q: !geometry.point<f32>) -> f32
func.func @f(%p: !geometry.point<f32>, %q: !geometry.point<f32>) -> f32 {
  // CHECK: %[[D:.*]] = "geometry.distance"(%p, %q) : (!geometry.point<f32>, !geometry.point<f32>) -> f32
  %d = "geometry.distance"(%p, %q) : (!geometry.point<f32>, !geometry.point<f32>) -> f32
  // CHECK: "geometry.polygon"(%p, %q, %p) {unit = #geometry.unit<"metre">}
  "geometry.polygon"(%p, %q, %p) {unit = #geometry.unit<"metre">} : (!geometry.point<f32>, !geometry.point<f32>, !geometry.point<f32>) -> ()
  // CHECK: return %[[D]] : f32
  return %d : f32
}
