// RUN: mlopt %s --canonicalize | filecheck %s

// 1 << 16777000 has five million digits.
// CHECK-LABEL: @too_wide
// CHECK: arith.shli %{{.*}}, %{{.*}} : i16777215
func.func @too_wide() -> i16777215 {
  %one = arith.constant 1 : i16777215
  %far = arith.constant 16777000 : i16777215
  %r = arith.shli %one, %far : i16777215
  return %r : i16777215
}

// CHECK-LABEL: @wide
// CHECK: arith.constant 1267650600228229401496703205376 : i4096
// CHECK-NOT: arith.shli
func.func @wide() -> i4096 {
  %one = arith.constant 1 : i4096
  %far = arith.constant 100 : i4096
  %r = arith.shli %one, %far : i4096
  return %r : i4096
}
