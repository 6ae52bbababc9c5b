// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s
// Upstream's syntax of ops that need more than operands and types.

// CHECK-LABEL: transform.named_sequence @handles
transform.named_sequence @handles(%arg: !transform.any_op {transform.readonly}, %n: !transform.param<i64>) {
  // CHECK-NEXT: %t:3 = transform.structured.tile_using_for %arg tile_sizes [2, 0, %n] inner_tile_alignments = [Equal, Multiple] : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  %t:3 = transform.structured.tile_using_for %arg tile_sizes [2, 0, %n] inner_tile_alignments = [Equal, Multiple] : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  // CHECK-NEXT: %f:2 = transform.structured.fuse %t#0 tile_sizes *(%n) : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op)
  %f:2 = transform.structured.fuse %t#0 tile_sizes *(%n) : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op)
  // CHECK-NEXT: %p:3 = transform.structured.pad %f#0 pad_to_multiple_of [2, %n] use_prescribed_tensor_shapes {padding_dimensions = [0, 1]} : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  %p:3 = transform.structured.pad %f#0 pad_to_multiple_of [2, %n] use_prescribed_tensor_shapes {padding_dimensions = [0, 1]} : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  // CHECK-NEXT: %h = transform.structured.hoist_pad %p#1 by 1 loops, transpose by [1, 0] : (!transform.any_op) -> !transform.any_op
  %h = transform.structured.hoist_pad %p#1 by 1 loops, transpose by [1, 0] : (!transform.any_op) -> !transform.any_op
  // CHECK-NEXT: %s = transform.structured.split %p#0 after 42 {dimension = 0 : i64} : !transform.any_op
  %s = transform.structured.split %p#0 after 42 {dimension = 0} : !transform.any_op
  // CHECK-NEXT: %d = transform.structured.split %s after %n {dimension = 1 : i64, multiway} : !transform.any_op, !transform.param<i64>
  %d = transform.structured.split %s after %n {dimension = 1, multiway} : !transform.any_op, !transform.param<i64>
  // CHECK-NEXT: %w:2 = transform.structured.continuous_tile_sizes %d {dimension = 0 : i64, target_size = 9 : i64} : (!transform.any_op) -> !transform.any_op
  %w:2 = transform.structured.continuous_tile_sizes %d {dimension = 0, target_size = 9} : (!transform.any_op) -> !transform.any_op
  // CHECK-NEXT: %b:2 = transform.structured.bufferize_to_allocation %d {memory_space = 3 : i64} : !transform.any_op
  %b:2 = transform.structured.bufferize_to_allocation %d {memory_space = 3} : !transform.any_op
  // CHECK-NEXT: %k:3 = transform.structured.pack_transpose %d with_compute_op(%p#0) outer_perm = [1, 0] : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  %k:3 = transform.structured.pack_transpose %d with_compute_op(%p#0) outer_perm = [1, 0] : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  // CHECK-NEXT: %v = transform.get_operand %d[all] : (!transform.any_op) -> !transform.any_value
  %v = transform.get_operand %d[all] : (!transform.any_op) -> !transform.any_value
  // CHECK-NEXT: transform.print %d {name = "d"} : !transform.any_op
  transform.print %d {name = "d"} : !transform.any_op
  // CHECK-NEXT: transform.foreach %w#0, %w#1 : !transform.any_op, !transform.any_op {
  transform.foreach %w#0, %w#1 : !transform.any_op, !transform.any_op {
  // CHECK-NEXT: ^bb0(%one: !transform.any_op, %two: !transform.any_op):
  ^bb0(%one: !transform.any_op, %two: !transform.any_op):
    // CHECK-NEXT: transform.print %one : !transform.any_op
    transform.print %one : !transform.any_op
  }
  // CHECK: transform.yield
  transform.yield
}

// CHECK-LABEL: transform.sequence failures(propagate) {
transform.sequence failures(propagate) {
^bb0(%arg0: !transform.any_op):
  // CHECK: %r = transform.match.structured failures(suppress) %arg0 : (!transform.any_op) -> !transform.param<i64> {
  %r = transform.match.structured failures(suppress) %arg0 : (!transform.any_op) -> !transform.param<i64> {
  ^bb0(%struct: !transform.any_op):
    // CHECK: transform.match.structured.body %struct {passthrough} : !transform.any_op
    transform.match.structured.body %struct {passthrough} : !transform.any_op
    // CHECK-NEXT: transform.match.structured.dim %struct[except(-1)] {parallel} : !transform.any_op
    transform.match.structured.dim %struct[except(-1)] {parallel} : !transform.any_op
    // CHECK-NEXT: %rank = transform.match.structured.rank %struct : (!transform.any_op) -> !transform.param<i64>
    %rank = transform.match.structured.rank %struct : (!transform.any_op) -> !transform.param<i64>
    // CHECK-NEXT: transform.match.structured.yield %rank : !transform.param<i64>
    transform.match.structured.yield %rank : !transform.param<i64>
  }
}
