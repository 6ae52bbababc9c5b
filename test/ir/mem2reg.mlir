// RUN: mlopt %s --mem2reg --validate-each | filecheck %s

// CHECK-LABEL: func.func @in_a_block
// CHECK-NEXT:    return %x : i32
func.func @in_a_block(%x: i32) -> i32 {
  %m = memref.alloca() : memref<i32>
  memref.store %x, %m[] : memref<i32>
  %y = memref.load %m[] : memref<i32>
  return %y : i32
}

// Both ways store: the block where they meet gets an argument.
// CHECK-LABEL: func.func @two_ways
// CHECK-NEXT:    cf.cond_br %c, ^a, ^b
// CHECK-NEXT:  ^a:
// CHECK-NEXT:    cf.br ^c(%x : i32)
// CHECK-NEXT:  ^b:
// CHECK-NEXT:    cf.br ^c(%y : i32)
// CHECK-NEXT:  ^c(%z: i32):
// CHECK-NEXT:    return %z : i32
func.func @two_ways(%c: i1, %x: i32, %y: i32) -> i32 {
  %m = memref.alloca() : memref<i32>
  cf.cond_br %c, ^a, ^b
^a:
  memref.store %x, %m[] : memref<i32>
  cf.br ^c
^b:
  memref.store %y, %m[] : memref<i32>
  cf.br ^c
^c:
  %z = memref.load %m[] : memref<i32>
  return %z : i32
}

// A loop of blocks; what nobody reads at its end gets no argument.
// CHECK-LABEL: func.func @around
// CHECK-NEXT:    %zero = arith.constant 0 : i32
// CHECK-NEXT:    %one = arith.constant 1 : i32
// CHECK-NEXT:    cf.br ^loop(%zero : i32)
// CHECK-NEXT:  ^loop(%i: i32):
// CHECK-NEXT:    %next = arith.addi %i, %one : i32
// CHECK-NEXT:    %again = arith.cmpi slt, %next, %n : i32
// CHECK-NEXT:    cf.cond_br %again, ^loop(%next : i32), ^end
// CHECK-NEXT:  ^end:
// CHECK-NEXT:    return %next : i32
func.func @around(%n: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %m = memref.alloca() : memref<i32>
  memref.store %zero, %m[] : memref<i32>
  cf.br ^loop
^loop:
  %i = memref.load %m[] : memref<i32>
  %next = arith.addi %i, %one : i32
  memref.store %next, %m[] : memref<i32>
  %again = arith.cmpi slt, %next, %n : i32
  cf.cond_br %again, ^loop, ^end
^end:
  %r = memref.load %m[] : memref<i32>
  return %r : i32
}

// A loop carries what is stored inside it, and a choice inside it yields it.
// CHECK-LABEL: func.func @regions
// CHECK:         %r = scf.for %i = %c0 to %n step %c1 iter_args(%v = %x) -> (i32) {
// CHECK-NEXT:      %0 = scf.if %c -> (i32) {
// CHECK-NEXT:        %w = arith.addi %v, %x : i32
// CHECK-NEXT:        scf.yield %w : i32
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %v : i32
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield %0 : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    return %r : i32
func.func @regions(%n: index, %c: i1, %x: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = memref.alloca() : memref<i32>
  memref.store %x, %m[] : memref<i32>
  scf.for %i = %c0 to %n step %c1 {
    scf.if %c {
      %v = memref.load %m[] : memref<i32>
      %w = arith.addi %v, %x : i32
      memref.store %w, %m[] : memref<i32>
    }
  }
  %r = memref.load %m[] : memref<i32>
  return %r : i32
}

// What was never stored is poison.
// CHECK-LABEL: func.func @unset
// CHECK-NEXT:    %r = ub.poison : i32
// CHECK-NEXT:    return %r : i32
func.func @unset() -> i32 {
  %m = memref.alloca() : memref<i32>
  %r = memref.load %m[] : memref<i32>
  return %r : i32
}

// Memory that a function is given, that holds more than one element, or that threads store to, stays.
// CHECK-LABEL: func.func @stays
// CHECK-COUNT-3: memref.alloca
func.func @stays(%n: index, %x: i32) {
  %c0 = arith.constant 0 : index
  %a = memref.alloca() : memref<i32>
  %b = memref.alloca() : memref<2xi32>
  %c = memref.alloca() : memref<i32>
  call @see(%a) : (memref<i32>) -> ()
  memref.store %x, %b[%c0] : memref<2xi32>
  scf.forall (%i) in (%n) {
    memref.store %x, %c[] : memref<i32>
  }
  return
}
func.func private @see(%m: memref<i32>) {
  return
}
