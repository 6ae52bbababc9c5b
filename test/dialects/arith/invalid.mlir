// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @extsi(%a: i32) {
  // expected-error @below {{operand type 'i32' and result type 'i16' are cast incompatible}}
  %b = arith.extsi %a : i32 to i16
  func.return
}

// -----

func.func @shapes(%a: vector<4xi32>) {
  // expected-error @below {{requires the same shape for all operands and results}}
  %b = arith.sitofp %a : vector<4xi32> to vector<8xf32>
  func.return
}

// -----

func.func @kinds(%a: f32) {
  // expected-error @below {{operand #0 must be signless-non-zero-bitwidth-integer-like or memref of signless-integer, but got 'f32'}}
  %b = arith.index_cast %a : f32 to index
  func.return
}

// -----

func.func @select(%c: vector<4xi1>, %a: vector<8xf32>) {
  // expected-error @below {{failed to verify that condition is signless i1 or has matching shape}}
  %b = arith.select %c, %a, %a : vector<4xi1>, vector<8xf32>
  func.return
}

// -----

func.func @compare(%a: vector<4xi32>) {
  // expected-error @below {{failed to verify that result type has i1 element type and same shape as operands}}
  %b = "arith.cmpi"(%a, %a) <{predicate = 0 : i64}> : (vector<4xi32>, vector<4xi32>) -> i1
  func.return
}

// -----

func.func @isnan(%a: vector<4xf32>) {
  // expected-error @below {{failed to verify that result type has i1 element type and same shape as operands}}
  %b = "math.isnan"(%a) : (vector<4xf32>) -> i1
  func.return
}
