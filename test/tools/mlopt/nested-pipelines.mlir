// RUN: mlopt %s --pass-pipeline='builtin.module(composite-fixed-point-pass{pipeline=any(cse,canonicalize)})' --mlir-print-ir-after-change 2>&1 >%t | filecheck %s
// RUN: mlopt %s --pass-pipeline='builtin.module(composite-fixed-point-pass{pipeline={builtin.module(func.func(cse,canonicalize{max-iterations=2}))}})' --dump-pass-pipeline 2>&1 >%t | filecheck %s --check-prefix=DUMP
// RUN: not mlopt %s --pass-pipeline='builtin.module(composite-fixed-point-pass{pipeline=any(cse,canonicalise)})' 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: mlopt %s --composite-fixed-point-pass='pipeline=any(canonicalize) max-iterations=1' 2>&1 >%t | filecheck %s --check-prefix=CONVERGE
// RUN: mlopt %s --pass-pipeline=@%S/Inputs/pipeline.txt | filecheck %s --check-prefix=FILE
// RUN: not mlopt %s --pass-pipeline=@%S/Inputs/bad-pipeline.txt 2>&1 | filecheck %s --check-prefix=BADFILE

// CHECK:      // -----// IR Dump After Canonicalizer (canonicalize) //----- //
// CHECK:      // -----// IR Dump After CompositeFixedPointPass (composite-fixed-point-pass) //----- //

// DUMP:      builtin.module(
// DUMP-NEXT:   composite-fixed-point-pass{max-iterations=10 pipeline={builtin.module(func.func(cse,canonicalize{max-iterations=2}))}}
// DUMP-NEXT: )

// UNKNOWN: error: 'canonicalise' does not refer to a registered pass or pass pipeline (did you mean 'canonicalize'

// CONVERGE: nested-pipelines.mlir:{{.*}} warning: Composite pass "CompositeFixedPointPass" didn't converge in 1 iterations

// FILE: return %x : i32

// BADFILE:      bad-pipeline.txt:3:5: error: 'csee' does not refer to a registered pass or pass pipeline (did you mean 'cse'
// BADFILE-NEXT:     csee
// BADFILE-NEXT:     ^
module {
  func.func @f(%x: i32) -> i32 {
    %zero = arith.constant 0 : i32
    %0 = arith.addi %x, %zero : i32
    return %0 : i32
  }
}
