// RUN: mlopt %s --canonicalize | filecheck %s

func.func private @g(i32) -> i32

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %[[R:.*]] = call @g(%{{.*}}) : (i32) -> i32
// CHECK-NEXT:    return %[[R]]
func.func @f(%a: i32) -> i32 {
  %f = constant @g : (i32) -> i32
  %r = call_indirect %f(%a) : (i32) -> i32
  return %r : i32
}
