// RUN: mlopt %s --remarks-filter=inline --inline --verify-diagnostics -o /dev/null
// RUN: not mlopt %s --remarks-filter-passed=inline --inline --verify-diagnostics -o /dev/null 2>&1 | filecheck %s

// CHECK: remarks-expected.mlir:9:{{[0-9]+}}: error: expected remark "[Missed] inline" was not produced

func.func @caller() {
  // expected-remark @below {{[Passed] inline | Category:inline | Function=caller | Callee=small}}
  call @small() : () -> ()
  // expected-remark @below {{[Missed] inline}}
  call @endless() : () -> ()
  return
}
func.func private @small() {
  return
}
func.func @endless() {
  // expected-remark @below {{Reason="functions that call each other in a circle"}}
  call @endless() : () -> ()
  return
}
