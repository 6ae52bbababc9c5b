// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-after-all 2>&1 >%t | filecheck %s --check-prefix=AFTER
// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-before=cse 2>&1 >%t | filecheck %s --check-prefix=BEFORE
// RUN: mlopt %s --canonicalize --cse --mlir-print-ir-after-change 2>&1 >%t | filecheck %s --check-prefix=CHANGE
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize))' --mlir-print-ir-after=canonicalize 2>&1 >%t | filecheck %s --check-prefix=FUNC
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize))' --mlir-print-ir-after-all --mlir-print-ir-module-scope 2>&1 >%t | filecheck %s --check-prefix=SCOPE

// AFTER:      // -----// IR Dump After Canonicalize (canonicalize) //----- //
// AFTER-NEXT: builtin.module {
// AFTER:      // -----// IR Dump After {{.*}} (cse) //----- //

// BEFORE-NOT: canonicalize
// BEFORE:     // -----// IR Dump Before {{.*}} (cse) //----- //

// CHANGE:     // -----// IR Dump After Canonicalize (canonicalize) //----- //
// CHANGE-NOT: (cse)

// FUNC:      // -----// IR Dump After Canonicalize (canonicalize) //----- //
// FUNC-NEXT: func.func @f(%x: i32) -> i32 {
// FUNC-NEXT:   func.return %x : i32
// FUNC-NEXT: }

// SCOPE:      // -----// IR Dump After Canonicalize (canonicalize) ('func.func' operation: @f) //----- //
// SCOPE-NEXT: builtin.module {
func.func @f(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %0 = arith.addi %x, %zero : i32
  return %0 : i32
}
