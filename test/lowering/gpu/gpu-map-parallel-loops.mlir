// RUN: mlopt %s --gpu-map-parallel-loops --split-input-file | filecheck %s
// RUN: mlopt %s --gpu-map-parallel-loops=mapping-policy=innermost-first --split-input-file | filecheck %s --check-prefix=INNER

// CHECK-LABEL: func.func @two
// CHECK:           } {mapping = [#gpu.loop_dim_map<processor = thread_x, map = (d0) -> (d0), bound = (d0) -> (d0)>]}
// CHECK:         } {mapping = [#gpu.loop_dim_map<processor = block_x, map = (d0) -> (d0), bound = (d0) -> (d0)>, #gpu.loop_dim_map<processor = block_y, map = (d0) -> (d0), bound = (d0) -> (d0)>]}

// INNER-LABEL: func.func @two
// INNER:           } {mapping = [#gpu.loop_dim_map<processor = thread_x, map = (d0) -> (d0), bound = (d0) -> (d0)>]}
// INNER:         } {mapping = [#gpu.loop_dim_map<processor = block_y, map = (d0) -> (d0), bound = (d0) -> (d0)>, #gpu.loop_dim_map<processor = block_x, map = (d0) -> (d0), bound = (d0) -> (d0)>]}
func.func @two(%a: index, %b: index, %c: index) {
  scf.parallel (%i, %j) = (%a, %a) to (%b, %b) step (%c, %c) {
    scf.parallel (%k) = (%a) to (%b) step (%c) {
    }
  }
  return
}

// -----

// What is mapped stays, and so does what stands inside of it.

// CHECK-LABEL: func.func @mapped
// CHECK:         scf.parallel
// CHECK:           scf.parallel
// CHECK-NEXT:        scf.reduce
// CHECK-NEXT:      }{{$}}
// CHECK:         } {mapping = [#gpu.loop_dim_map<processor = sequential, map = (d0) -> (d0), bound = (d0) -> (d0)>]}
func.func @mapped(%a: index, %b: index, %c: index) {
  scf.parallel (%i) = (%a) to (%b) step (%c) {
    scf.parallel (%k) = (%a) to (%b) step (%c) {
    }
  } {mapping = [#gpu.loop_dim_map<processor = sequential, map = (d0) -> (d0), bound = (d0) -> (d0)>]}
  return
}
