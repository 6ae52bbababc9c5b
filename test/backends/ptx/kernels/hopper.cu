// Kernels of compute capability 9.0: bulk and tensor copies, mbarriers, wgmma, clusters. The .ptx beside this file is made of it by
// `nvcc -ptx -arch=sm_90a -O3`.
#include <cuda_bf16.h>
#include <cuda.h>
#include <cstdint>
using bf16 = __nv_bfloat16;
__device__ uint32_t smem(const void* p) { return (uint32_t)__cvta_generic_to_shared(p); }
__device__ void init(uint64_t* m, int n) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" :: "r"(smem(m)), "r"(n) : "memory"); }
__device__ void fence_init() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
__device__ void fence_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
__device__ void expect(uint64_t* m, int bytes) { asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" :: "r"(smem(m)), "r"(bytes) : "memory"); }
__device__ void arrive(uint64_t* m) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" :: "r"(smem(m)) : "memory"); }
__device__ void wait(uint64_t* m, int parity) {
  asm volatile("{\n.reg .pred p;\nAGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra DONE;\nbra AGAIN;\nDONE:\n}" :: "r"(smem(m)), "r"(parity) : "memory");
}
__device__ void load(void* dst, const CUtensorMap* t, uint64_t* m, int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];"
    :: "r"(smem(dst)), "l"(t), "r"(smem(m)), "r"(x), "r"(y) : "memory");
}
__device__ void store(const void* src, const CUtensorMap* t, int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2, %3}], [%1];" :: "l"(t), "r"(smem(src)), "r"(x), "r"(y) : "memory");
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
__device__ uint64_t descriptor(const void* p, int lbo, int sbo) {
  return (uint64_t)((smem(p) & 0x3FFFF) >> 4) | (uint64_t)(lbo >> 4) << 16 | (uint64_t)(sbo >> 4) << 32 | 1ull << 62;
}
__device__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int N> __device__ void wgmma_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" :: "n"(N) : "memory"); }
// 64x32 += 64x16 * 16x32; TB: B lies MN-major.
template <int TB> __device__ void wgmma(float (&d)[16], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, %16, %17, 1, 1, 1, 0, %18;"
    : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]),
      "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]) : "l"(a), "l"(b), "n"(TB));
}
__device__ void write_tile(float* C, int ldc, const float (&d)[16], int t) {
  for (int j = 0; j < 4; ++j) for (int i = 0; i < 4; ++i)
    C[(t / 32 * 16 + t % 32 / 4 + i / 2 * 8) * ldc + 8 * j + t % 4 * 2 + (i & 1)] = d[4 * j + i];
}

// C[64,32] per block = A[M,K] B[N,K]^T: tiles of 64 along K, 128-byte swizzle, a ring of 3 stages, warpgroup 0 computes, a thread of warp 4 fetches.
extern "C" __global__ void ring(const __grid_constant__ CUtensorMap ta, const __grid_constant__ CUtensorMap tb, float* C, int N, int K) {
  extern __shared__ __align__(1024) char dynamic[];
  bf16* a = (bf16*)dynamic; bf16* b = a + 3 * 64 * 64;
  __shared__ uint64_t full[3], empty[3];
  int t = threadIdx.x, steps = K / 64;
  if (t == 0) { for (int s = 0; s < 3; ++s) { init(&full[s], 1); init(&empty[s], 4); } fence_init(); }
  __syncthreads();
  if (t >= 128) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (t == 128) for (int k = 0; k < steps; ++k) {
      int s = k % 3;
      wait(&empty[s], (k / 3 & 1) ^ 1);
      expect(&full[s], (64 + 32) * 64 * 2);
      load(a + s * 64 * 64, &ta, &full[s], k * 64, blockIdx.y * 64);
      load(b + s * 32 * 64, &tb, &full[s], k * 64, blockIdx.x * 32);
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    float d[16] = {};
    for (int k = 0; k < steps; ++k) {
      int s = k % 3;
      wait(&full[s], k / 3 & 1);
      wgmma_fence();
      for (int i = 0; i < 4; ++i) wgmma<0>(d, descriptor(a + s * 64 * 64 + 16 * i, 16, 1024), descriptor(b + s * 32 * 64 + 16 * i, 16, 1024));
      wgmma_commit();
      wgmma_wait<0>();
      if (t % 32 == 0) arrive(&empty[s]);
    }
    write_tile(C + blockIdx.y * 64 * N + blockIdx.x * 32, N, d, t);
  }
}

// C[64,32] = A[64,K] B[K,32]: both tiles through tensor copies, B MN-major with a swizzle of 64 bytes; two products in flight; the result
// leaves by a tensor copy.
extern "C" __global__ void transposed(const __grid_constant__ CUtensorMap ta, const __grid_constant__ CUtensorMap tb, const __grid_constant__ CUtensorMap tc, int K) {
  __shared__ __align__(1024) bf16 a[2][64 * 64]; __shared__ __align__(1024) bf16 b[2][64 * 32]; __shared__ __align__(1024) float c[64 * 32];
  __shared__ uint64_t full[2];
  int t = threadIdx.x, steps = K / 64;
  if (t == 0) { init(&full[0], 1); init(&full[1], 1); fence_async(); }
  __syncthreads();
  auto fetch = [&](int k) {
    expect(&full[k & 1], (64 + 32) * 64 * 2);
    load(a[k & 1], &ta, &full[k & 1], k * 64, 0);
    load(b[k & 1], &tb, &full[k & 1], 0, k * 64);
  };
  if (t == 0) fetch(0);
  float d[16] = {};
  for (int k = 0; k < steps; ++k) {
    if (t == 0 && k + 1 < steps) fetch(k + 1);
    wait(&full[k & 1], k / 2 & 1);
    wgmma_fence();
    for (int i = 0; i < 4; ++i) {
      uint64_t db = (uint64_t)((smem(b[k & 1] + 16 * i * 32) & 0x3FFFF) >> 4) | (uint64_t)(64 >> 4) << 16 | (uint64_t)(512 >> 4) << 32 | 2ull << 62;
      wgmma<1>(d, descriptor(a[k & 1] + 16 * i, 16, 1024), db);
      wgmma_commit();
    }
    wgmma_wait<1>();
    wgmma_wait<0>();
    __syncthreads();
  }
  write_tile(c, 32, d, t);
  fence_async();
  __syncthreads();
  if (t == 0) { store(c, &tc, 0, 0); asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory"); }
}

// A in registers: C[64,32] = A[64,16] B[32,16]^T, no swizzle, B written by the threads.
extern "C" __global__ void fragments(const bf16* A, const bf16* B, float* C) {
  __shared__ __align__(128) bf16 b[32 * 16];
  int t = threadIdx.x, g = t % 32 / 4, q = t % 4, row = t / 32 * 16;
  for (int i = t; i < 32 * 16; i += 128) { int n = i / 16, k = i % 16; b[n / 8 * 128 + k / 8 * 64 + n % 8 * 8 + k % 8] = B[i]; }
  fence_async();
  __syncthreads();
  uint32_t r[4];
  for (int i = 0; i < 4; ++i) r[i] = *(const uint32_t*)&A[(row + g + i % 2 * 8) * 16 + i / 2 * 8 + 2 * q];
  float d[16] = {};
  uint64_t db = (uint64_t)((smem(b) & 0x3FFFF) >> 4) | (uint64_t)(128 >> 4) << 16 | (uint64_t)(256 >> 4) << 32;
  wgmma_fence();
  asm volatile("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, {%16,%17,%18,%19}, %20, 0, 1, -1, 0;"
    : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]),
      "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]) : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "l"(db));
  wgmma_commit();
  wgmma_wait<0>();
  write_tile(C, 32, d, t);
}

// y = 2 x by bulk copies in and out.
extern "C" __global__ void bulk(const float* x, float* y) {
  __shared__ __align__(128) float in[256], out[256];
  __shared__ uint64_t full;
  int t = threadIdx.x;
  if (t == 0) {
    init(&full, 1); fence_async();
    expect(&full, 1024);
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], 1024, [%2];" :: "r"(smem(in)), "l"(x + blockIdx.x * 256), "r"(smem(&full)) : "memory");
  }
  __syncthreads();
  wait(&full, 0);
  out[t] = 2 * in[t];
  fence_async();
  __syncthreads();
  if (t == 0) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], 1024;" :: "l"(y + blockIdx.x * 256), "r"(smem(out)) : "memory");
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
}

// Each block of a cluster of 2 sums 128 numbers; both get the sum of all, through each other's shared memory.
extern "C" __global__ void __cluster_dims__(2, 1, 1) cluster_sum(const float* x, float* y) {
  __shared__ float s[128]; __shared__ float part[2];
  int t = threadIdx.x, rank = blockIdx.x % 2;
  s[t] = x[blockIdx.x * 128 + t];
  __syncthreads();
  if (t == 0) {
    float v = 0;
    for (int i = 0; i < 128; ++i) v += s[i];
    for (int r = 0; r < 2; ++r) {
      uint32_t there;
      asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(smem(&part[rank])), "r"(r));
      asm volatile("st.shared::cluster.f32 [%0], %1;" :: "r"(there), "f"(v) : "memory");
    }
  }
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
  y[blockIdx.x * 128 + t] = part[0] + part[1];
}

// Both blocks of a cluster get both halves of a tile: each fetches one half for both.
extern "C" __global__ void __cluster_dims__(2, 1, 1) multicast(const __grid_constant__ CUtensorMap t2, float* y) {
  __shared__ __align__(128) float tile[16 * 32]; __shared__ uint64_t full;
  int t = threadIdx.x, rank = blockIdx.x % 2;
  if (t == 0) { init(&full, 1); fence_init(); expect(&full, 16 * 32 * 4); }
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
  if (t == 0) asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;"
    :: "r"(smem(tile + rank * 8 * 32)), "l"(&t2), "r"(smem(&full)), "r"(0), "r"((int)(blockIdx.x / 2 * 16 + rank * 8)), "h"((short)3) : "memory");
  wait(&full, 0);
  for (int i = t; i < 16 * 32; i += 128) y[blockIdx.x * 16 * 32 + i] = tile[i];
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// Copies of single threads that an mbarrier counts, and a token waited for.
extern "C" __global__ void counted(const float* x, float* y) {
  __shared__ float s[128]; __shared__ uint64_t m;
  int t = threadIdx.x;
  if (t == 0) init(&m, 128);
  __syncthreads();
  for (int i = 0; i < 3; ++i) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" :: "r"(smem(&s[t])), "l"(x + (i * gridDim.x + blockIdx.x) * 128 + t) : "memory");
    asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" :: "r"(smem(&m)) : "memory");
    wait(&m, i & 1);
    y[(i * gridDim.x + blockIdx.x) * 128 + t] = s[127 - t];
    __syncthreads();
  }
}

// A producer warp hands numbers to a consumer warp through named barriers.
extern "C" __global__ void named(const float* x, float* y, int n) {
  __shared__ float s[2][32];
  int t = threadIdx.x % 32;
  for (int i = 0; i < n; ++i) {
    int p = i & 1;
    if (threadIdx.x >= 32) {
      if (i >= 2) asm volatile("barrier.cta.sync %0, 64;" :: "r"(3 + p) : "memory");
      s[p][t] = x[i * 32 + t];
      asm volatile("barrier.cta.arrive %0, 64;" :: "r"(1 + p) : "memory");
    } else {
      asm volatile("barrier.cta.sync %0, 64;" :: "r"(1 + p) : "memory");
      y[i * 32 + t] = s[p][31 - t];
      if (i + 2 < n) asm volatile("barrier.cta.arrive %0, 64;" :: "r"(3 + p) : "memory");
    }
  }
}
