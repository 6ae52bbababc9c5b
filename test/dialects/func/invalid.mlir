// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @f() {
  // expected-error @below {{reference to undefined function 'g'}}
  %f = func.constant @g : (i32) -> i32
  return
}

// -----

func.func private @g(i64) -> i32
func.func @f() {
  // expected-error @below {{reference to function with mismatched type}}
  %f = func.constant @g : (i32) -> i32
  return
}

// -----

func.func private @h() -> (i32, f32)
func.func @types() {
  // expected-error @+3 {{'func.call' op result type mismatch at index 0}}
  // expected-note @+2 {{op result types: 'f32', 'i32'}}
  // expected-note @+1 {{function result types: 'i32', 'f32'}}
  %0:2 = call @h() : () -> (f32, i32)
  return
}

// -----

func.func @count() -> i32 {
  // expected-error @below {{'func.return' op has 0 operands, but enclosing function (@count) returns 1}}
  return
}

// -----

func.func @type(%x: f32) -> i32 {
  // expected-error @below {{type of return operand 0 ('f32') doesn't match function result type ('i32') in function @type}}
  return %x : f32
}

// -----

// expected-error @below {{arguments may only have dialect attributes}}
func.func private @argument(i32 {plain = 1 : i32})

// -----

// expected-error @below {{expected non-empty function body}}
func.func @empty() {}

// -----

// expected-error @below {{expected type instead of SSA identifier}}
func.func @mixed(i32, %b: i32)
