// RUN: mlopt %s --remove-dead-values --split-input-file --validate-each | filecheck %s
// RUN: mlopt %s --remove-dead-values='canonicalize=0' --split-input-file | filecheck %s --check-prefix=POISON

// An argument and a result that nobody needs go, at the calls too.
// CHECK-LABEL: func.func private @two(%y: i32) -> i32 {
// CHECK-NEXT:    return %y : i32
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %0 = call @two(%b) : (i32) -> i32
// CHECK-NEXT:    return %0 : i32
func.func private @two(%x: i32, %y: i32) -> (i32, i32) {
  return %y, %x : i32, i32
}
func.func @main(%a: i32, %b: i32) -> i32 {
  %0:2 = call @two(%a, %b) : (i32, i32) -> (i32, i32)
  return %0#0 : i32
}

// -----

// A public function keeps what it promises.
// CHECK-LABEL: func.func @public(%x: i32, %y: i32) -> i32
func.func @public(%x: i32, %y: i32) -> i32 {
  %unused = arith.addi %y, %y : i32
  return %x : i32
}

// -----

// What a loop of blocks carries for nothing.
// CHECK-LABEL: func.func @blocks
// CHECK-NEXT:    %c0 = arith.constant 0 : i32
// CHECK-NEXT:    cf.br ^loop(%c0 : i32)
// CHECK-NEXT:  ^loop(%i: i32):
// CHECK-NEXT:    %next = arith.addi %i, %n : i32
// CHECK-NEXT:    %c = arith.cmpi slt, %next, %n : i32
// CHECK-NEXT:    cf.cond_br %c, ^loop(%next : i32), ^end
func.func @blocks(%n: i32) -> i32 {
  %c0 = arith.constant 0 : i32
  cf.br ^loop(%c0, %n : i32, i32)
^loop(%i: i32, %dead: i32):
  %next = arith.addi %i, %n : i32
  %more = arith.muli %dead, %dead : i32
  %c = arith.cmpi slt, %next, %n : i32
  cf.cond_br %c, ^loop(%next, %more : i32, i32), ^end
^end:
  return %next : i32
}

// -----

// A loop that has effects stays, without what it carries for nothing.
// CHECK-LABEL: func.func @carried
// CHECK:         scf.for %i = %c0 to %c4 step %c1 {
// CHECK-NEXT:      memref.store %x, %m[%i] : memref<4xi32>
// CHECK-NEXT:    }
// POISON-LABEL: func.func @carried
// POISON:         %[[IN:.*]] = ub.poison : i32
// POISON:         scf.for {{.*}} iter_args({{.*}} = %[[IN]])
// POISON:           %[[OUT:.*]] = ub.poison : i32
// POISON-NEXT:      scf.yield %[[OUT]] : i32
func.func @carried(%x: i32, %m: memref<4xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%v = %x) -> i32 {
    memref.store %x, %m[%i] : memref<4xi32>
    %w = arith.muli %v, %v : i32
    scf.yield %w : i32
  }
  return
}
