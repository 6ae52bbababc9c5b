// RUN: mlopt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{entry block of region may not have predecessors}}
func.func @itself() {
^bb0:
  cf.br ^bb0
}

// -----

// expected-error @+1 {{entry block of region may not have predecessors}}
func.func @later() {
^bb0:
  cf.br ^bb1
^bb1:
  cf.br ^bb0
}
