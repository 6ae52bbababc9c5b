// RUN: mlopt %s --plan-memory --split-input-file --verify-diagnostics

func.func @a() {
  func.return
}
// expected-error @below {{plan-memory wants a module with one function that is no kernel; there are: @a, @b}}
func.func @b() {
  func.return
}

// -----

func.func @main(%n: index) {
  // expected-error @below {{an allocation of unknown size cannot be planned}}
  %t = memref.alloc(%n) : memref<?xf32>
  func.return
}
