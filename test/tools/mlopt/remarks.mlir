// RUN: mlopt %s --remarks-filter=.* --inline --loop-invariant-code-motion 2>&1 -o /dev/null | filecheck %s
// RUN: mlopt %s --remarks-filter-missed=inline --inline --loop-invariant-code-motion 2>&1 -o /dev/null | filecheck %s --check-prefix=MISSED
// RUN: mlopt %s --remarks-filter=inline --remark-format=yaml --remarks-output-file=%t.yaml --inline -o /dev/null && filecheck %s --check-prefix=YAML < %t.yaml
// RUN: mlopt %s --remarks-filter=inlin --inline --verify-diagnostics=only-expected -o /dev/null
// RUN: not mlopt %s --remarks-filter='(' 2>&1 | filecheck %s --check-prefix=BAD

// CHECK:      remarks.mlir:44:3: remark: [Missed] inline | Category:inline | Function=endless | Callee=endless, Reason="functions that call each other in a circle"
// CHECK:      remarks.mlir:32:3: remark: [Passed] inline | Category:inline | Function=caller | Callee=small
// CHECK-NEXT:   call @small() : () -> ()
// CHECK-NEXT:   ^
// CHECK:      remarks.mlir:33:3: remark: [Missed] inline | Category:inline | Function=caller | Callee=endless, Reason="the function calls itself"
// CHECK:      remarks.mlir:35:10: remark: [Passed] loop-invariant-code-motion | Category:loop-invariant-code-motion | Function=caller | Remark="'arith.muli' is moved before 'scf.for'"

// MISSED-NOT: [Passed]
// MISSED:     [Missed] inline | Category:inline | Function=caller | Callee=endless
// MISSED-NOT: loop-invariant

// YAML:      --- !Missed
// YAML:      --- !Passed
// YAML-NEXT: Pass:            inline
// YAML-NEXT: Name:            inline
// YAML-NEXT: DebugLoc:        { File: '{{.*}}remarks.mlir', Line: 32, Column: 3 }
// YAML-NEXT: Function:        caller
// YAML-NEXT: Args:
// YAML-NEXT:   - Callee:          'small'
// YAML-NEXT: ...
// YAML-NEXT: --- !Missed

// BAD: mlopt: error: --remarks-filter is no regular expression: missing ), unterminated subpattern at position 0

func.func @caller(%a: i32, %l: index, %n: index, %s: index, %m: memref<?xi32>) {
  call @small() : () -> ()
  call @endless() : () -> ()
  scf.for %i = %l to %n step %s {
    %x = arith.muli %a, %a : i32
    memref.store %x, %m[%i] : memref<?xi32>
  }
  return
}
func.func @small() {
  return
}
func.func @endless() {
  call @endless() : () -> ()
  return
}
