// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-after-all 2>&1 >%t | filecheck %s --check-prefix=AFTER
// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-before=cse 2>&1 >%t | filecheck %s --check-prefix=BEFORE
// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-after-change 2>&1 >%t | filecheck %s --check-prefix=CHANGE
// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-diff 2>&1 >%t | filecheck %s --check-prefix=DIFF
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize))' --mlir-print-ir-after=canonicalize 2>&1 >%t | filecheck %s --check-prefix=FUNC
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize))' --mlir-print-ir-after-all --mlir-print-ir-module-scope 2>&1 >%t | filecheck %s --check-prefix=SCOPE

// AFTER:      // -----// IR Dump After Canonicalizer (canonicalize) //----- //
// AFTER-NEXT: module {
// AFTER:      // -----// IR Dump After CSE (cse) //----- //

// BEFORE-NOT: canonicalize
// BEFORE:     // -----// IR Dump Before CSE (cse) //----- //

// CHANGE:     // -----// IR Dump After Canonicalizer (canonicalize) //----- //
// CHANGE-NOT: (cse)

// DIFF:      // -----// IR Dump After Canonicalizer (canonicalize) //----- //
// DIFF-NEXT: {{^@@ .* @@$}}
// DIFF-NEXT: {{^}} module {
// DIFF-NEXT: {{^}}   func.func @f(%x: i32) -> i32 {
// DIFF-NEXT: {{^}}-    %zero = arith.constant 0 : i32
// DIFF-NEXT: {{^}}-    %0 = arith.addi %x, %zero : i32
// DIFF-NEXT: {{^}}-    return %0 : i32
// DIFF-NEXT: {{^}}+    return %x : i32
// DIFF-NOT:  (cse)

// FUNC:      // -----// IR Dump After Canonicalizer (canonicalize) //----- //
// FUNC-NEXT: func.func @f(%x: i32) -> i32 {
// FUNC-NEXT:   return %x : i32
// FUNC-NEXT: }

// SCOPE:      // -----// IR Dump After Canonicalizer (canonicalize) ('func.func' operation: @f) //----- //
// SCOPE-NEXT: module {
func.func @f(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %0 = arith.addi %x, %zero : i32
  return %0 : i32
}
