// RUN: mlopt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{'rocdl.kernel' attribute attached to unexpected op}}
func.func private @f() attributes {rocdl.kernel}

// -----

llvm.func @f(%x: vector<4xi32>, %i: i32) {
  // expected-error@+1 {{use of value '%x' expects different type than prior uses: 'vector<2xi32>' vs 'vector<4xi32>'}}
  %0 = rocdl.cvt.scale.pk8.f16.fp8 %x, %i[3] : vector<8xf16>
  llvm.return
}
