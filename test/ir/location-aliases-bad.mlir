// RUN: mlopt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{operation location alias was never defined}}
func.func private @f() loc(#nowhere)

// -----

// expected-error@+1 {{expected location, but found '1 : i64'}}
func.func private @f() loc(#number)
#number = 1 : i64

// -----

// expected-error@+1 {{undefined symbol alias id 'nowhere'}}
func.func private @f() loc(fused[#nowhere])
