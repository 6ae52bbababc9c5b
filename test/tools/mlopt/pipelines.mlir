// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize{max-iterations=3},cse))' --dump-pass-pipeline 2>&1 >%t | filecheck %s --check-prefix=DUMP
// RUN: not mlopt %s --pass-pipeline='builtin.module(func.func(canonicalise))' 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: not mlopt %s --pass-pipeline='builtin.module(canonicalize{max-iteration=3})' 2>&1 | filecheck %s --check-prefix=OPTION
// RUN: not mlopt %s --pass-pipeline='func.func(canonicalize)' 2>&1 | filecheck %s --check-prefix=ANCHOR
// RUN: not mlopt %s --canonicalise 2>&1 | filecheck %s --check-prefix=FLAG
// RUN: not mlopt %s.missing 2>&1 | filecheck %s --check-prefix=FILE

// DUMP:      Pass Manager with 1 passes:
// DUMP-NEXT: module(
// DUMP-NEXT:   func.func(
// DUMP-NEXT:     canonicalize{{.*}}max-iterations=3{{.*}},
// DUMP-NEXT:     cse
// DUMP-NEXT:   )
// DUMP-NEXT: )

// UNKNOWN:      MLIR Textual PassPipeline Parser:1:26: error: 'canonicalise' does not refer to a registered pass or pass pipeline (did you mean 'canonicalize'
// UNKNOWN-NEXT: module(func.func(canonicalise))
// UNKNOWN-NEXT: {{ {25}\^}}

// OPTION: :1:16: error: 'canonicalize' has no option 'max-iteration' (did you mean 'max-iterations'?)

// ANCHOR: error: can't run 'func.func' pass manager on 'builtin.module' op

// FLAG: mlopt: error: unknown command line argument '--canonicalise' (did you mean 'canonicalize'

// FILE: mlopt: error: cannot read '{{.*}}pipelines.mlir.missing': No such file or directory
func.func private @f()
