// RUN: mlopt %s --mlir-print-local-scope --apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// A row sum: the init and the reduction meet in one scalar, which gets one partial sum for each of eight lanes.
// CHECK-LABEL: func.func private @sum(%x: memref<?x?xf32>, %y: memref<?xf32>, %M: index, %N: index) attributes {kernel} {
// CHECK-NEXT:    %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    affine.parallel (%m) = (0) to (symbol(%M)) {
// CHECK-NEXT:      %acc = memref.alloca() : memref<f32>
// CHECK-NEXT:      affine.store %zero, %acc[] : memref<f32>
// CHECK-NEXT:      %acc_nr = memref.alloca() : memref<8xf32>
// CHECK-NEXT:      %cst = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      affine.for %nr = 0 to 8 {
// CHECK-NEXT:        affine.store %cst, %acc_nr[%nr] : memref<8xf32>
// CHECK-NEXT:      } {iterator = "parallel", loop = "nr", stage = "sum", vector = 8 : index}
// CHECK-NEXT:      affine.for %n = 0 to %N step 8 {
// CHECK-NEXT:        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
// CHECK-NEXT:          %a = affine.load %x[%m, %n + %nr] : memref<?x?xf32>
// CHECK-NEXT:          %c = affine.load %acc_nr[%nr] : memref<8xf32>
// CHECK-NEXT:          %s = arith.addf %c, %a : f32
// CHECK-NEXT:          affine.store %s, %acc_nr[%nr] : memref<8xf32>
// CHECK-NEXT:        } {iterator = "reduction", loop = "nr", private, stage = "sum", vector = 8 : index}
// CHECK-NEXT:      } {iterator = "reduction", loop = "n", stage = "sum"}
// CHECK-NEXT:      affine.for %nr = 0 to 8 {
// CHECK-NEXT:        %1 = affine.load %acc_nr[%nr] : memref<8xf32>
// CHECK-NEXT:        %2 = affine.load %acc[] : memref<f32>
// CHECK-NEXT:        %3 = arith.addf %2, %1 : f32
// CHECK-NEXT:        affine.store %3, %acc[] : memref<f32>
// CHECK-NEXT:      } {iterator = "reduction", loop = "nr", stage = "sum", vector = 8 : index}
// CHECK-NEXT:      %0 = affine.load %acc[] : memref<f32>
// CHECK-NEXT:      affine.store %0, %y[%m] : memref<?xf32>
// CHECK-NEXT:    } {loops = ["m"]}
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @sum(%x: memref<?x?xf32>, %y: memref<?xf32>, %M: index, %N: index)
    attributes {kernel, schedule = [["fuse", "m"], ["split", "n", 8, "nr"], ["rfactor", "nr"], ["parallel", "m"], ["vectorize", "nr"]]} {
  %zero = arith.constant 0.0 : f32
  affine.for %m = 0 to %M {
    affine.store %zero, %y[%m] : memref<?xf32>
  } {loop = "m", iterator = "parallel", stage = "init"}
  affine.for %m = 0 to %M {
    affine.for %n = 0 to %N {
      %a = affine.load %x[%m, %n] : memref<?x?xf32>
      %c = affine.load %y[%m] : memref<?xf32>
      %s = arith.addf %c, %a : f32
      affine.store %s, %y[%m] : memref<?xf32>
    } {loop = "n", iterator = "reduction", stage = "sum"}
  } {loop = "m", iterator = "parallel", stage = "sum"}
  func.return
}

// -----

// Two tiles of one loop: the bound of the inner one knows both. What is left of the schedule are steps of earlier levels: nothing.
// CHECK-LABEL: func.func private @tiles(%x: memref<?xf32>, %N: index) attributes {kernel} {
// CHECK-NEXT:    %one = arith.constant 1.000000e+00 : f32
// CHECK-NEXT:    affine.for %n = 0 to %N step 384 {
// CHECK-NEXT:      affine.for %ni = 0 to min affine_map<(d0)[s0] -> (384, s0 - d0)>(%n)[%N] step 32 {
// CHECK-NEXT:        affine.for %nr = 0 to min affine_map<(d0, d1)[s0] -> (32, s0 - d0 - d1)>(%n, %ni)[%N] {
// CHECK-NEXT:          affine.store %one, %x[%n + %ni + %nr] : memref<?xf32>
// CHECK-NEXT:        } {iterator = "parallel", loop = "nr"}
// CHECK-NEXT:      } {iterator = "parallel", loop = "ni", unroll = 2 : index}
// CHECK-NEXT:    } {iterator = "parallel", loop = "n"}
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func private @tiles(%x: memref<?xf32>, %N: index)
    attributes {kernel, schedule = [["static", "q"], ["split", "n", 384, "ni"], ["split", "ni", 32, "nr"], ["unroll", "ni", 2]]} {
  %one = arith.constant 1.0 : f32
  affine.for %n = 0 to %N {
    affine.store %one, %x[%n] : memref<?xf32>
  } {loop = "n", iterator = "parallel"}
  func.return
}

// -----

// A conditional accumulation becomes an unconditional one of a chosen term.
// CHECK-LABEL: func.func private @conditional(%x: memref<?xf32>, %y: memref<f32>, %N: index) attributes {kernel} {
// CHECK-NEXT:      %acc = memref.alloca() : memref<f32>
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      affine.store %zero, %acc[] : memref<f32>
// CHECK-NEXT:      affine.for %n = 0 to %N {
// CHECK-NEXT:        %a = affine.load %x[%n] : memref<?xf32>
// CHECK-NEXT:        %c = affine.load %acc[] : memref<f32>
// CHECK-NEXT:        %p = arith.cmpf ogt, %a, %zero : f32
// CHECK-NEXT:        %1 = arith.select %p, %a, %zero : f32
// CHECK-NEXT:        %s = arith.addf %c, %1 : f32
// CHECK-NEXT:        affine.store %s, %acc[] : memref<f32>
// CHECK-NEXT:      } {iterator = "reduction", loop = "n"}
// CHECK-NEXT:      %0 = affine.load %acc[] : memref<f32>
// CHECK-NEXT:      affine.store %0, %y[] : memref<f32>
// CHECK-NEXT:      return
// CHECK-NEXT:    }
func.func private @conditional(%x: memref<?xf32>, %y: memref<f32>, %N: index) attributes {kernel, schedule = [["fuse"]]} {
  %zero = arith.constant 0.0 : f32
  affine.store %zero, %y[] : memref<f32>
  affine.for %n = 0 to %N {
    %a = affine.load %x[%n] : memref<?xf32>
    %c = affine.load %y[] : memref<f32>
    %p = arith.cmpf ogt, %a, %zero : f32
    %s = arith.addf %c, %a : f32
    %r = arith.select %p, %s, %c : f32
    affine.store %r, %y[] : memref<f32>
  } {loop = "n", iterator = "reduction"}
  func.return
}

// -----

// A step that cannot be taken is named.
// expected-error @below {{loop 'm' of kernel @wrong has no constant extent to make a vector of, in step ["vectorize", "m"]}}
func.func private @wrong(%x: memref<?xf32>, %M: index) attributes {kernel, schedule = [["vectorize", "m"]]} {
  %one = arith.constant 1.0 : f32
  affine.for %m = 0 to %M {
    affine.store %one, %x[%m] : memref<?xf32>
  } {loop = "m", iterator = "parallel"}
  func.return
}
