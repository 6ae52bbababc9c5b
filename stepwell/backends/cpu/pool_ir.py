"""The thread pool as LLVM IR: fork-join with workers that join only if they arrive in time. Generated code drives it; no Python runs in it.

`pool_parallel_for(pool, task, record, n, grain)` calls `task(record, begin, end)` for consecutive ranges of at most `grain` iterations, on
the calling thread and on every worker that turns up before the work is gone. A worker that is late (parked, or its core taken by somebody
else) is not waited for, so a busy machine degrades to serial speed rather than to the length of a scheduler slice.

The block of 1 KiB that threads share, one 128-byte line per group of fields:

| offset | type | field |
|---|---|---|
| 0 | i64 | state: epoch (high half), OPEN bit 16, active workers (low 16 bits); workers wait on the high half, the caller on the low |
| 128 | i32 | sleepers: workers that are parked or about to park |
| 256 | i32 | busy: one fork-join at a time; whoever finds it taken (nested, second caller, forked child) runs serially |
| 384 | i64 | next chunk |
| 512.. | ptr, ptr, i64, i64, i64 | task, record, iterations, grain, chunks |
| 640 | i32 | shutdown |
| 768 | i32 | the caller is parked |
| 896, 904 | i64 | cycles that a worker, and a joining caller, spin before parking |

Linux only (futex); the runtime runs serially where it cannot start the pool.
"""

from __future__ import annotations

SYSCALL_FUTEX = {"x86_64": 202, "aarch64": 98, "riscv64": 98}
_PAUSE = {"x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()")}

_TEMPLATE = """
declare i64 @syscall(i64, ...)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i64 @llvm.readcyclecounter()
declare i64 @llvm.umin.i64(i64, i64)
{declare_pause}

define internal void @futex_wait(ptr %word, i32 %seen) noinline {{
  %r = call i64 (i64, ...) @syscall(i64 {futex}, ptr %word, i64 128, i32 %seen, ptr null, ptr null, i64 0)
  ret void
}}

define internal void @futex_wake(ptr %word, i32 %count) noinline {{
  %r = call i64 (i64, ...) @syscall(i64 {futex}, ptr %word, i64 129, i32 %count, ptr null, ptr null, i64 0)
  ret void
}}

; Take chunks until none is left.
define internal void @run_chunks(ptr %pool) {{
entry:
  %nextp = getelementptr i8, ptr %pool, i64 384
  %taskp = getelementptr i8, ptr %pool, i64 512
  %recordp = getelementptr i8, ptr %pool, i64 520
  %np = getelementptr i8, ptr %pool, i64 528
  %grainp = getelementptr i8, ptr %pool, i64 536
  %chunksp = getelementptr i8, ptr %pool, i64 544
  %task = load ptr, ptr %taskp
  %record = load ptr, ptr %recordp
  %n = load i64, ptr %np
  %grain = load i64, ptr %grainp
  %chunks = load i64, ptr %chunksp
  br label %take
take:
  %i = atomicrmw add ptr %nextp, i64 1 monotonic
  %some = icmp ult i64 %i, %chunks
  br i1 %some, label %body, label %none
body:
  %begin = mul i64 %i, %grain
  %far = add i64 %begin, %grain
  %end = call i64 @llvm.umin.i64(i64 %far, i64 %n)
  call void %task(ptr %record, i64 %begin, i64 %end)
  br label %take
none:
  ret void
}}

define void @pool_worker(ptr %pool) {{
entry:
  %shutdownp = getelementptr i8, ptr %pool, i64 640
  %sleepersp = getelementptr i8, ptr %pool, i64 128
  %parkedp = getelementptr i8, ptr %pool, i64 768
  %limitp = getelementptr i8, ptr %pool, i64 896
  %epochp = getelementptr i8, ptr %pool, i64 4
  br label %rest
rest:
  %last = phi i64 [ 0, %entry ], [ %epoch, %late ], [ %epoch, %done ], [ %last, %unpark ]
  %start = call i64 @llvm.readcyclecounter()
  br label %spin
spin:
  %s = load atomic i64, ptr %pool acquire, align 8
  %epoch = lshr i64 %s, 32
  %new = icmp ne i64 %epoch, %last
  br i1 %new, label %join, label %idle
idle:
  %stop = load atomic i32, ptr %shutdownp acquire, align 4
  %stopping = icmp ne i32 %stop, 0
  br i1 %stopping, label %exit, label %wait
wait:
  {pause}
  %now = call i64 @llvm.readcyclecounter()
  %spent = sub i64 %now, %start
  %limit = load atomic i64, ptr %limitp monotonic, align 8
  %over = icmp uge i64 %spent, %limit
  br i1 %over, label %park, label %spin
park:
  %a = atomicrmw add ptr %sleepersp, i32 1 seq_cst
  %s2 = load atomic i64, ptr %pool seq_cst, align 8
  %epoch2 = lshr i64 %s2, 32
  %changed = icmp ne i64 %epoch2, %last
  %stop2 = load atomic i32, ptr %shutdownp seq_cst, align 4
  %stopping2 = icmp ne i32 %stop2, 0
  %awake = or i1 %changed, %stopping2
  br i1 %awake, label %unpark, label %sleep
sleep:
  %seen = trunc i64 %last to i32
  call void @futex_wait(ptr %epochp, i32 %seen)
  br label %unpark
unpark:
  %b = atomicrmw sub ptr %sleepersp, i32 1 seq_cst
  br label %rest
join:
  %sj = phi i64 [ %s, %spin ], [ %sv, %retry ]
  %openbit = and i64 %sj, 65536
  %open = icmp ne i64 %openbit, 0
  br i1 %open, label %enter, label %late
late:
  br label %rest
enter:
  %more = add i64 %sj, 1
  %cas = cmpxchg ptr %pool, i64 %sj, i64 %more acq_rel acquire
  %sv = extractvalue {{ i64, i1 }} %cas, 0
  %in = extractvalue {{ i64, i1 }} %cas, 1
  br i1 %in, label %run, label %retry
retry:
  %epoch3 = lshr i64 %sv, 32
  %same = icmp eq i64 %epoch3, %epoch
  br i1 %same, label %join, label %late
run:
  call void @run_chunks(ptr %pool)
  %old = atomicrmw sub ptr %pool, i64 1 seq_cst
  %low = and i64 %old, 131071
  %closed_and_last = icmp eq i64 %low, 1
  br i1 %closed_and_last, label %tell, label %done
tell:
  %parked = load atomic i32, ptr %parkedp seq_cst, align 4
  %waiting = icmp ne i32 %parked, 0
  br i1 %waiting, label %wake, label %done
wake:
  call void @futex_wake(ptr %pool, i32 1)
  br label %done
done:
  br label %rest
exit:
  ret void
}}

define void @pool_parallel_for(ptr %pool, ptr %task, ptr %record, i64 %n, i64 %grain) noinline {{
entry:
  %single = icmp ule i64 %n, %grain
  br i1 %single, label %serial, label %try
try:
  %busyp = getelementptr i8, ptr %pool, i64 256
  %c = cmpxchg ptr %busyp, i32 0, i32 1 acquire monotonic
  %got = extractvalue {{ i32, i1 }} %c, 1
  br i1 %got, label %fork, label %serial
serial:
  call void %task(ptr %record, i64 0, i64 %n)
  ret void
fork:
  %sleepersp = getelementptr i8, ptr %pool, i64 128
  %nextp = getelementptr i8, ptr %pool, i64 384
  %taskp = getelementptr i8, ptr %pool, i64 512
  %recordp = getelementptr i8, ptr %pool, i64 520
  %np = getelementptr i8, ptr %pool, i64 528
  %grainp = getelementptr i8, ptr %pool, i64 536
  %chunksp = getelementptr i8, ptr %pool, i64 544
  %parkedp = getelementptr i8, ptr %pool, i64 768
  %limitp = getelementptr i8, ptr %pool, i64 904
  %epochp = getelementptr i8, ptr %pool, i64 4
  %n1 = sub i64 %n, 1
  %q = udiv i64 %n1, %grain
  %chunks = add i64 %q, 1
  store ptr %task, ptr %taskp
  store ptr %record, ptr %recordp
  store i64 %n, ptr %np
  store i64 %grain, ptr %grainp
  store i64 %chunks, ptr %chunksp
  store atomic i64 0, ptr %nextp monotonic, align 8
  %s = load atomic i64, ptr %pool monotonic, align 8
  %e = lshr i64 %s, 32
  %e1 = add i64 %e, 1
  %e2 = shl i64 %e1, 32
  %opened = or i64 %e2, 65536
  store atomic i64 %opened, ptr %pool seq_cst, align 8
  %sl = load atomic i32, ptr %sleepersp seq_cst, align 4
  %anyone = icmp ne i32 %sl, 0
  br i1 %anyone, label %wake, label %work
wake:
  %others = trunc i64 %q to i32
  call void @futex_wake(ptr %epochp, i32 %others)
  br label %work
work:
  call void @run_chunks(ptr %pool)
  %cs = atomicrmw and ptr %pool, i64 -65537 acq_rel
  %active = and i64 %cs, 65535
  %none = icmp eq i64 %active, 0
  br i1 %none, label %release, label %joining
joining:
  %start = call i64 @llvm.readcyclecounter()
  %limit = load i64, ptr %limitp
  br label %spin
spin:
  %js = load atomic i64, ptr %pool acquire, align 8
  %ja = and i64 %js, 65535
  %jz = icmp eq i64 %ja, 0
  br i1 %jz, label %release, label %wait
wait:
  {pause}
  %now = call i64 @llvm.readcyclecounter()
  %spent = sub i64 %now, %start
  %over = icmp uge i64 %spent, %limit
  br i1 %over, label %park, label %spin
park:
  store atomic i32 1, ptr %parkedp seq_cst, align 4
  br label %check
check:
  %ps = load atomic i64, ptr %pool seq_cst, align 8
  %pa = and i64 %ps, 65535
  %pz = icmp eq i64 %pa, 0
  br i1 %pz, label %unpark, label %sleep
sleep:
  %plow = trunc i64 %ps to i32
  call void @futex_wait(ptr %pool, i32 %plow)
  br label %check
unpark:
  store atomic i32 0, ptr %parkedp seq_cst, align 4
  br label %release
release:
  store atomic i32 0, ptr %busyp release, align 4
  ret void
}}

define ptr @pool_thread(ptr %pool) {{
  call void @pool_worker(ptr %pool)
  ret ptr null
}}

define i32 @pool_start(ptr %pool, ptr %handle) {{
  %r = call i32 @pthread_create(ptr %handle, ptr null, ptr @pool_thread, ptr %pool)
  ret i32 %r
}}

define void @pool_shutdown(ptr %pool) {{
  %shutdownp = getelementptr i8, ptr %pool, i64 640
  %epochp = getelementptr i8, ptr %pool, i64 4
  store atomic i32 1, ptr %shutdownp seq_cst, align 4
  %x = atomicrmw add ptr %pool, i64 4294967296 seq_cst
  call void @futex_wake(ptr %epochp, i32 2147483647)
  ret void
}}

define i32 @pool_join(i64 %handle) {{
  %r = call i32 @pthread_join(i64 %handle, ptr null)
  ret i32 %r
}}

define i64 @pool_cycles() {{
  %c = call i64 @llvm.readcyclecounter()
  ret i64 %c
}}
"""

_SHIM = """
@stepwell_pool = global ptr null

declare void @pool_parallel_for(ptr, ptr, ptr, i64, i64)

; What the kernels of one program call. A null pool means one thread.
define void @stepwell_parallel_for(ptr %task, ptr %record, i64 %n, i64 %grain) {
entry:
  %pool = load ptr, ptr @stepwell_pool
  %alone = icmp eq ptr %pool, null
  %small = icmp ule i64 %n, %grain
  %serial = or i1 %alone, %small
  br i1 %serial, label %here, label %fork
here:
  call void %task(ptr %record, i64 0, i64 %n)
  ret void
fork:
  tail call void @pool_parallel_for(ptr %pool, ptr %task, ptr %record, i64 %n, i64 %grain)
  ret void
}
"""


def pool_ir(machine: str) -> str:
    """The pool for an architecture as `platform.machine()` names it. Raises KeyError where the pool has no port."""
    declare_pause, pause = _PAUSE.get(machine, ("", ""))
    return _TEMPLATE.format(futex=SYSCALL_FUTEX[machine], declare_pause=declare_pause, pause=pause)


def shim_ir() -> str:
    """The definitions that every program links: its own pool pointer and `stepwell_parallel_for`."""
    return _SHIM
