// RUN: mlopt %s --pass-pipeline='builtin.module(nn-vjp{function=matmul},nn-vjp{function=shared_weights wrt=1},nn-vjp{function=sum},nn-vjp{function=mean},nn-vjp{function=max},nn-vjp{function=repeated},nn-vjp{function=turned},nn-vjp{function=joined},nn-vjp{function=cut},nn-vjp{function=padded},nn-vjp{function=running},nn-vjp{function=looked_up},nn-vjp{function=written})' | filecheck %s

// Reverse mode of products, reductions and moves: the transpose of each.

// A* = Y* B^T, B* = A^T Y*
// CHECK-LABEL: func.func @matmul_vjp(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %ct_y: tensor<2x5xf32>) -> (tensor<2x5xf32>, tensor<2x3xf32>, tensor<3x5xf32>) {
// CHECK-NEXT:        %y = nn.matmul %a, %b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
// CHECK-NEXT:        %0 = nn.transpose %a permutation = [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
// CHECK-NEXT:        %1 = nn.matmul %0, %ct_y : tensor<3x2xf32>, tensor<2x5xf32> -> tensor<3x5xf32>
// CHECK-NEXT:        %2 = nn.transpose %b permutation = [1, 0] : tensor<3x5xf32> -> tensor<5x3xf32>
// CHECK-NEXT:        %3 = nn.matmul %ct_y, %2 : tensor<2x5xf32>, tensor<5x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        return %y, %3, %1 : tensor<2x5xf32>, tensor<2x3xf32>, tensor<3x5xf32>
// CHECK-NEXT:      }
func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %y = nn.matmul %a, %b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
  func.return %y : tensor<2x5xf32>
}

// weights that a batch shares: its matrices are 14 rows of one product
// CHECK-LABEL: func.func @shared_weights_vjp(%x: tensor<7x2x3xf32>, %w: tensor<3x5xf32>, %ct_y: tensor<7x2x5xf32>) -> (tensor<7x2x5xf32>, tensor<3x5xf32>) {
// CHECK-NEXT:        %y = nn.matmul %x, %w : tensor<7x2x3xf32>, tensor<3x5xf32> -> tensor<7x2x5xf32>
// CHECK-NEXT:        %0 = nn.reshape %x : tensor<7x2x3xf32> -> tensor<14x3xf32>
// CHECK-NEXT:        %1 = nn.reshape %ct_y : tensor<7x2x5xf32> -> tensor<14x5xf32>
// CHECK-NEXT:        %2 = nn.transpose %0 permutation = [1, 0] : tensor<14x3xf32> -> tensor<3x14xf32>
// CHECK-NEXT:        %3 = nn.matmul %2, %1 : tensor<3x14xf32>, tensor<14x5xf32> -> tensor<3x5xf32>
// CHECK-NEXT:        return %y, %3 : tensor<7x2x5xf32>, tensor<3x5xf32>
// CHECK-NEXT:      }
func.func @shared_weights(%x: tensor<7x2x3xf32>, %w: tensor<3x5xf32>) -> tensor<7x2x5xf32> {
  %y = nn.matmul %x, %w : tensor<7x2x3xf32>, tensor<3x5xf32> -> tensor<7x2x5xf32>
  func.return %y : tensor<7x2x5xf32>
}

// the transpose of a sum repeats
// CHECK-LABEL: func.func @sum_vjp(%x: tensor<2x3xf32>, %ct_y: tensor<3xf32>) -> (tensor<3xf32>, tensor<2x3xf32>) {
// CHECK-NEXT:        %y = nn.reduce_sum %x axes = [0] : tensor<2x3xf32> -> tensor<3xf32>
// CHECK-NEXT:        %0 = nn.reshape %ct_y : tensor<3xf32> -> tensor<1x3xf32>
// CHECK-NEXT:        %1 = nn.broadcast_to %0 : tensor<1x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:        return %y, %1 : tensor<3xf32>, tensor<2x3xf32>
// CHECK-NEXT:      }
func.func @sum(%x: tensor<2x3xf32>) -> tensor<3xf32> {
  %y = nn.reduce_sum %x axes = [0] : tensor<2x3xf32> -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}

// a quarter to each of four
// CHECK-LABEL: func.func @mean_vjp(%x: tensor<2x4xf32>, %ct_y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2x4xf32>) {
// CHECK-NEXT:        %y = nn.reduce_mean %x axes = [1] : tensor<2x4xf32> -> tensor<2xf32>
// CHECK-NEXT:        %0 = nn.constant dense<2.500000e-01> : tensor<f32>
// CHECK-NEXT:        %1 = nn.mul %ct_y, %0 : tensor<2xf32>, tensor<f32> -> tensor<2xf32>
// CHECK-NEXT:        %2 = nn.reshape %1 : tensor<2xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %3 = nn.broadcast_to %2 : tensor<2x1xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        return %y, %3 : tensor<2xf32>, tensor<2x4xf32>
// CHECK-NEXT:      }
func.func @mean(%x: tensor<2x4xf32>) -> tensor<2xf32> {
  %y = nn.reduce_mean %x axes = [1] : tensor<2x4xf32> -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}

// to the elements that are the maximum, in equal shares
// CHECK-LABEL: func.func @max_vjp(%x: tensor<2x4xf32>, %ct_y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2x4xf32>) {
// CHECK-NEXT:        %y = nn.reduce_max %x axes = [1] : tensor<2x4xf32> -> tensor<2xf32>
// CHECK-NEXT:        %0 = nn.reshape %y : tensor<2xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %1 = nn.eq %x, %0 : tensor<2x4xf32>, tensor<2x1xf32> -> tensor<2x4xi1>
// CHECK-NEXT:        %2 = nn.cast %1 : tensor<2x4xi1> -> tensor<2x4xf32>
// CHECK-NEXT:        %3 = nn.reduce_sum %2 axes = [1] : tensor<2x4xf32> -> tensor<2xf32>
// CHECK-NEXT:        %4 = nn.div %ct_y, %3 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:        %5 = nn.reshape %4 : tensor<2xf32> -> tensor<2x1xf32>
// CHECK-NEXT:        %6 = nn.broadcast_to %5 : tensor<2x1xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        %7 = nn.mul %6, %2 : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
// CHECK-NEXT:        return %y, %7 : tensor<2xf32>, tensor<2x4xf32>
// CHECK-NEXT:      }
func.func @max(%x: tensor<2x4xf32>) -> tensor<2xf32> {
  %y = nn.reduce_max %x axes = [1] : tensor<2x4xf32> -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}

// the transpose of repeating sums
// CHECK-LABEL: func.func @repeated_vjp(%x: tensor<3x1xf32>, %ct_y: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<3x1xf32>) {
// CHECK-NEXT:        %y = nn.broadcast_to %x : tensor<3x1xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:        %0 = nn.reduce_sum %ct_y axes = [0, 2] : tensor<2x3x4xf32> -> tensor<3xf32>
// CHECK-NEXT:        %1 = nn.reshape %0 : tensor<3xf32> -> tensor<3x1xf32>
// CHECK-NEXT:        return %y, %1 : tensor<2x3x4xf32>, tensor<3x1xf32>
// CHECK-NEXT:      }
func.func @repeated(%x: tensor<3x1xf32>) -> tensor<2x3x4xf32> {
  %y = nn.broadcast_to %x : tensor<3x1xf32> -> tensor<2x3x4xf32>
  func.return %y : tensor<2x3x4xf32>
}

// turned back
// CHECK-LABEL: func.func @turned_vjp(%x: tensor<2x3x4xf32>, %ct_y: tensor<3x4x2xf32>) -> (tensor<3x4x2xf32>, tensor<2x3x4xf32>) {
// CHECK-NEXT:        %y = nn.transpose %x permutation = [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
// CHECK-NEXT:        %0 = nn.transpose %ct_y permutation = [2, 0, 1] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
// CHECK-NEXT:        return %y, %0 : tensor<3x4x2xf32>, tensor<2x3x4xf32>
// CHECK-NEXT:      }
func.func @turned(%x: tensor<2x3x4xf32>) -> tensor<3x4x2xf32> {
  %y = nn.transpose %x permutation = [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  func.return %y : tensor<3x4x2xf32>
}

// cut apart
// CHECK-LABEL: func.func @joined_vjp(%a: tensor<2xf32>, %b: tensor<3xf32>, %ct_y: tensor<5xf32>) -> (tensor<5xf32>, tensor<2xf32>, tensor<3xf32>) {
// CHECK-NEXT:        %y = nn.concat %a, %b axis = 0 : tensor<2xf32>, tensor<3xf32> -> tensor<5xf32>
// CHECK-NEXT:        %0 = nn.slice %ct_y starts = [0] ends = [2] : tensor<5xf32> -> tensor<2xf32>
// CHECK-NEXT:        %1 = nn.slice %ct_y starts = [2] ends = [5] : tensor<5xf32> -> tensor<3xf32>
// CHECK-NEXT:        return %y, %0, %1 : tensor<5xf32>, tensor<2xf32>, tensor<3xf32>
// CHECK-NEXT:      }
func.func @joined(%a: tensor<2xf32>, %b: tensor<3xf32>) -> tensor<5xf32> {
  %y = nn.concat %a, %b axis = 0 : tensor<2xf32>, tensor<3xf32> -> tensor<5xf32>
  func.return %y : tensor<5xf32>
}

// every second element of zeros: a zero behind each, then around all
// CHECK-LABEL: func.func @cut_vjp(%x: tensor<8xf32>, %ct_y: tensor<3xf32>) -> (tensor<3xf32>, tensor<8xf32>) {
// CHECK-NEXT:        %y = nn.slice %x starts = [1] ends = [7] steps = [2] : tensor<8xf32> -> tensor<3xf32>
// CHECK-NEXT:        %0 = nn.reshape %ct_y : tensor<3xf32> -> tensor<3x1xf32>
// CHECK-NEXT:        %1 = nn.pad %0 low = [0, 0] high = [0, 1] : tensor<3x1xf32> -> tensor<3x2xf32>
// CHECK-NEXT:        %2 = nn.reshape %1 : tensor<3x2xf32> -> tensor<6xf32>
// CHECK-NEXT:        %3 = nn.pad %2 low = [1] high = [1] : tensor<6xf32> -> tensor<8xf32>
// CHECK-NEXT:        return %y, %3 : tensor<3xf32>, tensor<8xf32>
// CHECK-NEXT:      }
func.func @cut(%x: tensor<8xf32>) -> tensor<3xf32> {
  %y = nn.slice %x starts = [1] ends = [7] steps = [2] : tensor<8xf32> -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}

// the border came from nowhere
// CHECK-LABEL: func.func @padded_vjp(%x: tensor<3xf32>, %ct_y: tensor<6xf32>) -> (tensor<6xf32>, tensor<3xf32>) {
// CHECK-NEXT:        %y = nn.pad %x low = [1] high = [2] value = 7.0 : tensor<3xf32> -> tensor<6xf32>
// CHECK-NEXT:        %0 = nn.slice %ct_y starts = [1] ends = [4] : tensor<6xf32> -> tensor<3xf32>
// CHECK-NEXT:        return %y, %0 : tensor<6xf32>, tensor<3xf32>
// CHECK-NEXT:      }
func.func @padded(%x: tensor<3xf32>) -> tensor<6xf32> {
  %y = nn.pad %x low = [1] high = [2] value = 7.0 : tensor<3xf32> -> tensor<6xf32>
  func.return %y : tensor<6xf32>
}

// running sums from the other end
// CHECK-LABEL: func.func @running_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:        %y = nn.cumsum %x axis = 0 : tensor<4xf32>
// CHECK-NEXT:        %0 = nn.cumsum %ct_y axis = 0 reverse = true : tensor<4xf32>
// CHECK-NEXT:        return %y, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:      }
func.func @running(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.cumsum %x axis = 0 : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// rows that were read are added into zeros
// CHECK-LABEL: func.func @looked_up_vjp(%t: tensor<10x4xf32>, %i: tensor<3xi64>, %ct_y: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<10x4xf32>) {
// CHECK-NEXT:        %y = nn.gather %t, %i : tensor<10x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
// CHECK-NEXT:        %0 = nn.constant dense<0.000000e+00> : tensor<10x4xf32>
// CHECK-NEXT:        %1 = nn.reshape %i : tensor<3xi64> -> tensor<3x1xi64>
// CHECK-NEXT:        %2 = nn.scatter_nd %0, %1, %ct_y reduction = "add" : tensor<10x4xf32>, tensor<3x1xi64>, tensor<3x4xf32> -> tensor<10x4xf32>
// CHECK-NEXT:        return %y, %2 : tensor<3x4xf32>, tensor<10x4xf32>
// CHECK-NEXT:      }
func.func @looked_up(%t: tensor<10x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> {
  %y = nn.gather %t, %i : tensor<10x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// what was added is read back
// CHECK-LABEL: func.func @written_vjp(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<2xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<2xf32>) {
// CHECK-NEXT:        %y = nn.scatter_elements %x, %i, %u reduction = "add" : tensor<4xf32>, tensor<2xi64>, tensor<2xf32> -> tensor<4xf32>
// CHECK-NEXT:        %0 = nn.gather_elements %ct_y, %i : tensor<4xf32>, tensor<2xi64> -> tensor<2xf32>
// CHECK-NEXT:        return %y, %ct_y, %0 : tensor<4xf32>, tensor<4xf32>, tensor<2xf32>
// CHECK-NEXT:      }
func.func @written(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<2xf32>) -> tensor<4xf32> {
  %y = nn.scatter_elements %x, %i, %u reduction = "add" : tensor<4xf32>, tensor<2xi64>, tensor<2xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
