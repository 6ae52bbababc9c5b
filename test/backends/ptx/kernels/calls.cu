// Device functions that are called, a switch, votes and barriers that count. The .ptx beside this file is made of it by
// `nvcc -ptx -arch=sm_80 -O3`.
struct Pair { int low, high; };
__device__ __noinline__ Pair both(int a, int b) { Pair p; p.low = a < b ? a : b; p.high = a < b ? b : a; return p; }
__device__ __noinline__ int power(int x, int n) { int y = 1; while (n--) y *= x; return y; }
__device__ __noinline__ int deeper(int x, int n) { return n > 2 ? power(x, n) + 1 : power(x, n) - 1; }
extern "C" __global__ void calls(const int* x, int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Pair p = both(x[i], 10);
  y[4 * i] = p.low; y[4 * i + 1] = p.high;
  y[4 * i + 2] = i % 3 ? deeper(x[i], i % 5) : 0;
  int r;
  switch (i % 7) { case 0: r = p.low * 3; break; case 1: r = p.high + 7; break; case 2: r = p.low ^ p.high; break; case 3: r = i << 3; break;
    case 4: r = p.high / 3; break; case 5: r = -i; break; default: r = 99; }
  y[4 * i + 3] = r;
}
extern "C" __global__ void counts(const int* x, int* y) {
  int v = x[blockIdx.x * blockDim.x + threadIdx.x];
  int n = __syncthreads_count(v > 0), all = __syncthreads_and(v > -9), any = __syncthreads_or(v == 5);
  unsigned same = __match_any_sync(~0u, v), odd = __ballot_sync(~0u, v & 1);
  y[blockIdx.x * blockDim.x + threadIdx.x] = n + 1000 * (all != 0) + 2000 * (any != 0) + 10000 * __popc(same) + 1000000 * __popc(odd);
}
