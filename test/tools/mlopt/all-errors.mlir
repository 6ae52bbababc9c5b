// RUN: not mlopt %s 2>&1 | filecheck %s
// RUN: not mlopt %s --diagnostics=json 2>&1 | filecheck %s --check-prefix=JSON
// RUN: not mlopt %s --mlir-disable-diagnostic-notes 2>&1 | filecheck %s --check-prefix=NONOTES
// RUN: not mlopt %s --mlir-print-op-on-diagnostic=0 2>&1 | filecheck %s --check-prefix=NONOTES
// RUN: not mlopt %s --mlir-print-stacktrace-on-diagnostic --convert-nn-to-linalg 2>&1 | filecheck %s --check-prefix=FIRST
// RUN: mlopt %s --mlir-very-unsafe-disable-verifier-on-parsing --verify-each=0 | filecheck %s --check-prefix=UNVERIFIED

// CHECK:      all-errors.mlir:{{[0-9]+}}:8: error: 'arith.addi' op
// CHECK-NEXT:   %0 = "arith.addi"(%a, %b) : (i32, f32) -> i32
// CHECK-NEXT:        ^
// CHECK-NEXT: note: see current operation: %0 = "arith.addi"(%a, %b)
// CHECK:      error: 'arith.muli' op
// CHECK:      error: 'arith.subi' op

// JSON:      {"severity": "error", "message": "'arith.addi' op {{.*}}", "file": "{{.*}}all-errors.mlir", "line": 26, "column": 8, "notes": [{"severity": "note", "message": "see current operation: {{.*}}
// JSON-NEXT: {"severity": "error", "message": "'arith.muli' op
// JSON-NEXT: {"severity": "error", "message": "'arith.subi' op

// NONOTES-NOT: note:
// NONOTES:     error: 'arith.muli' op
// NONOTES-NOT: note:

// FIRST: error: 'arith.addi' op
// UNVERIFIED: arith.addi %a, %b
func.func @two(%a: i32, %b: f32) -> i32 {
  %0 = "arith.addi"(%a, %b) : (i32, f32) -> i32
  %1 = "arith.muli"(%a, %b) : (i32, f32) -> i32
  return %a : i32
}
func.func @one(%a: i32, %b: f32) -> i32 {
  %0 = "arith.subi"(%a, %b) : (i32, f32) -> i32
  return %a : i32
}
