// RUN: mlopt %s --lower-vector-multi-reduction | filecheck %s
// RUN: mlopt %s --validate-each --lower-vector-multi-reduction -o /dev/null

// CHECK-LABEL: func.func @rows(%v: vector<2x3xf32>, %acc: vector<2xf32>) -> vector<2xf32> {
// CHECK-NEXT:    %0 = vector.transpose %v, [1, 0] : vector<2x3xf32> to vector<3x2xf32>
// CHECK-NEXT:    %1 = vector.extract %0[0] : vector<2xf32> from vector<3x2xf32>
// CHECK-NEXT:    %2 = arith.addf %1, %acc : vector<2xf32>
// CHECK-NEXT:    %3 = vector.extract %0[1] : vector<2xf32> from vector<3x2xf32>
// CHECK-NEXT:    %4 = arith.addf %3, %2 : vector<2xf32>
// CHECK-NEXT:    %5 = vector.extract %0[2] : vector<2xf32> from vector<3x2xf32>
// CHECK-NEXT:    %6 = arith.addf %5, %4 : vector<2xf32>
// CHECK-NEXT:    return %6 : vector<2xf32>
// CHECK-NEXT:  }
func.func @rows(%v: vector<2x3xf32>, %acc: vector<2xf32>) -> vector<2xf32> {
  %0 = vector.multi_reduction <add>, %v, %acc [1] : vector<2x3xf32> to vector<2xf32>
  return %0 : vector<2xf32>
}

// CHECK-LABEL: func.func @middle(%v: vector<2x2x2xi32>, %acc: vector<2x2xi32>) -> vector<2x2xi32> {
// CHECK-NEXT:    %0 = vector.transpose %v, [1, 0, 2] : vector<2x2x2xi32> to vector<2x2x2xi32>
// CHECK-NEXT:    %1 = vector.shape_cast %0 : vector<2x2x2xi32> to vector<2x4xi32>
// CHECK-NEXT:    %2 = vector.shape_cast %acc : vector<2x2xi32> to vector<4xi32>
// CHECK-NEXT:    %3 = vector.extract %1[0] : vector<4xi32> from vector<2x4xi32>
// CHECK-NEXT:    %4 = arith.maxsi %3, %2 : vector<4xi32>
// CHECK-NEXT:    %5 = vector.extract %1[1] : vector<4xi32> from vector<2x4xi32>
// CHECK-NEXT:    %6 = arith.maxsi %5, %4 : vector<4xi32>
// CHECK-NEXT:    %7 = vector.shape_cast %6 : vector<4xi32> to vector<2x2xi32>
// CHECK-NEXT:    return %7 : vector<2x2xi32>
// CHECK-NEXT:  }
func.func @middle(%v: vector<2x2x2xi32>, %acc: vector<2x2xi32>) -> vector<2x2xi32> {
  %0 = vector.multi_reduction <maxsi>, %v, %acc [1] : vector<2x2x2xi32> to vector<2x2xi32>
  return %0 : vector<2x2xi32>
}

// CHECK-LABEL: func.func @all(%v: vector<2x3xi32>, %acc: i32) -> i32 {
// CHECK-NEXT:    %0 = vector.shape_cast %v : vector<2x3xi32> to vector<6xi32>
// CHECK-NEXT:    %1 = vector.reduction <mul>, %0, %acc : vector<6xi32> into i32
// CHECK-NEXT:    return %1 : i32
// CHECK-NEXT:  }
func.func @all(%v: vector<2x3xi32>, %acc: i32) -> i32 {
  %0 = vector.multi_reduction <mul>, %v, %acc [0, 1] : vector<2x3xi32> to i32
  return %0 : i32
}
