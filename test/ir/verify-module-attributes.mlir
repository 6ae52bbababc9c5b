// RUN: mlopt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{can only contain attributes with dialect-prefixed names, found: 'foo'}}
module attributes {foo} {}

// -----

module @named attributes {test.foo} {}
