// RUN: mlopt debug %s --load-module %S/inputs/wrong_passes.py --wrong --cse -x %S/inputs/debug_commands.txt | filecheck %s
// RUN: mlopt debug %s --pass-pipeline='builtin.module(canonicalize)' < %S/inputs/debug_commands.txt | filecheck %s --check-prefix=STDIN
// RUN: not mlopt debug %s --no-such-pass 2>&1 | filecheck %s --check-prefix=BAD

// CHECK:      stop 1: pass 'wrong' begins on 'func.func' at {{.*}}debug.mlir:{{[0-9]+}}:1
// CHECK-NEXT: breakpoint 1: pattern SwapSub
// CHECK-NEXT: stop 2: 'AddSelf' has rewritten 'arith.addi'
// CHECK:        -    {{.*}}arith.addi
// CHECK:        +    {{.*}}arith.muli
// CHECK:      stop 4: 'SwapSub' has rewritten 'arith.subi' at {{.*}}debug.mlir:{{[0-9]+}}:8
// CHECK:        -    %3 = arith.subi %2, %y : i32
// CHECK-NEXT:   +    %3 = arith.subi %y, %2 : i32
// CHECK:      func.func @f(%x: i32, %y: i32) -> i32 {
// CHECK:        %3 = arith.subi %y, %2 : i32
// CHECK:      stop 3: 'AddSelf' has rewritten 'arith.addi'
// CHECK:      1  module {
// CHECK:      8      %3 = arith.subi %2, %y : i32
// CHECK:      operand         argument 1 of a block
// CHECK-NEXT: operand      4  %0 = arith.muli
// CHECK-NEXT: used by      7  %2 = arith.muli %1
// CHECK-NEXT: error: break needs a kind and a name (kinds are pass, pattern, op, loc)
// CHECK-NEXT: error: there is no command 'foo' (help lists them)
// CHECK-NEXT: error: there is no breakpoint 2
// CHECK-NEXT: stop 3:
// CHECK:      stop 4: 'SwapSub'
// CHECK:      stop 7: the end
// CHECK-NEXT: the passes are over; back, goto and quit remain
// CHECK-NEXT: stop 6: pass 'cse' begins on 'builtin.module'
// STDIN:      stop 1: pass 'canonicalize' begins on 'builtin.module'
// STDIN:      the end
// BAD:        error: unknown command line argument '--no-such-pass'

func.func @f(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  %1 = arith.subi %y, %0 : i32
  %2 = arith.addi %1, %1 : i32
  %3 = arith.subi %2, %y : i32
  return %3 : i32
}

func.func @g(%x: i32) -> i32 {
  return %x : i32
}
