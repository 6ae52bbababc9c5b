// RUN: mlopt %s --canonicalize --allow-unregistered-dialect | filecheck %s
// RUN: mlopt %s --canonicalize=region-simplify=aggressive --allow-unregistered-dialect | filecheck %s --check-prefix MERGED

// An argument that only comes back to itself, and what is computed for nothing but it, goes.
// CHECK-LABEL: func.func @dead_argument
// CHECK:         cf.br ^[[L:.*]]
// CHECK-NEXT:  ^[[L]]:
// CHECK-NEXT:    %{{.*}} = "test.c"() : () -> i1
// CHECK-NEXT:    cf.cond_br %{{.*}}, ^[[L]], ^
func.func @dead_argument(%x: i32) {
  cf.br ^loop(%x : i32)
^loop(%i: i32):
  %c = "test.c"() : () -> i1
  %j = arith.addi %i, %i : i32
  cf.cond_br %c, ^loop(%j : i32), ^end
^end:
  return
}

// Blocks that do the same become one, which is told by an argument what differs.
// MERGED-LABEL: func.func @same
// MERGED-SAME:    (%[[C:.*]]: i1, %[[X:.*]]: i32, %[[Y:.*]]: i32)
// MERGED:         %[[V:.*]] = arith.select %[[C]], %[[X]], %[[Y]]
// MERGED-NEXT:    "test.use"(%[[V]])
// MERGED-NOT:     test.use
// MERGED:         return
func.func @same(%c: i1, %x: i32, %y: i32) {
  cf.cond_br %c, ^a, ^b
^a:
  "test.use"(%x) : (i32) -> ()
  return
^b:
  "test.use"(%y) : (i32) -> ()
  return
}
