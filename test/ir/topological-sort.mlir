// RUN: mlopt %s --topological-sort --allow-unregistered-dialect | filecheck %s

// CHECK:        "foo"
// CHECK-NEXT:   "baz"
// CHECK-NEXT:   "bar"
module {
  %0 = "foo"() : () -> i32
  "bar"(%1, %0) : (i32, i32) -> ()
  %1 = "baz"() : () -> i32
}

// What is used inside of an operation comes before it; of a circle, the first one stays first.
// CHECK:        "c"
// CHECK-NEXT:   "holds"
// CHECK:        "a"
// CHECK-NEXT:   "b"
module {
  "holds"() ({
    "inside"(%2) : (i32) -> ()
  }) : () -> ()
  %0 = "a"(%1) : (i32) -> i32
  %1 = "b"(%0) : (i32) -> i32
  %2 = "c"() : () -> i32
}

// Where the order is that of time, it stays.
// CHECK-LABEL: func.func @f
// CHECK-NEXT:    "z"
// CHECK-NEXT:    "y"
func.func @f() {
  "z"() : () -> ()
  "y"() : () -> ()
  return
}
