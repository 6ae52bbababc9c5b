// RUN: mlopt %s --split-input-file --verify-diagnostics

transform.named_sequence @loops(%t: !transform.any_op) {
  // expected-error @below {{expected number of loops to tile (3) to match number of `loops` results (1)}}
  %0, %l = transform.structured.tile_using_for %t tile_sizes [4, 4, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
  transform.yield
}

// -----

transform.named_sequence @interchange(%t: !transform.any_op) {
  // expected-error @below {{expects iterator_interchange to be a permutation, found 1, 1}}
  %0 = transform.structured.interchange %t iterator_interchange = [1, 1] : (!transform.any_op) -> !transform.any_op
  transform.yield
}

// -----

transform.named_sequence @split(%t: !transform.any_op) {
  // expected-error @below {{expects either a dynamic or a static split point to be provided}}
  %0 = "transform.structured.split"(%t) <{dimension = 0 : i64, static_chunk_sizes = -9223372036854775808 : i64}> : (!transform.any_op) -> !transform.any_op
  transform.yield
}

// -----

transform.named_sequence @alignment(%t: !transform.any_op) {
  // expected-error @below {{expected one of 'Unknown', 'Multiple' or 'Equal', but got 'Odd'}}
  %0, %l = transform.structured.tile_using_for %t tile_sizes [4] inner_tile_alignments = [Odd] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
  transform.yield
}

// -----

transform.sequence failures(suppress) {
^bb0(%t: !transform.any_op):
  // expected-error @below {{expects parent op to be 'transform.match.structured'}}
  transform.match.structured.body %t {passthrough} : !transform.any_op
}

// -----

transform.sequence failures(suppress) {
^bb0(%t: !transform.any_op):
  transform.match.structured %t : !transform.any_op {
  ^bb0(%s: !transform.any_op):
    // expected-error @below {{'any' and 'single' are mutually exclusive}}
    %0 = transform.match.structured.result %s[0] {any, single} : (!transform.any_op) -> !transform.any_op
  }
}
