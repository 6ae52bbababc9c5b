// RUN: mlopt %s | filecheck %s
// RUN: mlopt %s | mlopt | filecheck %s
// RUN: mlopt %s --mlir-print-debuginfo | filecheck %s --check-prefix=INFO
// RUN: mlopt %s --mlir-print-debuginfo | mlopt --mlir-print-debuginfo | filecheck %s --check-prefix=INFO
// RUN: mlopt %s --mlir-print-local-scope | filecheck %s --check-prefix=LOCAL
// RUN: mlopt %s --mlir-print-op-generic | filecheck %s --check-prefix=GENERIC

// What is made of others stands behind them; among equals the name decides, then who comes first. Dictionaries are sorted.

// CHECK:      #map = affine_map<(d0) -> (d0 + 1)>
// CHECK-NEXT: #map1 = affine_map<(d0) -> (d0 + 2)>
// CHECK-NEXT: #set = affine_set<(d0) : (d0 >= 0)>
// CHECK-NEXT: #tbaa_root = #llvm.tbaa_root<id = "root">
// CHECK-NEXT: #tbaa_type_desc = #llvm.tbaa_type_desc<id = "char", members = {<#tbaa_root, 0>}>
// CHECK-NEXT: #tbaa_tag = #llvm.tbaa_tag<base_type = #tbaa_type_desc, access_type = #tbaa_type_desc, offset = 0>
// CHECK-NEXT: module {
// CHECK-NEXT:   llvm.func @load(%p: !llvm.ptr) attributes {a = [#set, #map, 1, 2.000000e+00, 3 : i32], b = #map1} {
// CHECK-NEXT:     %x = llvm.load %p {tbaa = [#tbaa_tag]} : !llvm.ptr -> i32
// CHECK-NEXT:     llvm.return
// CHECK-NEXT:   }
// CHECK-NEXT: }

// What only ends operations is defined behind the IR.

// INFO:      #tbaa_tag = #llvm.tbaa_tag<base_type = #tbaa_type_desc
// INFO:      module {
// INFO:        } loc(#loc{{[0-9]+}})
// INFO-NEXT: } loc(#loc{{[0-9]*}})
// INFO-NEXT: #di_file = #llvm.di_file<"a.c" in "/tmp">
// INFO:      #di_subprogram = #llvm.di_subprogram<scope = #di_file, name = "f", file = #di_file>
// INFO-NEXT: #loc{{[0-9]+}} = loc(fused<#di_subprogram>[#loc{{[0-9]+}}])

// LOCAL:     module {
// LOCAL:       llvm.load %p {tbaa = [#llvm.tbaa_tag<base_type = #llvm.tbaa_type_desc<id = "char"

// GENERIC:   "llvm.func"() <{CConv = #llvm.cconv<ccc>, function_type = !llvm.func<void (ptr)>, linkage = #llvm.linkage<external>
// GENERIC:   ^bb0(%arg0: !llvm.ptr):
// GENERIC-NEXT: %0 = "llvm.load"(%arg0)
// GENERIC:   }) {a = [#set, #map, 1, 2.000000e+00, 3 : i32], b = #map1} : () -> ()

#file = #llvm.di_file<"a.c" in "/tmp">
#program = #llvm.di_subprogram<scope = #file, name = "f", file = #file>
#root = #llvm.tbaa_root<id = "root">
#type = #llvm.tbaa_type_desc<id = "char", members = {<#root, 0>}>
#tag = #llvm.tbaa_tag<base_type = #type, access_type = #type, offset = 0>
llvm.func @load(%p: !llvm.ptr) attributes {b = affine_map<(d0) -> (d0 + 2)>, a = [affine_set<(d0) : (d0 >= 0)>, affine_map<(d0) -> (d0 + 1)>, 1, 2.0 : f64, 3 : i32]} {
  %x = llvm.load %p {tbaa = [#tag]} : !llvm.ptr -> i32
  llvm.return
} loc(fused<#program>["a.c":1:2])
