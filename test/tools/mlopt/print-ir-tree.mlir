// RUN: mlopt %s --pass-pipeline='builtin.module(canonicalize,canonicalize,func.func(cse),builtin.module(canonicalize,func.func(cse,canonicalize),cse),cse)' --mlir-print-ir-after-all --mlir-print-ir-tree-dir=%t.tree -o %t
// RUN: cat %t.tree/builtin_module_outer/0_canonicalize.mlir | filecheck %s --check-prefix=FIRST
// RUN: cat %t.tree/builtin_module_outer/func_func_sym_A/1_0_cse.mlir | filecheck %s --check-prefix=NESTED
// RUN: cat %t.tree/builtin_module_outer/builtin_module_inner/1_0_canonicalize.mlir | filecheck %s --check-prefix=INNER
// RUN: cat %t.tree/builtin_module_outer/builtin_module_inner/func_func_b/1_0_1_canonicalize.mlir | filecheck %s --check-prefix=LAST
// RUN: cat %t.tree/builtin_module_outer/builtin_module_inner/1_1_cse.mlir | filecheck %s --check-prefix=INNER
// RUN: cat %t.tree/builtin_module_outer/2_cse.mlir | filecheck %s --check-prefix=FIRST
// RUN: mlopt %s --cse --mlir-print-ir-tree-dir=%t.none -o %t
// RUN: not cat %t.none/builtin_module_outer/0_cse.mlir

// FIRST:       // -----// IR Dump After {{Canonicalizer|CSE}} ({{canonicalize|cse}}) //----- //
// FIRST-NEXT:  module @outer {
// NESTED:      // -----// IR Dump After CSE (cse) //----- //
// NESTED-NEXT: func.func @"sym/A"() {
// INNER:       module @inner {
// LAST:        // -----// IR Dump After Canonicalizer (canonicalize) //----- //
// LAST-NEXT:   func.func @b() {
module @outer {
  func.func @"sym/A"() {
    return
  }
  module @inner {
    func.func @b() {
      return
    }
  }
}
