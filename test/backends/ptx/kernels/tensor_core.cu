// A matmul on tensor cores with copies ahead. The .ptx beside this file is made of it by `nvcc -ptx -arch=sm_80 -O3`.
#include <cuda_fp16.h>
// C[64,64] = A[64,K] B[K,64], f16, one block of 4 warps; cp.async in two stages, ldmatrix, mma.sync.
extern "C" __global__ void hgemm(const half* A, const half* B, float* C, int K) {
  __shared__ __align__(16) half a[2][64][40]; __shared__ __align__(16) half b[2][32][72];
  int t = threadIdx.x, w = t / 32, l = t % 32;
  float acc[8][4] = {};
  auto copy = [&](int s, int k0) {
    for (int i = 0; i < 2; ++i) {
      int r = (t + i * 128) / 4, c = (t + i * 128) % 4 * 8;
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(&a[s][r][c])), "l"(A + (size_t)(blockIdx.x * 64 + r) * K + k0 + c));
      int rb = (t + i * 128) / 8, cb = (t + i * 128) % 8 * 8;
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(&b[s][rb][cb])), "l"(B + (size_t)(k0 + rb) * 64 + cb));
    }
    asm volatile("cp.async.commit_group;");
  };
  copy(0, 0);
  for (int k0 = 0, s = 0; k0 < K; k0 += 32, s ^= 1) {
    if (k0 + 32 < K) { copy(s ^ 1, k0 + 32); asm volatile("cp.async.wait_group 1;"); } else asm volatile("cp.async.wait_group 0;");
    __syncthreads();
    for (int kk = 0; kk < 32; kk += 16) {
      unsigned ra[4];
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(ra[0]), "=r"(ra[1]), "=r"(ra[2]), "=r"(ra[3]) : "r"((unsigned)__cvta_generic_to_shared(&a[s][w * 16 + l % 16][kk + l / 16 * 8])));
      for (int j = 0; j < 8; ++j) {
        unsigned rb[2];
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(rb[0]), "=r"(rb[1]) : "r"((unsigned)__cvta_generic_to_shared(&b[s][kk + l % 16][j * 8])));
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};" : "+f"(acc[j][0]), "+f"(acc[j][1]), "+f"(acc[j][2]), "+f"(acc[j][3]) : "r"(ra[0]), "r"(ra[1]), "r"(ra[2]), "r"(ra[3]), "r"(rb[0]), "r"(rb[1]));
      }
    }
    __syncthreads();
  }
  for (int j = 0; j < 8; ++j) for (int i = 0; i < 4; ++i)
    C[(size_t)(blockIdx.x * 64 + w * 16 + l / 4 + (i / 2) * 8) * 64 + j * 8 + (l % 4) * 2 + (i & 1)] = acc[j][i];
}
