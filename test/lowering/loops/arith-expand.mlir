// RUN: mlopt %s --arith-expand='include-bf16=true include-min-max-f=true include-min-max-i=true' --validate-each | filecheck %s
// RUN: mlopt %s --arith-expand | filecheck %s --check-prefix=DEFAULT

// CHECK-LABEL: func.func @ceil_unsigned
// CHECK:         %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NEXT:    %[[IS:.*]] = arith.cmpi eq, %a, %[[ZERO]] : i32
// CHECK-NEXT:    %[[ONE:.*]] = arith.constant 1 : i32
// CHECK-NEXT:    %[[LESS:.*]] = arith.subi %a, %[[ONE]] : i32
// CHECK-NEXT:    %[[Q:.*]] = arith.divui %[[LESS]], %b : i32
// CHECK-NEXT:    %[[UP:.*]] = arith.addi %[[Q]], %[[ONE]] : i32
// CHECK-NEXT:    %{{.*}} = arith.select %[[IS]], %[[ZERO]], %[[UP]] : i32
func.func @ceil_unsigned(%a: i32, %k: i32) -> i32 {
  %c1 = arith.constant 1 : i32
  %b = arith.ori %k, %c1 : i32
  %r = arith.ceildivui %a, %b : i32
  return %r : i32
}

// CHECK-LABEL: func.func @signed
// CHECK-NOT:     arith.ceildivsi
// CHECK-NOT:     arith.floordivsi
// CHECK:         return
func.func @signed(%a: i32, %k: i32) -> (i32, i32) {
  %c1 = arith.constant 1 : i32
  %b = arith.ori %k, %c1 : i32
  %c = arith.ceildivsi %a, %b : i32
  %f = arith.floordivsi %a, %b : i32
  return %c, %f : i32, i32
}

// CHECK-LABEL: func.func @extrema
// CHECK-NEXT:    %[[G:.*]] = arith.cmpf ugt, %a, %b : vector<4xf32>
// CHECK-NEXT:    %[[M:.*]] = arith.select %[[G]], %a, %b : vector<4xi1>, vector<4xf32>
// CHECK-NEXT:    %[[NAN:.*]] = arith.cmpf uno, %b, %b : vector<4xf32>
// CHECK-NEXT:    %{{.*}} = arith.select %[[NAN]], %b, %[[M]] : vector<4xi1>, vector<4xf32>
// CHECK-NEXT:    %[[L:.*]] = arith.cmpf ult, %a, %b : vector<4xf32>
// CHECK-NEXT:    %[[N:.*]] = arith.select %[[L]], %a, %b : vector<4xi1>, vector<4xf32>
// CHECK-NEXT:    %[[NAN2:.*]] = arith.cmpf uno, %a, %a : vector<4xf32>
// CHECK-NEXT:    %{{.*}} = arith.select %[[NAN2]], %b, %[[N]] : vector<4xi1>, vector<4xf32>
// CHECK-NEXT:    %[[U:.*]] = arith.cmpi ult, %i, %j : i32
// CHECK-NEXT:    %{{.*}} = arith.select %[[U]], %i, %j : i32
// DEFAULT-LABEL: func.func @extrema
// DEFAULT-NEXT:    arith.maximumf
// DEFAULT-NEXT:    arith.minnumf
// DEFAULT-NEXT:    arith.minui
func.func @extrema(%a: vector<4xf32>, %b: vector<4xf32>, %i: i32, %j: i32) -> (vector<4xf32>, vector<4xf32>, i32) {
  %x = arith.maximumf %a, %b : vector<4xf32>
  %n = arith.minnumf %a, %b : vector<4xf32>
  %m = arith.minui %i, %j : i32
  return %x, %n, %m : vector<4xf32>, vector<4xf32>, i32
}

// CHECK-LABEL: func.func @bf16
// CHECK-NOT:     arith.extf
// CHECK-NOT:     arith.truncf
// CHECK:         return
// DEFAULT-LABEL: func.func @bf16
// DEFAULT-NEXT:    arith.truncf
// DEFAULT-NEXT:    arith.extf
func.func @bf16(%a: f32) -> f32 {
  %t = arith.truncf %a : f32 to bf16
  %r = arith.extf %t : bf16 to f32
  return %r : f32
}
