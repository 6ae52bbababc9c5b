// RUN: mlopt %s | mlopt | filecheck %s

// Attributes of arguments and results survive, in declarations as well.
// CHECK:       func.func private @declared(memref<4xf32> {llvm.noalias}, i32) -> (i32 {llvm.noundef})
func.func private @declared(memref<4xf32> {llvm.noalias}, i32) -> (i32 {llvm.noundef})

// CHECK:       func.func private @nothing(){{$}}
func.func private @nothing() -> ()

// CHECK:       func.func private @functions((i32) -> f32) -> (() -> ())
func.func private @functions((i32) -> f32) -> (() -> ())

// CHECK:       func.func nested @defined(%{{.*}}: i32 {llvm.noundef}, %{{.*}}: f32) -> (i32 {llvm.noundef}, f32) attributes {a.note = 1 : i64} {
func.func nested @defined(%a: i32 {llvm.noundef}, %b: f32) -> (i32 {llvm.noundef}, f32) attributes {a.note = 1} {
  return %a, %b : i32, f32
}
