// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s
// Every op that is ours or that xDSL printed otherwise, in the syntax of upstream.

// CHECK-LABEL: func.func @f(%a: vector<2x4xf32>, %b: vector<2x4xf32>, %i: vector<4xi32>, %t: tensor<?x4xi8>, %n: index, %s: f32, %h: vector<4xf16>) {
func.func @f(%a: vector<2x4xf32>, %b: vector<2x4xf32>, %i: vector<4xi32>, %t: tensor<?x4xi8>, %n: index, %s: f32, %h: vector<4xf16>) {
  // CHECK-NEXT: %c = arith.cmpf olt, %a, %b fastmath<nnan,ninf> : vector<2x4xf32>
  %c = arith.cmpf olt, %a, %b fastmath<nnan,ninf> : vector<2x4xf32>
  // CHECK-NEXT: %tr = arith.cmpf true, %a, %b : vector<2x4xf32>
  %tr = arith.cmpf true, %a, %b : vector<2x4xf32>
  // CHECK-NEXT: %sc = arith.cmpf une, %s, %s {x} : f32
  %sc = arith.cmpf une, %s, %s {x} : f32
  // CHECK-NEXT: %d = arith.select %c, %a, %b : vector<2x4xi1>, vector<2x4xf32>
  %d = arith.select %c, %a, %b : vector<2x4xi1>, vector<2x4xf32>
  // CHECK-NEXT: %d2 = arith.select %sc, %a, %b : vector<2x4xf32>
  %d2 = arith.select %sc, %a, %b : vector<2x4xf32>
  // CHECK-NEXT: %e = arith.cmpi ult, %i, %i : vector<4xi32>
  %e = arith.cmpi ult, %i, %i : vector<4xi32>
  // CHECK-NEXT: %e2 = arith.cmpi eq, %n, %n : index
  %e2 = arith.cmpi eq, %n, %n : index
  // CHECK-NEXT: %x = arith.extui %e : vector<4xi1> to vector<4xi32>
  %x = arith.extui %e : vector<4xi1> to vector<4xi32>
  // CHECK-NEXT: %x2 = arith.extsi %t : tensor<?x4xi8> to tensor<?x4xi32>
  %x2 = arith.extsi %t : tensor<?x4xi8> to tensor<?x4xi32>
  // CHECK-NEXT: %x3 = arith.trunci %i : vector<4xi32> to vector<4xi16>
  %x3 = arith.trunci %i : vector<4xi32> to vector<4xi16>
  // CHECK-NEXT: %x4 = arith.sitofp %i : vector<4xi32> to vector<4xf32>
  %x4 = arith.sitofp %i : vector<4xi32> to vector<4xf32>
  // CHECK-NEXT: %x5 = arith.fptosi %a : vector<2x4xf32> to vector<2x4xi32>
  %x5 = arith.fptosi %a : vector<2x4xf32> to vector<2x4xi32>
  // CHECK-NEXT: %x6 = arith.fptoui %s : f32 to i8
  %x6 = arith.fptoui %s : f32 to i8
  // CHECK-NEXT: %x7 = arith.uitofp %i : vector<4xi32> to vector<4xf64>
  %x7 = arith.uitofp %i : vector<4xi32> to vector<4xf64>
  // CHECK-NEXT: %x8 = arith.truncf %a : vector<2x4xf32> to vector<2x4xbf16>
  %x8 = arith.truncf %a : vector<2x4xf32> to vector<2x4xbf16>
  // CHECK-NEXT: %x9 = arith.extf %h : vector<4xf16> to vector<4xf32>
  %x9 = arith.extf %h : vector<4xf16> to vector<4xf32>
  // CHECK-NEXT: %xa = arith.index_cast %i : vector<4xi32> to vector<4xindex>
  %xa = arith.index_cast %i : vector<4xi32> to vector<4xindex>
  // CHECK-NEXT: %xb = arith.index_castui %n : index to i32
  %xb = arith.index_castui %n : index to i32
  // CHECK-NEXT: %xc = arith.negf %a fastmath<fast> : vector<2x4xf32>
  %xc = arith.negf %a fastmath<fast> : vector<2x4xf32>
  // CHECK-NEXT: %xd = arith.remf %s, %s : f32
  %xd = arith.remf %s, %s : f32
  // CHECK-NEXT: %xe = arith.bitcast %a : vector<2x4xf32> to vector<2x4xi32>
  %xe = arith.bitcast %a : vector<2x4xf32> to vector<2x4xi32>
  // CHECK-NEXT: %xf = arith.convertf %h : vector<4xf16> to vector<4xbf16>
  %xf = arith.convertf %h : vector<4xf16> to vector<4xbf16>
  // CHECK-NEXT: %m1 = math.fma %a, %b, %a fastmath<contract> : vector<2x4xf32>
  %m1 = math.fma %a, %b, %a fastmath<contract> : vector<2x4xf32>
  // CHECK-NEXT: %m2 = math.isnan %a : vector<2x4xf32>
  %m2 = math.isnan %a : vector<2x4xf32>
  // CHECK-NEXT: %m3 = math.isinf %s {fastmath = #arith.fastmath<contract>} : f32
  %m3 = math.isinf %s {fastmath = #arith.fastmath<contract>} : f32
  // CHECK-NEXT: %m4 = math.isfinite %a {q} : vector<2x4xf32>
  %m4 = math.isfinite %a {q} : vector<2x4xf32>
  // CHECK-NEXT: %m5 = math.erfc %a : vector<2x4xf32>
  %m5 = math.erfc %a : vector<2x4xf32>
  // CHECK-NEXT: %m6 = math.clampf %s to[%s, %s] : f32
  %m6 = math.clampf %s to [%s, %s] : f32
  // CHECK-NEXT: %m7 = math.roundeven %a : vector<2x4xf32>
  %m7 = math.roundeven %a : vector<2x4xf32>
  // CHECK-NEXT: %m8 = arith.maximumf %a, %b : vector<2x4xf32>
  %m8 = arith.maximumf %a, %b : vector<2x4xf32>
  // CHECK-NEXT: return
  func.return
// CHECK-NEXT: }
}
