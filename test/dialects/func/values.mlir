// RUN: mlopt %s | mlopt | filecheck %s

func.func private @g(i32) -> i32

// CHECK-LABEL: func.func @f
// CHECK:         %[[F:.*]] = constant @g : (i32) -> i32
// CHECK-NEXT:    call_indirect %[[F]](%{{.*}}) : (i32) -> i32
func.func @f(%a: i32) -> i32 {
  %f = constant @g : (i32) -> i32
  %r = call_indirect %f(%a) : (i32) -> i32
  return %r : i32
}
