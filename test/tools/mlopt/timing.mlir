// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize,cse,canonicalize))' --mlir-timing 2>&1 >%t | filecheck %s
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize,cse,canonicalize))' --mlir-timing --mlir-timing-display=list 2>&1 >%t | filecheck %s --check-prefix=LIST
// RUN: mlopt %s --pass-pipeline='builtin.module(func.func(canonicalize,cse,canonicalize))' --mlir-timing --mlir-output-format=json 2>&1 >%t | filecheck %s --check-prefix=JSON

// CHECK:      ... Execution time report ...
// CHECK:      Total Execution Time:
// CHECK:      ----Wall Time----  ----Name----
// CHECK-NEXT: {{[0-9.]+ \( *[0-9.]+%\)  Parser}}
// CHECK-NEXT: {{.*\)  Verifier}}
// CHECK-NEXT: {{.*\)  'func.func' Pipeline}}
// CHECK-NEXT: {{.*\)    Canonicalizer}}
// CHECK-NEXT: {{.*\)    \(V\) Verifier}}
// CHECK-NEXT: {{.*\)    CSE}}
// CHECK:      {{.*\)  Rest}}
// CHECK:      {{.*\(100.0%\)  Total}}

// LIST:       {{.*\(100.0%\)  root}}
// LIST-DAG:   {{.*\)  'func.func' Pipeline}}
// LIST-DAG:   {{.*\)  Canonicalizer}}
// LIST-DAG:   {{.*\)  CSE}}
// LIST:       {{.*\)  Rest}}
// LIST-NEXT:  {{.*\(100.0%\)  Total}}

// JSON:      {{^\[$}}
// JSON:      {"wall": {"duration":{{ +[0-9.]+}}, "percentage":{{ +[0-9.]+}}}, "name": "'func.func' Pipeline", "passes": [
// JSON-NEXT:   {"wall": {"duration":{{ +[0-9.]+}}, "percentage":{{ +[0-9.]+}}}, "name": "Canonicalizer", "passes": [
// JSON-NEXT:   {{\{\}\]\},}}
// JSON:      "name": "Total"}
// JSON-NEXT: {{^\]$}}
func.func @f() {
  return
}
