// RUN: mlopt %s --lower-vector-multi-reduction=lowering-strategy=inner-reduction | filecheck %s
// RUN: mlopt %s --validate-each --lower-vector-multi-reduction=lowering-strategy=inner-reduction -o /dev/null

// CHECK-LABEL: func.func @rows(%v: vector<2x3xf32>, %acc: vector<2xf32>) -> vector<2xf32> {
// CHECK-NEXT:    %cst = arith.constant dense<0.000000e+00> : vector<2xf32>
// CHECK-NEXT:    %0 = vector.extract %v[0] : vector<3xf32> from vector<2x3xf32>
// CHECK-NEXT:    %1 = vector.extract %acc[0] : f32 from vector<2xf32>
// CHECK-NEXT:    %2 = vector.reduction <add>, %0, %1 : vector<3xf32> into f32
// CHECK-NEXT:    %3 = vector.insert %2, %cst [0] : f32 into vector<2xf32>
// CHECK-NEXT:    %4 = vector.extract %v[1] : vector<3xf32> from vector<2x3xf32>
// CHECK-NEXT:    %5 = vector.extract %acc[1] : f32 from vector<2xf32>
// CHECK-NEXT:    %6 = vector.reduction <add>, %4, %5 : vector<3xf32> into f32
// CHECK-NEXT:    %7 = vector.insert %6, %3 [1] : f32 into vector<2xf32>
// CHECK-NEXT:    return %7 : vector<2xf32>
// CHECK-NEXT:  }
func.func @rows(%v: vector<2x3xf32>, %acc: vector<2xf32>) -> vector<2xf32> {
  %0 = vector.multi_reduction <add>, %v, %acc [1] : vector<2x3xf32> to vector<2xf32>
  return %0 : vector<2xf32>
}

// CHECK-LABEL: func.func @middle(%v: vector<2x2x2xi32>, %acc: vector<2x2xi32>) -> vector<2x2xi32> {
// CHECK-NEXT:    %cst = arith.constant dense<0> : vector<4xi32>
// CHECK-NEXT:    %0 = vector.transpose %v, [0, 2, 1] : vector<2x2x2xi32> to vector<2x2x2xi32>
// CHECK-NEXT:    %1 = vector.extract %0[0, 0] : vector<2xi32> from vector<2x2x2xi32>
// CHECK-NEXT:    %2 = vector.extract %acc[0, 0] : i32 from vector<2x2xi32>
// CHECK-NEXT:    %3 = vector.reduction <maxsi>, %1, %2 : vector<2xi32> into i32
// CHECK-NEXT:    %4 = vector.insert %3, %cst [0] : i32 into vector<4xi32>
// CHECK-NEXT:    %5 = vector.extract %0[0, 1] : vector<2xi32> from vector<2x2x2xi32>
// CHECK-NEXT:    %6 = vector.extract %acc[0, 1] : i32 from vector<2x2xi32>
// CHECK-NEXT:    %7 = vector.reduction <maxsi>, %5, %6 : vector<2xi32> into i32
// CHECK-NEXT:    %8 = vector.insert %7, %4 [1] : i32 into vector<4xi32>
// CHECK-NEXT:    %9 = vector.extract %0[1, 0] : vector<2xi32> from vector<2x2x2xi32>
// CHECK-NEXT:    %10 = vector.extract %acc[1, 0] : i32 from vector<2x2xi32>
// CHECK-NEXT:    %11 = vector.reduction <maxsi>, %9, %10 : vector<2xi32> into i32
// CHECK-NEXT:    %12 = vector.insert %11, %8 [2] : i32 into vector<4xi32>
// CHECK-NEXT:    %13 = vector.extract %0[1, 1] : vector<2xi32> from vector<2x2x2xi32>
// CHECK-NEXT:    %14 = vector.extract %acc[1, 1] : i32 from vector<2x2xi32>
// CHECK-NEXT:    %15 = vector.reduction <maxsi>, %13, %14 : vector<2xi32> into i32
// CHECK-NEXT:    %16 = vector.insert %15, %12 [3] : i32 into vector<4xi32>
// CHECK-NEXT:    %17 = vector.shape_cast %16 : vector<4xi32> to vector<2x2xi32>
// CHECK-NEXT:    return %17 : vector<2x2xi32>
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
