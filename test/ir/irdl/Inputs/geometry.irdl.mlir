// Points of two kinds of numbers, and what is done with them.
irdl.dialect @geometry {
  irdl.type @point {
    %f32 = irdl.is f32
    %f64 = irdl.is f64
    %number = irdl.any_of(%f32, %f64)
    irdl.parameters(coordinate: %number)
  }
  irdl.attribute @unit {
    %name = irdl.base "#builtin.string"
    irdl.parameters(name: %name)
  }
  irdl.operation @distance {
    %number = irdl.any
    %point = irdl.parametric @geometry::@point<%number>
    irdl.operands(from: %point, to: %point)
    irdl.results(distance: %number)
  }
  irdl.operation @polygon {
    %point = irdl.base @geometry::@point
    %unit = irdl.base @geometry::@unit
    irdl.operands(corners: variadic %point)
    irdl.attributes {"unit" = %unit}
  }
  irdl.operation @each {
    %point = irdl.base @geometry::@point
    %body = irdl.region(%point) with size 1
    irdl.operands(points: variadic %point, start: optional %point)
    irdl.regions(body: %body)
  }
}
