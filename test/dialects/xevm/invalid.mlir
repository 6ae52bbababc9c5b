// RUN: mlopt %s --split-input-file --verify-diagnostics

func.func @f(%p: !llvm.ptr) {
  // expected-error@+1 {{'xevm.prefetch' op operand #0 must be LLVM pointer in address space 1 or LLVM pointer in address space 4}}
  xevm.prefetch %p : (!llvm.ptr)
  return
}

// -----

func.func @f(%p: !llvm.ptr<1>) {
  // expected-error@+1 {{'xevm.blockload' op vector size must be 2, 4 or 8 for element type > 8 bits}}
  %0 = xevm.blockload %p : (!llvm.ptr<1>) -> vector<3xi16>
  return
}

// -----

func.func @f(%p: !llvm.ptr<1>, %w: i32) {
  // expected-error@+1 {{'xevm.blockload2d' op result size of 128 bits does not match the expected size of 208 bits}}
  %0 = xevm.blockload2d %p, %w, %w, %w, %w, %w <{elem_size_in_bits = 16 : i32, tile_width = 26 : i32, tile_height = 8 : i32,
    v_blocks = 1 : i32, transpose = false, pack_register = false}> : (!llvm.ptr<1>, i32, i32, i32, i32, i32) -> vector<8xi16>
  return
}

// -----

func.func @f(%p: !llvm.ptr<1>, %w: i32, %t: vector<8xi32>) {
  // expected-error@+1 {{'xevm.blockstore2d' op expecting tile_width to be between 1 and 8}}
  xevm.blockstore2d %p, %w, %w, %w, %w, %w, %t <{elem_size_in_bits = 64 : i32, tile_width = 16 : i32, tile_height = 8 : i32}>
    : (!llvm.ptr<1>, i32, i32, i32, i32, i32, vector<8xi32>)
  return
}

// -----

func.func @f(%x: vector<8xf16>) {
  // expected-error@+1 {{'xevm.truncf' op both src and dst should be vector types or both should be scalar types}}
  %0 = xevm.truncf %x {src_etype = f16, dst_etype = bf8} : (vector<8xf16>) -> i8
  return
}
