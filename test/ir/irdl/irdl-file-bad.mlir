// RUN: mlopt %s --irdl-file=%S/Inputs/geometry.irdl.mlir --split-input-file --verify-diagnostics

// expected-error@+1 {{'i32' does not satisfy the constraint}}
func.func @a(%p: !geometry.point<i32>) {
  return
}

// -----

// expected-error@+1 {{expected 1 type arguments, but had 0}}
func.func @b(%p: !geometry.point) {
  return
}

// -----

func.func @c(%p: !geometry.point<f32>, %q: !geometry.point<f64>) -> f32 {
  // expected-error@+1 {{expected '!geometry.point<f32>' but got '!geometry.point<f64>'}}
  %d = "geometry.distance"(%p, %q) : (!geometry.point<f32>, !geometry.point<f64>) -> f32
  return %d : f32
}

// -----

func.func @d(%p: !geometry.point<f32>) -> f64 {
  // expected-error@+1 {{expected 'f32' but got 'f64'}}
  %d = "geometry.distance"(%p, %p) : (!geometry.point<f32>, !geometry.point<f32>) -> f64
  return %d : f64
}

// -----

func.func @e(%p: !geometry.point<f32>) {
  // expected-error@+1 {{op expects exactly 2 operands, but got 1}}
  %d = "geometry.distance"(%p) : (!geometry.point<f32>) -> f32
  return
}

// -----

func.func @f(%p: f32) {
  // expected-error@+1 {{expected base type 'geometry.point' but got 'builtin.f32'}}
  "geometry.polygon"(%p) {unit = #geometry.unit<"metre">} : (f32) -> ()
  return
}

// -----

func.func @g() {
  // expected-error@+1 {{attribute "unit" is expected but not provided}}
  "geometry.polygon"() : () -> ()
  return
}

// -----

func.func @h() {
  // expected-error@+1 {{expected base attribute 'geometry.unit' but got 'builtin.type'}}
  "geometry.polygon"() {unit = i32} : () -> ()
  return
}

// -----

func.func @i(%p: !geometry.point<f32>) {
  // expected-error@+1 {{'operandSegmentSizes' attribute is expected but not provided}}
  "geometry.each"(%p) ({
  ^bb0(%q: !geometry.point<f32>):
    llvm.unreachable
  }) : (!geometry.point<f32>) -> ()
  return
}

// -----

func.func @j() {
  // expected-error@+1 {{expected region 0 to have 1 arguments but got 0}}
  "geometry.each"() ({
    llvm.unreachable
  }) {operandSegmentSizes = array<i32: 0, 0>} : () -> ()
  return
}

// -----

func.func @k() {
  // expected-error@+1 {{element 1 in 'operandSegmentSizes' attribute must be equal to 0 or 1}}
  "geometry.each"() ({
  ^bb0(%q: !geometry.point<f32>):
    llvm.unreachable
  }) {operandSegmentSizes = array<i32: 0, 2>} : () -> ()
  return
}
