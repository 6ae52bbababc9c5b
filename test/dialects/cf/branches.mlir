// RUN: mlopt %s | mlopt | filecheck %s

// CHECK-LABEL: func.func @weights
// CHECK:         cf.cond_br %{{.*}} weights([90, 10]), ^[[A:.*]](%{{.*}} : i32), ^[[B:.*]] {a.note}
func.func @weights(%c: i1, %x: i32) -> i32 {
  cf.cond_br %c weights([90, 10]), ^a(%x : i32), ^b {a.note}
^a(%y: i32):
  return %y : i32
^b:
  return %x : i32
}

// CHECK-LABEL: func.func @switch
// CHECK:         cf.switch %{{.*}} : i32, [
// CHECK-NEXT:      default: ^[[D:.*]](%{{.*}} : i32),
// CHECK-NEXT:      -1: ^[[E:.*]],
// CHECK-NEXT:      42: ^[[D]](%{{.*}} : i32)
// CHECK-NEXT:    ]
func.func @switch(%f: i32, %x: i32) -> i32 {
  cf.switch %f : i32, [
    default: ^d(%x : i32),
    -1: ^e,
    42: ^d(%f : i32)
  ]
^d(%y: i32):
  return %y : i32
^e:
  return %x : i32
}
