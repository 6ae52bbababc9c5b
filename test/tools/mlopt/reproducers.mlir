// RUN: not mlopt %s --pass-pipeline='builtin.module(cse,func.func(canonicalize{max-iterations=3}),convert-nn-to-linalg)' --mlir-pass-pipeline-crash-reproducer=%t 2>&1 | filecheck %s --check-prefix=SAID
// RUN: filecheck %s --check-prefix=WHOLE < %t
// RUN: not mlopt %t --run-reproducer 2>&1 | filecheck %s --check-prefix=AGAIN
// RUN: not mlopt %s --pass-pipeline='builtin.module(cse,func.func(canonicalize),convert-nn-to-linalg)' --mlir-pass-pipeline-crash-reproducer=%t --mlir-pass-pipeline-local-reproducer 2>&1 | filecheck %s --check-prefix=SAIDLOCAL
// RUN: filecheck %s --check-prefix=LOCAL < %t
// RUN: mlopt %s --cse --mlir-generate-reproducer=%t | filecheck %s --check-prefix=OUTPUT
// RUN: filecheck %s --check-prefix=GENERATED < %t
// RUN: mlopt %t --run-reproducer --dump-pass-pipeline 2>&1 | filecheck %s --check-prefix=REPLAY
// RUN: not mlopt %s --run-reproducer 2>&1 | filecheck %s --check-prefix=NONE

// SAID:      error: Failures have been detected while processing an MLIR pass pipeline
// SAID:      note: Pipeline failed while executing [`{{.*}}` on 'builtin.module' operation]: reproducer generated at `
// SAIDLOCAL: note: Pipeline failed while executing `{{.*}}` on 'builtin.module' operation: reproducer generated at `

// WHOLE:      arith.addi
// WHOLE:      {{^\{-#$}}
// WHOLE-NEXT:   external_resources: {
// WHOLE-NEXT:     mlir_reproducer: {
// WHOLE-NEXT:       pipeline: "builtin.module(cse,func.func(canonicalize{{{.*}}max-iterations=3{{.*}}}),convert-nn-to-linalg{{.*}})",
// WHOLE-NEXT:       disable_threading: true,
// WHOLE-NEXT:       verify_each: true
// WHOLE-NEXT:     }
// WHOLE-NEXT:   }
// WHOLE-NEXT: #-}

// AGAIN: error: 

// LOCAL-NOT: arith.addi
// LOCAL:     pipeline: "builtin.module(convert-nn-to-linalg{{.*}})",

// OUTPUT-NOT:    %1 =
// GENERATED: pipeline: "builtin.module(cse)",
// REPLAY: builtin.module(
// REPLAY-NEXT: cse

// NONE: reproducers.mlir:1:1: error: this file has no reproducer to run
func.func @f(%x: tensor<?xf32>, %i: i32) -> tensor<?xf32> {
  %0 = arith.addi %i, %i : i32
  %1 = nn.relu %x : tensor<?xf32>
  return %1 : tensor<?xf32>
}
