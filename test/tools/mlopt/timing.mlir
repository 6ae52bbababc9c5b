// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize))' --mlir-timing 2>&1 >%t | filecheck %s

// CHECK:      ... Execution time report ...
// CHECK:      Total Execution Time:
// CHECK:      ----Wall Time----  ----Name----
// CHECK-NEXT: {{[0-9.]+ \( *[0-9.]+%\)  Parser}}
// CHECK-NEXT: {{.*\)  Verifier}}
// CHECK-NEXT: {{.*\)  'builtin.module' Pipeline}}
// CHECK-NEXT: {{.*\)    'func.func' Pipeline}}
// CHECK-NEXT: {{.*\)      canonicalize}}
// CHECK-NEXT: {{.*\)      \(V\) Verifier}}
// CHECK:      {{.*\(100.0%\)  Total}}
func.func @f() {
  return
}
