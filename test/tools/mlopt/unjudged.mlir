// RUN: mlopt %s --validate-each --cse -o /dev/null 2>&1 | filecheck %s
// RUN: not mlopt bisect %s --cse 2>&1 | filecheck %s --check-prefix=BISECT
// RUN: mlopt bisect %s --load-module %S/inputs/wrong_passes.py --cse --wrong 2>&1 | filecheck %s --check-prefix=FOUND

// CHECK:  note: --validate-each: 1 of 2 functions could not be judged: '@asks' (there is no body of a function '@elsewhere')
// BISECT: error: the IR is good after all passes; 1 of 2 functions could not be judged: '@asks' (there is no body of a function '@elsewhere')
// FOUND:  'wrong', is the first after which the IR is bad: the pass changed result 0 of '@f'
// FOUND:  {{^}}1 of 2 functions could not be judged: '@asks' (there is no body of a function '@elsewhere')

func.func private @elsewhere(i32) -> i32

func.func @asks(%x: i32) -> i32 {
  %0 = call @elsewhere(%x) : (i32) -> i32
  return %0 : i32
}

func.func @f(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  %1 = arith.subi %0, %y : i32
  return %1 : i32
}
