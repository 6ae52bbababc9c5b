// RUN: mlopt --explain=nn.relu | filecheck %s --check-prefix=OP
// RUN: mlopt --explain canonicalize | filecheck %s --check-prefix=PASS
// RUN: not mlopt --explain=nn.relo 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: mlopt --list-passes | filecheck %s --check-prefix=LIST
// RUN: mlopt --help | filecheck %s --check-prefix=HELP

// OP:      nn.relu    (stepwell/dialects/nn/
// OP:      max(x, 0)
// OP:      %y = nn.relu %x : tensor<
// OP:      Where it is lowered, rewritten and made:
// OP:      stepwell/lowering/structured/elementwise.py:

// PASS:      canonicalize on any    (stepwell/ir/transforms/canonicalize.py:
// PASS:      Options:
// PASS:      max-iterations=10    (int)

// UNKNOWN: mlopt: error: there is no operation and no pass 'nn.relo' (did you mean 'nn.relu'

// LIST: Passes:
// LIST:   canonicalize {{.*}} erase what is dead
// LIST: Passes of xDSL:
// LIST:   dce
// LIST: Pipelines:

// HELP: usage: mlopt [file] [flags] [passes]
// HELP:   --verify-diagnostics[=all|only-expected]
