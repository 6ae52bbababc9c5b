// RUN: mlopt %s | filecheck %s

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%arg: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.matmul"]} in %arg : (!transform.any_op) -> !transform.any_op
    %1 = transform.get_parent_op %0 {isolated_from_above} : (!transform.any_op) -> !transform.any_op
    %2, %3 = transform.structured.tile_using_forall %0 num_threads [2, 3] (mapping = [#gpu.thread<y>, #gpu.thread<x>]) : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.structured.vectorize %2 vector_sizes [4, [8]] : !transform.any_op
    transform.apply_patterns to %1 {
      transform.apply_patterns.canonicalization
      transform.apply_patterns.vector.lower_contraction lowering_strategy = "outerproduct"
    } {apply_cse} : !transform.any_op
    transform.yield
  }
}

// CHECK:      module attributes {transform.with_named_sequence} {
// CHECK-NEXT:   transform.named_sequence @__transform_main(%arg: !transform.any_op {transform.readonly}) {
// CHECK-NEXT:     %0 = transform.structured.match ops{["linalg.matmul"]} in %arg : (!transform.any_op) -> !transform.any_op
// CHECK-NEXT:     %1 = transform.get_parent_op %0 {isolated_from_above} : (!transform.any_op) -> !transform.any_op
// CHECK-NEXT:     %2:2 = transform.structured.tile_using_forall %0 num_threads [2, 3] (mapping = [#gpu.thread<y>, #gpu.thread<x>]) : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
// CHECK-NEXT:     transform.structured.vectorize %2#0 vector_sizes [4, [8]] : !transform.any_op
// CHECK-NEXT:     transform.apply_patterns to %1 {
// CHECK-NEXT:       transform.apply_patterns.canonicalization
// CHECK-NEXT:       transform.apply_patterns.vector.lower_contraction lowering_strategy = "outerproduct"
// CHECK-NEXT:     } {apply_cse} : !transform.any_op
// CHECK-NEXT:     transform.yield
// CHECK-NEXT:   }
// CHECK-NEXT: }
