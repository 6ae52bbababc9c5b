// RUN: mlopt %s --expand-math --split-input-file | filecheck %s

// CHECK-LABEL: @rsqrt
func.func @rsqrt(%x: vector<14x32xf32>) -> vector<14x32xf32> {
  // CHECK:      %[[ONE:.*]] = arith.constant dense<1.0{{.*}}> : vector<14x32xf32>
  // CHECK-NEXT: %[[S:.*]] = math.sqrt %{{.*}} : vector<14x32xf32>
  // CHECK-NEXT: %[[R:.*]] = arith.divf %[[ONE]], %[[S]] : vector<14x32xf32>
  // CHECK-NEXT: return %[[R]]
  %r = math.rsqrt %x : vector<14x32xf32>
  func.return %r : vector<14x32xf32>
}

// -----

// The constants of all expansions stand once, at the beginning.
// CHECK-LABEL: @twice
func.func @twice(%x: f32) -> f32 {
  // CHECK-COUNT-15: arith.constant
  // CHECK-NOT: arith.constant
  // CHECK-NOT: math.exp
  %a = math.exp %x : f32
  %b = math.exp %a : f32
  // CHECK: return
  func.return %b : f32
}

// -----

// A square is a product.
// CHECK-LABEL: @square
func.func @square(%x: vector<32xf32>) -> vector<32xf32> {
  // CHECK: %[[R:.*]] = arith.mulf %[[X:.*]], %[[X]] : vector<32xf32>
  // CHECK-NEXT: return %[[R]]
  %two = arith.constant dense<2.0> : vector<32xf32>
  %r = math.powf %x, %two : vector<32xf32>
  func.return %r : vector<32xf32>
}

// -----

// bf16 is computed in f32.
// CHECK-LABEL: @narrow
func.func @narrow(%x: vector<32xbf16>) -> vector<32xbf16> {
  // CHECK: arith.extf %{{.*}} : vector<32xbf16> to vector<32xf32>
  // CHECK: math.sqrt %{{.*}} : vector<32xf32>
  // CHECK: arith.truncf %{{.*}} : vector<32xf32> to vector<32xbf16>
  %r = math.rsqrt %x : vector<32xbf16>
  func.return %r : vector<32xbf16>
}

// -----

// What processors have stays.
// CHECK-LABEL: @kept
func.func @kept(%x: vector<4xf32>) -> vector<4xf32> {
  // CHECK-NEXT: math.sqrt
  // CHECK-NEXT: math.absf
  // CHECK-NEXT: math.floor
  // CHECK-NEXT: return
  %a = math.sqrt %x : vector<4xf32>
  %b = math.absf %a : vector<4xf32>
  %c = math.floor %b : vector<4xf32>
  func.return %c : vector<4xf32>
}
