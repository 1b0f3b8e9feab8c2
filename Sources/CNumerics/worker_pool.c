// Jobs come by the thousand a second, each some hundred microseconds long: workers watch for the next one for a moment before they sleep.
#define _GNU_SOURCE
#include "CNumerics.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { watch_rounds = 4000 };

typedef struct {
    uf_worker_pool *pool;
    size_t worker;
} worker_start;

struct uf_worker_pool {
    pthread_mutex_t lock;
    pthread_cond_t job_posted, job_done;
    size_t workers;
    pthread_t *threads;
    worker_start *starts;
    // The job. Written by the caller while no worker runs; `job` counts jobs and publishes them.
    uf_tile_function function;
    void *context;
    size_t tiles;
    atomic_size_t next_tile;
    atomic_size_t busy_workers;
    atomic_ulong job;
    atomic_bool closing;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_tiles(uf_worker_pool *pool, size_t worker) {
    for (;;) {
        size_t tile = atomic_fetch_add_explicit(&pool->next_tile, 1, memory_order_relaxed);
        if (tile >= pool->tiles) return;
        pool->function(pool->context, tile, worker);
    }
}

static void *work(void *argument) {
    worker_start *start = argument;
    uf_worker_pool *pool = start->pool;
    unsigned long seen = 0;
    for (;;) {
        unsigned long job = atomic_load_explicit(&pool->job, memory_order_acquire);
        for (int round = 0; job == seen && round < watch_rounds; round++) {
            pause_briefly();
            job = atomic_load_explicit(&pool->job, memory_order_acquire);
        }
        if (job == seen) {
            pthread_mutex_lock(&pool->lock);
            while ((job = atomic_load_explicit(&pool->job, memory_order_acquire)) == seen) pthread_cond_wait(&pool->job_posted, &pool->lock);
            pthread_mutex_unlock(&pool->lock);
        }
        seen = job;
        if (atomic_load_explicit(&pool->closing, memory_order_relaxed)) return NULL;
        take_tiles(pool, start->worker);
        if (atomic_fetch_sub_explicit(&pool->busy_workers, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->job_done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void post(uf_worker_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->job, 1, memory_order_release);
    pthread_cond_broadcast(&pool->job_posted);
    pthread_mutex_unlock(&pool->lock);
}

void uf_worker_pool_run(uf_worker_pool *pool, size_t tiles, uf_tile_function function, void *context) {
    if (pool->workers == 1 || tiles <= 1) {
        for (size_t tile = 0; tile < tiles; tile++) function(context, tile, 0);
        return;
    }
    pool->function = function;
    pool->context = context;
    pool->tiles = tiles;
    atomic_store_explicit(&pool->next_tile, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->busy_workers, pool->workers - 1, memory_order_relaxed);
    post(pool);
    take_tiles(pool, 0);
    for (int round = 0; round < watch_rounds; round++) {
        if (atomic_load_explicit(&pool->busy_workers, memory_order_acquire) == 0) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->busy_workers, memory_order_acquire) != 0) pthread_cond_wait(&pool->job_done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

uf_worker_pool *uf_worker_pool_create(size_t workers) {
    uf_worker_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->threads = calloc(workers, sizeof *pool->threads);
    pool->starts = calloc(workers, sizeof *pool->starts);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->job_posted, NULL);
    pthread_cond_init(&pool->job_done, NULL);
    pool->workers = 1;
    if (!pool->threads || !pool->starts) {
        uf_worker_pool_destroy(pool);
        return NULL;
    }
    // Signals belong to the main thread: a worker never runs a handler.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (size_t worker = 1; worker < workers; worker++) {
        pool->starts[worker] = (worker_start){pool, worker};
        if (pthread_create(&pool->threads[worker], NULL, work, &pool->starts[worker]) != 0) break;
        pool->workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pool->workers < workers) {
        uf_worker_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

void uf_worker_pool_destroy(uf_worker_pool *pool) {
    if (!pool) return;
    if (pool->workers > 1) {
        atomic_store_explicit(&pool->closing, 1, memory_order_relaxed);
        post(pool);
        for (size_t worker = 1; worker < pool->workers; worker++) pthread_join(pool->threads[worker], NULL);
    }
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->job_posted);
    pthread_cond_destroy(&pool->job_done);
    free(pool->threads);
    free(pool->starts);
    free(pool);
}

size_t uf_available_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (size_t)count : 1;
}
