// RUN: mlopt %s --mlir-print-debuginfo | filecheck %s
// RUN: mlopt %s --mlir-print-debuginfo | mlopt --mlir-print-debuginfo | filecheck %s
// RUN: mlopt %s --mlir-print-debuginfo --mlir-pretty-debuginfo | filecheck %s --check-prefix=PRETTY

// CHECK:      func.func @f() {
// CHECK-NEXT:   return loc(#loc2)
// CHECK-NEXT: } loc(#loc1)
// CHECK:      #loc1 = loc("a.c":1:2 to :9)
// CHECK-NEXT: #loc2 = loc("a.c":1:2 to 3:4)

// PRETTY:      return a.c:1:2 to 3:4
// PRETTY-NEXT: } a.c:1:2 to :9

func.func @f() {
  return loc("a.c":1:2 to 3:4)
} loc("a.c":1:2 to :9)
