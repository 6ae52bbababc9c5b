// RUN: mlopt %s | filecheck %s
// RUN: mlopt %s | mlopt | filecheck %s

// CHECK:       llvm.func @f(%f: f32, %i: i32, %h: vector<2xf16>, %w: vector<8xf16>, %n: vector<2xi32>) attributes {rocdl.kernel} {
// CHECK-NEXT:    %0 = rocdl.workitem.id.x : i32
// CHECK-NEXT:    %1 = rocdl.readfirstlane %f : f32
// CHECK-NEXT:    %2 = rocdl.readlane %f, %i : (f32, i32) -> f32
// CHECK-NEXT:    %3 = rocdl.permlanex16 %f, %f, %i, %i, false, true : f32, i32
// CHECK-NEXT:    %4 = rocdl.permlane32.swap %i, %i, false, true : (i32, i32) -> !llvm.struct<(i32, i32)>
// CHECK-NEXT:    %5 = rocdl.fdot2 %h, %h, %f {clamp = true} : (vector<2xf16>, vector<2xf16>, f32) -> f32
// CHECK-NEXT:    %6 = rocdl.cvt.scale.pk8.f16.fp8 %n, %i[3] : vector<8xf16>
// CHECK-NEXT:    %7 = rocdl.cvt.scalef32.sr.pk8.fp8.f16 %w, %i, %f : vector<2xi32>
llvm.func @f(%f: f32, %i: i32, %h: vector<2xf16>, %w: vector<8xf16>, %n: vector<2xi32>) attributes {rocdl.kernel} {
  %0 = rocdl.workitem.id.x : i32
  %1 = rocdl.readfirstlane %f : f32
  %2 = rocdl.readlane %f, %i : (f32, i32) -> f32
  %3 = rocdl.permlanex16 %f, %f, %i, %i, 0, -1 : f32, i32
  %4 = rocdl.permlane32.swap %i, %i, 0, -1 : (i32, i32) -> !llvm.struct<(i32, i32)>
  %5 = rocdl.fdot2 %h, %h, %f {clamp = true} : (vector<2xf16>, vector<2xf16>, f32) -> f32
  %6 = rocdl.cvt.scale.pk8.f16.fp8 %n, %i[3] : vector<8xf16>
  %7 = rocdl.cvt.scalef32.sr.pk8.fp8.f16 %w, %i, %f : vector<2xi32>
  llvm.return
}
