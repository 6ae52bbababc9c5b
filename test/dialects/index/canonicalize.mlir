// RUN: mlopt %s | mlopt | filecheck %s --check-prefix SAME
// RUN: mlopt %s --canonicalize | filecheck %s

// SAME-LABEL: func.func @ops
// SAME:         index.add %a, %b
// SAME-NEXT:    index.cmp slt(%a, %b)
// SAME-NEXT:    index.casts %a : index to i32
// SAME-NEXT:    index.sizeof
// SAME-NEXT:    index.bool.constant true
func.func @ops(%a: index, %b: index) -> (index, i1, i32, index, i1) {
  %0 = index.add %a, %b
  %1 = index.cmp slt(%a, %b)
  %2 = index.casts %a : index to i32
  %3 = index.sizeof
  %4 = index.bool.constant true
  return %0, %1, %2, %3, %4 : index, i1, i32, index, i1
}

// What is the same for addresses of 32 bits and of 64 folds.
// CHECK-LABEL: func.func @folds
// CHECK-DAG:     %[[A:.*]] = index.constant 12
// CHECK-DAG:     %[[B:.*]] = index.constant -3
// CHECK-DAG:     %[[C:.*]] = index.bool.constant true
// CHECK-DAG:     %[[X:.*]] = index.add %{{.*}}, %[[A]]
// CHECK:         return %[[A]], %[[B]], %[[C]], %[[X]]
func.func @folds(%x: index) -> (index, index, i1, index) {
  %c5 = index.constant 5
  %c7 = index.constant 7
  %c-5 = index.constant -5
  %c2 = index.constant 2
  %0 = index.add %c5, %c7
  %1 = index.floordivs %c-5, %c2
  %2 = index.cmp ult(%c5, %c7)
  %3 = index.add %0, %x
  return %0, %1, %2, %3 : index, index, i1, index
}

// CHECK-LABEL: func.func @differ
// CHECK:         index.shru
// CHECK:         index.divu
// CHECK:         index.cmp sgt
func.func @differ() -> (index, index, i1) {
  %c-2 = index.constant -2
  %c1 = index.constant 1
  %c7 = index.constant 7
  %large = index.constant 0x80000000
  %0 = index.shru %c-2, %c1
  %1 = index.divu %c-2, %c7
  %2 = index.cmp sgt(%large, %c1)
  return %0, %1, %2 : index, index, i1
}
