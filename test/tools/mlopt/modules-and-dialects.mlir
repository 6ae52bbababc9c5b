// RUN: mlopt %s --allow-unregistered-dialect | filecheck %s
// RUN: not mlopt %s 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: mlopt %s --allow-unregistered-dialect --no-implicit-module | filecheck %s --check-prefix=BARE
// RUN: mlopt --show-dialects | filecheck %s --check-prefix=DIALECTS
// RUN: mlopt --version | filecheck %s --check-prefix=VERSION

// CHECK:      module {
// CHECK-NEXT:   "foreign.op"() : () -> ()
// BARE-NOT:   module
// BARE:       "foreign.op"() : () -> ()
// UNKNOWN:    error: operation being parsed with an unregistered dialect
// DIALECTS:   Available Dialects: {{.*arith,.*func,.*linalg,.*nn,.*vector}}
// VERSION:    mlopt {{[0-9]+\.[0-9]+}}
"foreign.op"() : () -> ()
