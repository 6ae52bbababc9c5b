// RUN: mlopt %s --snapshot-op-locations='filename=%t.mlir' --mlir-print-debuginfo --mlir-print-local-scope | filecheck %s
// RUN: mlopt %s --snapshot-op-locations='filename=%t.mlir tag=now' --mlir-print-debuginfo --mlir-print-local-scope | filecheck %s --check-prefix=TAG
// RUN: not mlopt %s --snapshot-op-locations='filename=%t.missing/a.mlir' 2>&1 | filecheck %s --check-prefix=BAD

// CHECK:      return %x : i32 loc("{{.*}}.mlir":3:4)
// CHECK-NEXT: } loc("{{.*}}.mlir":2:2)
// TAG:        return %x : i32 loc(fused["here", "now"("{{.*}}.mlir":3:4)])
// BAD:        error: cannot open output file '{{.*}}': No such file or directory
func.func @f(%x: i32) -> i32 {
  return %x : i32 loc("here")
}
