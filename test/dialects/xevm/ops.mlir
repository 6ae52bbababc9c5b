// RUN: mlopt %s | filecheck %s
// RUN: mlopt %s | mlopt | filecheck %s

// CHECK:       func.func @tiles(%p: !llvm.ptr<1>, %w: i32, %tile: vector<8xi32>) {
// CHECK-NEXT:    %0 = xevm.blockload2d %p, %w, %w, %w, %w, %w <{
// CHECK-SAME:      cache_control = #xevm.load_cache_control<L1uc_L2uc_L3uc>
// CHECK-SAME:      elem_size_in_bits = 16 : i32
// CHECK-SAME:      }> : (!llvm.ptr<1>, i32, i32, i32, i32, i32) -> vector<8xi16>
// CHECK-NEXT:    xevm.blockstore2d %p, %w, %w, %w, %w, %w, %tile <{
// CHECK-SAME:      }> : (!llvm.ptr<1>, i32, i32, i32, i32, i32, vector<8xi32>)
// CHECK-NEXT:    xevm.prefetch %p : (!llvm.ptr<1>)
// CHECK-NEXT:    xevm.memfence <{addrspace = #xevm.addr_space<shared>, scope = #xevm.mem_scope<workgroup>}>
func.func @tiles(%p: !llvm.ptr<1>, %w: i32, %tile: vector<8xi32>) {
  %0 = xevm.blockload2d %p, %w, %w, %w, %w, %w <{elem_size_in_bits = 16 : i32, tile_width = 16 : i32, tile_height = 8 : i32,
    v_blocks = 1 : i32, transpose = false, pack_register = false, cache_control = #xevm.load_cache_control<L1uc_L2uc_L3uc>}>
    : (!llvm.ptr<1>, i32, i32, i32, i32, i32) -> vector<8xi16>
  xevm.blockstore2d %p, %w, %w, %w, %w, %w, %tile <{elem_size_in_bits = 32 : i32, tile_width = 16 : i32, tile_height = 8 : i32}>
    : (!llvm.ptr<1>, i32, i32, i32, i32, i32, vector<8xi32>)
  xevm.prefetch %p : (!llvm.ptr<1>)
  xevm.memfence <{scope = #xevm.mem_scope<workgroup>, addrspace = #xevm.addr_space<shared>}>
  return
}

// CHECK:       func.func @values(%a: vector<8xi16>, %b: vector<8xi32>, %c: vector<8xf32>, %h: bf16) {
// CHECK-NEXT:    %0 = xevm.mma %a, %b, %c {shape = <m = 8, n = 16, k = 16>, types = <d = f32, a = f16, b = f16, c = f32>}
// CHECK-SAME:      : (vector<8xi16>, vector<8xi32>, vector<8xf32>) -> vector<8xf32>
// CHECK-NEXT:    %1 = xevm.truncf %h {src_etype = bf16, dst_etype = f8} : (bf16) -> i8
// CHECK-NEXT:    %2 = xevm.extf %1 {src_etype = f8, dst_etype = f16} : (i8) -> f16
// CHECK-NEXT:    %3 = xevm.local_id.x : i32
func.func @values(%a: vector<8xi16>, %b: vector<8xi32>, %c: vector<8xf32>, %h: bf16) {
  %0 = xevm.mma %a, %b, %c {shape = <m = 8, n = 16, k = 16>, types = <d = f32, a = f16, b = f16, c = f32>}
    : (vector<8xi16>, vector<8xi32>, vector<8xf32>) -> vector<8xf32>
  %1 = xevm.truncf %h {src_etype = bf16, dst_etype = f8} : (bf16) -> i8
  %2 = xevm.extf %1 {src_etype = f8, dst_etype = f16} : (i8) -> f16
  %3 = xevm.local_id.x : i32
  return
}
