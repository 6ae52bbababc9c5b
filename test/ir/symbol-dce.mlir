// RUN: mlopt %s --symbol-dce --allow-unregistered-dialect | filecheck %s
// RUN: mlopt %s --symbol-privatize=exclude=main --allow-unregistered-dialect | filecheck %s --check-prefix PRIVATE

// CHECK-NOT:   @unused
// CHECK-NOT:   @only_from_unused
// CHECK:       func.func private @used
// CHECK:       func.func @main
// CHECK:       module @inner
// CHECK-NOT:   @hidden
// CHECK:       func.func nested @seen
// PRIVATE:     func.func private @unused
// PRIVATE:     func.func @main
func.func private @unused() {
  call @only_from_unused() : () -> ()
  return
}
func.func private @only_from_unused()
func.func private @used()
func.func @main() {
  call @used() : () -> ()
  "test.use"() {names = [@inner::@seen]} : () -> ()
  return
}
module @inner {
  func.func nested @hidden()
  func.func nested @seen()
}
