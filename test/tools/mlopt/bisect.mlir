// RUN: mlopt bisect %s --load-module %S/inputs/wrong_passes.py --cse --wrong --canonicalize | filecheck %s
// RUN: mlopt bisect %s --load-module %S/inputs/wrong_passes.py --cse --wrong --canonicalize --test 'grep -q "subi %y, " {} && exit 1; exit 0' | filecheck %s --check-prefix=TEST
// RUN: not mlopt bisect %s --cse --canonicalize 2>&1 | filecheck %s --check-prefix=NOTHING
// RUN: not mlopt bisect %s 2>&1 | filecheck %s --check-prefix=NO-PASS
// RUN: not mlopt bisect %s --cse --validate=few 2>&1 | filecheck %s --check-prefix=NUMBER
// RUN: not mlopt bisect %s --cse --test /no/such/script 2>&1 | filecheck %s --check-prefix=SCRIPT
// RUN: not mlopt %s --load-module %S/inputs/wrong_passes.py --cse --wrong --validate-each 2>&1 | filecheck %s --check-prefix=EACH

// CHECK:      pass 2 of 4, 'wrong', is the first after which the IR is bad: the pass changed result 0 of '@f'
// CHECK-NEXT: in it, rewrite {{[0-9]+}} of {{[0-9]+}}, 'SwapSub' on 'arith.subi' at {{.*}}bisect.mlir:{{[0-9]+}}:8
// CHECK:      -{{.*}} arith.subi {{%.*}}, %y : i32
// CHECK-NEXT: +{{.*}} arith.subi %y, {{%.*}} : i32
// TEST:       pass 2 of 4, 'wrong', is the first after which the IR is bad: the command ends with status 1
// NOTHING:    error: the IR is good after all passes
// SCRIPT:     error: the command cannot be run: {{.*}}/no/such/script
// NO-PASS:    error: there is nothing to bisect: no pass is given
// NUMBER:     error: --validate needs a number of inputs, not 'few'
// EACH:       error: pass 'wrong' changed result 0 of '@f'
// EACH:       note: first wrong after rewrite {{[0-9]+}} of {{[0-9]+}}, 'SwapSub' on 'arith.subi'

func.func @f(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  %1 = arith.addi %x, %0 : i32
  %2 = arith.addi %1, %1 : i32
  %3 = arith.subi %2, %y : i32
  return %3 : i32
}

func.func @g(%x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}
