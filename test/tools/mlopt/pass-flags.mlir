// RUN: mlopt %s | filecheck %s --check-prefix=NONE
// RUN: mlopt %s --canonicalize --cse | filecheck %s
// RUN: mlopt -canonicalize -cse < %s | filecheck %s
// RUN: mlopt - --pass-pipeline='builtin.module(func.func(canonicalize),cse)' < %s | filecheck %s
// RUN: mlopt %s --canonicalize='max-iterations=3' --cse -o %t
// RUN: filecheck %s < %t

// NONE: arith.constant 0 : i32
// NONE: arith.addi %x

// CHECK-LABEL: func.func @twice(%x: i32) -> i32
// CHECK-NEXT:    %0 = arith.muli %x, %x : i32
// CHECK-NEXT:    %1 = arith.subi %0, %0 : i32
// CHECK-NEXT:    return %1 : i32
func.func @twice(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %0 = arith.addi %x, %zero : i32
  %1 = arith.muli %0, %x : i32
  %2 = arith.muli %x, %x : i32
  %3 = arith.subi %1, %2 : i32
  return %3 : i32
}
