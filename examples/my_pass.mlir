// mlopt examples/my_pass.mlir --load-module examples/my_pass.py --convert-tiny --canonicalize
func.func @f(%x: f32) -> f32 {
  %y = tiny.scale %x by 2.0 : f32
  return %y : f32
}
