// RUN: mlopt %s --canonicalize | filecheck %s

// CHECK-LABEL: func.func @sums_with_constants
// CHECK-DAG:     %[[A:.*]] = arith.constant 59 : index
// CHECK-DAG:     %[[B:.*]] = arith.constant 25 : index
// CHECK-DAG:     arith.addi %{{.*}}, %[[A]] overflow<nsw> : index
// CHECK-DAG:     arith.subi %[[B]], %{{.*}} : index
func.func @sums_with_constants(%x: index) -> (index, index) {
  %c17 = arith.constant 17 : index
  %c42 = arith.constant 42 : index
  %0 = arith.addi %c17, %x overflow<nsw, nuw> : index
  %1 = arith.addi %c42, %0 overflow<nsw> : index
  %2 = arith.subi %c42, %0 : index
  return %1, %2 : index, index
}

// CHECK-LABEL: func.func @identities
// CHECK-SAME:    (%[[X:.*]]: vector<4xi32>, %[[Y:.*]]: f32)
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0> : vector<4xi32>
// CHECK-DAG:     %[[PLUS:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         %[[SUM:.*]] = arith.addf %[[Y]], %[[PLUS]] : f32
// CHECK-NEXT:    return %[[X]], %[[ZERO]], %[[X]], %[[Y]], %[[SUM]]
func.func @identities(%x: vector<4xi32>, %y: f32) -> (vector<4xi32>, vector<4xi32>, vector<4xi32>, f32, f32) {
  %ones = arith.constant dense<-1> : vector<4xi32>
  %one = arith.constant dense<1> : vector<4xi32>
  %minus_zero = arith.constant -0.0 : f32
  %zero = arith.constant 0.0 : f32
  %0 = arith.andi %x, %ones : vector<4xi32>
  %1 = arith.remsi %x, %one : vector<4xi32>
  %2 = arith.xori %x, %ones : vector<4xi32>
  %3 = arith.xori %2, %ones : vector<4xi32>
  %4 = arith.addf %y, %minus_zero : f32
  %5 = arith.addf %zero, %y : f32
  return %0, %1, %3, %4, %5 : vector<4xi32>, vector<4xi32>, vector<4xi32>, f32, f32
}

// CHECK-LABEL: func.func @selects
// CHECK-SAME:    (%[[C:.*]]: i1, %[[D:.*]]: i1, %[[X:.*]]: i32, %[[Y:.*]]: i32)
// CHECK-DAG:     arith.extui %[[C]] : i1 to i32
// CHECK-DAG:     arith.minsi %[[X]], %[[Y]] : i32
// CHECK-DAG:     %[[BOTH:.*]] = arith.andi %[[C]], %[[D]] : i1
// CHECK-DAG:     arith.select %[[BOTH]], %[[X]], %[[Y]] : i32
// CHECK-DAG:     arith.cmpi sge, %[[X]], %[[Y]] : i32
func.func @selects(%c: i1, %d: i1, %x: i32, %y: i32) -> (i32, i32, i32, i1) {
  %true = arith.constant true
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %0 = arith.select %c, %one, %zero : i32
  %less = arith.cmpi slt, %x, %y : i32
  %1 = arith.select %less, %x, %y : i32
  %inner = arith.select %d, %x, %y : i32
  %2 = arith.select %c, %inner, %y : i32
  %3 = arith.xori %less, %true : i1
  return %0, %1, %2, %3 : i32, i32, i32, i1
}

// CHECK-LABEL: func.func @casts
// CHECK-SAME:    (%[[X:.*]]: i8, %[[F:.*]]: f16)
// CHECK-DAG:     arith.extui %[[X]] : i8 to i64
// CHECK-DAG:     arith.extsi %[[X]] : i8 to i16
// CHECK-DAG:     arith.sitofp %[[X]] : i8 to f32
// CHECK:         return %{{.*}}, %{{.*}}, %{{.*}}, %[[F]]
func.func @casts(%x: i8, %f: f16) -> (i64, i16, f32, f16) {
  %0 = arith.extui %x : i8 to i32
  %1 = arith.extsi %0 : i32 to i64
  %2 = arith.extsi %x : i8 to i32
  %3 = arith.trunci %2 : i32 to i16
  %4 = arith.sitofp %2 : i32 to f32
  %5 = arith.extf %f : f16 to f64
  %6 = arith.truncf %5 : f64 to f16
  return %1, %3, %4, %6 : i64, i16, f32, f16
}

// What cannot be computed, or would lose something, stays.
// CHECK-LABEL: func.func @stay
// CHECK:         arith.divsi
// CHECK:         arith.divui
// CHECK:         arith.shli
// CHECK:         arith.truncf
// CHECK:         arith.subi %{{.*}} : tensor<?xi32>
func.func @stay(%t: tensor<?xi32>) -> (i8, i8, i8, f16, tensor<?xi32>) {
  %least = arith.constant -128 : i8
  %minus = arith.constant -1 : i8
  %zero = arith.constant 0 : i8
  %eight = arith.constant 8 : i8
  %third = arith.constant 0.1 : f32
  %0 = arith.divsi %least, %minus : i8
  %1 = arith.divui %least, %zero : i8
  %2 = arith.shli %least, %eight : i8
  %3 = arith.truncf %third : f32 to f16
  %4 = arith.subi %t, %t : tensor<?xi32>
  return %0, %1, %2, %3, %4 : i8, i8, i8, f16, tensor<?xi32>
}

// Integers of 8 bits are exact in f32, so that they compare with the next integer; those of 32 bits are not.
// CHECK-LABEL: func.func @converted
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant 4 : i8
// CHECK-DAG:     arith.cmpi sle, %{{.*}}, %[[FOUR]] : i8
// CHECK-DAG:     arith.cmpf olt
// CHECK-DAG:     arith.constant true
func.func @converted(%x: i8, %y: i32) -> (i1, i1, i1) {
  %bound = arith.constant 4.5 : f32
  %high = arith.constant 200.0 : f32
  %0 = arith.sitofp %x : i8 to f32
  %1 = arith.cmpf olt, %0, %bound : f32
  %2 = arith.sitofp %y : i32 to f32
  %3 = arith.cmpf olt, %2, %bound : f32
  %4 = arith.cmpf ult, %0, %high : f32
  return %1, %3, %4 : i1, i1, i1
}
