// RUN: mlopt %s --split-input-file --verify-diagnostics
// What MLIR refuses while it reads, in its words.

func.func @f() {
  // expected-error@+1 {{custom op 'foo' is unknown (tried 'func.foo' as well)}}
  foo
}

// -----

// expected-error@+1 {{Dialect `foo' not found for custom op 'foo.bar'}}
foo.bar

// -----

// expected-error@+1 {{operation being parsed with an unregistered dialect. If this is intended, please use -allow-unregistered-dialect}}
"test.op"() : () -> ()

// -----

// expected-error@+1 {{unregistered operation 'arith.blub' found in dialect ('arith') that does not allow unknown operations}}
"arith.blub"() : () -> ()

// -----

// expected-error@+1 {{vector types must have positive constant sizes but got 0, 4}}
func.func private @f(vector<0x4xf32>)

// -----

// expected-error@+1 {{invalid tensor element type}}
func.func private @f(tensor<tuple<>>)

// -----

// expected-error@+1 {{integer bitwidth is limited to 16777215 bits}}
func.func private @f(i16777216)

// -----

// expected-error@+1 {{unexpected decimal integer literal for a floating point value}}
%0 = arith.constant 1 : f32

// -----

func.func @f(%a: f32) {
  // expected-error@+1 {{Invalid attribute `fastmath` in property conversion: 3 : i32}}
  %0 = "arith.addf"(%a, %a) <{fastmath = 3 : i32}> : (f32, f32) -> f32
  return
}

// -----

// expected-error@+1 {{constant too large for index}}
func.func private @f() attributes {a = affine_map<(d0) -> (d0 + 9223372036854775808)>}

// -----

// expected-error@+1 {{integer constant out of range for attribute}}
func.func private @f() attributes {a = 12345678901234567890123 : index}

// -----

// expected-error@+1 {{sparse index #1 is not contained within the value shape, with index=[3, 2], and type=tensor<3x4xi32>}}
func.func private @f() attributes {a = sparse<[[0, 0], [3, 2]], [1, 5]> : tensor<3x4xi32>}
