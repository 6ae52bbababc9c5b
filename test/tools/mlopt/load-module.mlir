// RUN: mlopt %S/../../../examples/my_pass.mlir --load-module %S/../../../examples/my_pass.py --convert-tiny | filecheck %s
// RUN: mlopt %S/../../../examples/my_pass.mlir --load-module=%S/../../../examples/my_pass.py --pass-pipeline='builtin.module(func.func(convert-tiny,count-ops))' 2>&1 >%t | filecheck %s --check-prefix=COUNT
// RUN: mlopt --load-module %S/../../../examples/my_pass.py --explain convert-tiny | filecheck %s --check-prefix=EXPLAIN
// RUN: not mlopt %S/../../../examples/my_pass.mlir --convert-tiny 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: not mlopt %S/../../../examples/my_pass.mlir 2>&1 | filecheck %s --check-prefix=DIALECT
// RUN: not mlopt --load-module /no/such/file.py 2>&1 | filecheck %s --check-prefix=FILE
// RUN: echo "x = 1" > %t.py && not mlopt --load-module %t.py 2>&1 | filecheck %s --check-prefix=EMPTY
// RUN: echo "x = 1 +" > %t.py && not mlopt --load-module %t.py 2>&1 | filecheck %s --check-prefix=SYNTAX
// RUN: echo "x = y" > %t.py && not mlopt --load-module %t.py 2>&1 | filecheck %s --check-prefix=NAME

// CHECK:      %[[FACTOR:.*]] = arith.constant 2.000000e+00 : f32
// CHECK-NEXT: arith.mulf %x, %[[FACTOR]] : f32
// COUNT:      3 operations
// EXPLAIN:    convert-tiny on func.func
// UNKNOWN:    error: unknown command line argument '--convert-tiny'
// DIALECT:    error:{{.*}}tiny.scale
// FILE:       mlopt: error: cannot read '/no/such/file.py': no such file
// EMPTY:      error: defines no pass and no dialect
// SYNTAX:     .py:1:{{[0-9]+}}: error: SyntaxError: invalid syntax
// NAME:       .py:1:1: error: NameError: name 'y' is not defined
