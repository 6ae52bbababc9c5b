// RUN: mlopt %s --canonicalize --log-actions-to=%t && filecheck %s --check-prefix=LOG --input-file=%t
// RUN: mlopt %s --canonicalize --log-actions-to=- --log-mlir-actions-filter=%s:30 | filecheck %s --check-prefix=FILTER
// RUN: mlopt %s --canonicalize --mlir-debug-counter=greedy-rewriter-count=1 --mlir-print-debug-counter 2>&1 >%t | filecheck %s --check-prefix=COUNT
// RUN: mlopt %s --canonicalize --mlir-debug-counter=greedy-rewriter-count=1 | filecheck %s --check-prefix=ONE
// RUN: mlopt %s --canonicalize --mlir-debug-counter=fold-count=0,apply-pattern-count=0 | filecheck %s --check-prefix=SKIP
// RUN: mlopt %s --canonicalize --mlir-debug-counter=pass-execution-count=0 | filecheck %s --check-prefix=NONE
// RUN: mlopt %s --canonicalize --profile-actions-to=- | filecheck %s --check-prefix=TRACE
// RUN: not mlopt %s --canonicalize --mlir-debug-counter=fold=2 2>&1 | filecheck %s --check-prefix=BAD
// RUN: not mlopt %s --canonicalize --mlir-debug-counter=folding-skip=2 2>&1 | filecheck %s --check-prefix=TAG

// LOG:      [thread mlopt] begins (no breakpoint) Action `pass-execution` running `canonicalize` on Operation `builtin.module` (#0)
// LOG-NEXT: begins (no breakpoint) Action `GreedyPatternRewriteIteration` of `1` on Operation `builtin.module` (#0)
// LOG:      begins (no breakpoint) Action `fold` of `fold of arith.addi` on Operation `arith.addi` (#3) at {{.*}}actions.mlir:30:8
// LOG-NEXT:   replaced `arith.addi` (#3) by a block argument
// LOG-NEXT:   modified `arith.muli` (#4)
// LOG-NEXT:   modified `arith.muli` (#4)
// LOG-NEXT:   erased `arith.addi` (#3)
// LOG-NEXT: completed `fold` -> success
// LOG:      begins (no breakpoint) Action `erase-dead` of `dead operation` on Operation `arith.constant` (#2)
// LOG-NEXT:   erased `arith.constant` (#2)
// LOG-NEXT: completed `erase-dead` -> success
// LOG:      completed `GreedyPatternRewriteIteration` -> success
// LOG:      completed `GreedyPatternRewriteIteration` -> failure
// LOG-NEXT: completed `pass-execution`

func.func @f(%x: i32) -> i32 {
  // FILTER-NOT: (#4)
  // FILTER:     Action `fold` of `fold of arith.addi` on Operation `arith.addi` (#3)
  %zero = arith.constant 0 : i32
  %a = arith.addi %x, %zero : i32
  %b = arith.muli %a, %a : i32
  return %b : i32
}

// ONE:      arith.muli %x, %x
// ONE-NOT:  arith.addi
// COUNT:      DebugCounter counters:
// COUNT-NEXT: greedy-rewriter                 : {{[{][0-9]+,0,1[}]}}
// SKIP:     arith.addi
// NONE:     arith.addi
// TRACE:    {"name": "pass-execution", "cat": "PERF", "ph": "B", "pid": 0, "tid": 0
// TRACE:    {"name": "fold", "cat": "PERF", "ph": "B", {{.*}}"op": "arith.addi"
// BAD:      error: expected DebugCounter counter name to end with either `-skip` or `-count`, but got `fold`
// TAG:      error: no action has the tag 'folding'
