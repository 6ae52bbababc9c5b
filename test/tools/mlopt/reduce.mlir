// RUN: mlopt reduce %s --load-module %S/inputs/wrong_passes.py --crash | filecheck %s
// RUN: mlopt reduce %s --load-module %S/inputs/wrong_passes.py --crash -o %t 2>&1 | filecheck %s --check-prefix=SUMMARY
// RUN: mlopt reduce %s --test 'grep -q "arith.addf.*tensor" {} && exit 1; exit 0' | filecheck %s --check-prefix=SHAPE
// RUN: not mlopt reduce %s --canonicalize 2>&1 | filecheck %s --check-prefix=DULL
// RUN: not mlopt reduce %s --message='(' --cse 2>&1 | filecheck %s --check-prefix=REGEX
// RUN: not mlopt reduce %s 2>&1 | filecheck %s --check-prefix=WHAT

// CHECK:      module {
// CHECK-NEXT:   func.func @main({{[^{]*}}) {
// CHECK-NEXT:     {{.*}}scf.for
// CHECK-NEXT:       {{.*}}arith.divsi
// CHECK-NOT:      func.func
// SUMMARY:    operations reduced to {{[456]}}; {{[0-9]+}} candidates tried
// SHAPE:      func.func @main(%{{.*}}: tensor<1x1xf32>) {
// SHAPE-NEXT:   %{{.*}} = arith.addf %{{.*}}, %{{.*}} : tensor<1x1xf32>
// SHAPE-NEXT:   return
// SHAPE-NOT:    func.func
// DULL:       error: the input is not interesting
// REGEX:      error: '(' is no regular expression
// WHAT:       error: what is interesting? --test, or passes to run, must say

func.func private @helper(%x: i32) -> i32 {
  %0 = arith.muli %x, %x : i32
  return %0 : i32
}

func.func @main(%a: i32, %b: i32, %n: index, %t: tensor<4x16xf32>) -> (i32, tensor<4x16xf32>) attributes {tag = "x"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %h = func.call @helper(%a) : (i32) -> i32
  %s = arith.addf %t, %t : tensor<4x16xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %h) -> (i32) {
    %c = arith.cmpi slt, %acc, %b : i32
    %v = scf.if %c -> (i32) {
      %q = arith.addi %acc, %a : i32
      scf.yield %q : i32
    } else {
      scf.yield %acc : i32
    }
    %d = arith.divsi %v, %b : i32
    %e = arith.xori %d, %a : i32
    scf.yield %e : i32
  }
  return %r, %s : i32, tensor<4x16xf32>
}

func.func @other(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}
