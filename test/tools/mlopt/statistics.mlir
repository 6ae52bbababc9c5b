// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(cse,canonicalize),cse)' --mlir-pass-statistics 2>&1 >%t | filecheck %s
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(cse,canonicalize),cse)' --mlir-pass-statistics --mlir-pass-statistics-display=list 2>&1 >%t | filecheck %s --check-prefix=LIST

// CHECK:      ... Pass statistics report ...
// CHECK-NEXT: ===
// CHECK-NEXT: {{^}}'func.func' Pipeline
// CHECK-NEXT: {{^}}  CSE
// CHECK-NEXT: {{^}}    (S) 2 num-cse'd - Number of operations CSE'd
// CHECK-NEXT: {{^}}    (S) {{.*}} num-dce'd - Number of operations DCE'd
// CHECK-NEXT: {{^}}  Canonicalizer
// CHECK-NEXT: {{^}}CSE
// CHECK-NEXT: {{^}}  (S) 0 num-cse'd - Number of operations CSE'd

// LIST:      {{^}}  CSE
// LIST-NEXT: {{^}}    (S) 2 num-cse'd - Number of operations CSE'd
func.func @f(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %y : i32
  %1 = arith.addi %x, %y : i32
  %2 = arith.addi %x, %y : i32
  %3 = arith.muli %0, %1 : i32
  %4 = arith.muli %3, %2 : i32
  return %4 : i32
}
