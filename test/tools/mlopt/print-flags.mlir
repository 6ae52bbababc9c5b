// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | filecheck %s --check-prefix=GENERIC
// RUN: mlopt %s --mlir-print-op-generic --mlir-print-upstream-names=0 | mlopt | filecheck %s --check-prefix=PLAIN
// RUN: mlopt %s --mlir-print-debuginfo | filecheck %s --check-prefix=INFO
// RUN: mlopt %s --mlir-print-debuginfo | mlopt --mlir-print-debuginfo | filecheck %s --check-prefix=INFO
// RUN: mlopt %s --mlir-elide-elementsattrs-if-larger=2 | filecheck %s --check-prefix=ELIDE
// RUN: mlopt %s --mlir-print-elementsattrs-with-hex-if-larger=2 | filecheck %s --check-prefix=HEX

// GENERIC: "func.func"() <{function_type = 
// PLAIN:   func.func @f() -> tensor<3xi32> {
// INFO:    %cst = arith.constant dense<[1, 2, 3]> : tensor<3xi32> loc(#loc2)
// INFO:    #loc2 = loc("{{.*}}print-flags.mlir":17:8)
// ELIDE:   %cst = arith.constant dense_resource<__elided__> : tensor<3xi32>
// HEX:     %cst = arith.constant dense<"0x010000000200000003000000"> : tensor<3xi32>
// PLAIN:   %cst_0 = arith.constant dense<0.000000e+00> : tensor<4096x4096xf32>
// ELIDE:   %cst_0 = arith.constant dense<0.000000e+00> : tensor<4096x4096xf32>
func.func @f() -> tensor<3xi32> {
  %0 = arith.constant dense<[1, 2, 3]> : tensor<3xi32>
  %1 = arith.constant dense<0.0> : tensor<4096x4096xf32>
  return %0 : tensor<3xi32>
}
