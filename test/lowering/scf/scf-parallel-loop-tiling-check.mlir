// RUN: mlopt %s --scf-parallel-loop-tiling='parallel-loop-tile-sizes=2,5 no-min-max-bounds=true' | filecheck %s
// RUN: mlopt %s --validate-each --scf-parallel-loop-tiling='parallel-loop-tile-sizes=2,5 no-min-max-bounds=true' -o /dev/null

// CHECK-LABEL: func.func @band(%m: memref<4x8xindex>) {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c4 = arith.constant 4 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %c0_0 = arith.constant 0 : index
// CHECK-NEXT:    %c2 = arith.constant 2 : index
// CHECK-NEXT:    %c5 = arith.constant 5 : index
// CHECK-NEXT:    %0 = arith.muli %c1, %c2 : index
// CHECK-NEXT:    %1 = arith.muli %c4, %c5 : index
// CHECK-NEXT:    scf.parallel (%arg0, %arg1) = (%c0, %c1) to (%c4, %c8) step (%0, %1) {
// CHECK-NEXT:      scf.parallel (%arg2, %arg3) = (%c0_0, %c0_0) to (%0, %1) step (%c1, %c4) {
// CHECK-NEXT:        %i = arith.addi %arg2, %arg0 : index
// CHECK-NEXT:        %j = arith.addi %arg3, %arg1 : index
// CHECK-NEXT:        %true = arith.constant true
// CHECK-NEXT:        %2 = arith.cmpi ult, %i, %c4 : index
// CHECK-NEXT:        %3 = arith.andi %true, %2 : i1
// CHECK-NEXT:        %4 = arith.cmpi ult, %j, %c8 : index
// CHECK-NEXT:        %5 = arith.andi %3, %4 : i1
// CHECK-NEXT:        scf.if %5 {
// CHECK-NEXT:          memref.store %j, %m[%i, %j] : memref<4x8xindex>
// CHECK-NEXT:        }
// CHECK-NEXT:        scf.reduce
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    return
// CHECK-NEXT:  }
func.func @band(%m: memref<4x8xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i, %j) = (%c0, %c1) to (%c4, %c8) step (%c1, %c4) {
    memref.store %j, %m[%i, %j] : memref<4x8xindex>
  }
  return
}
