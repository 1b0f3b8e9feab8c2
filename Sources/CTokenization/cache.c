#include "cache.h"

const uint32_t *uf_cache_find(const uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, size_t *count) {
    uint64_t low, high;
    piece_key(piece, length, readable, &low, &high);
    const uint32_t *id = find(cache, bucket_of(low, high, cache->mask), low, high);
    if (id == NULL || !(*id & UF_IS_LIST)) {
        *count = 1;
        return id;
    }
    const uint32_t *list = cache->lists + (*id & ~UF_IS_LIST);
    *count = *list;
    return list + 1;
}

ALWAYS int put(uf_bucket *bucket, uint64_t low, uint64_t high, uint32_t id) {
    for (int place = 0; place < UF_PLACES; place++) {
        if (bucket->high[place] != 0) continue;
        bucket->low[place] = low;
        bucket->high[place] = high;
        bucket->ids[place] = id;
        return 1;
    }
    return 0;
}

void cache_insert(uf_cache *cache, uint64_t low, uint64_t high, uint32_t id) {
    size_t at = bucket_of(low, high, cache->mask);
    uf_bucket *bucket = &cache->buckets[at];
    if (put(bucket, low, high, id)) {
        cache->used++;
    } else if (put(&cache->buckets[at ^ 1], low, high, id)) {
        cache->used++;
        bucket->overflows = 1;
    } else {
        bucket->high[UF_PLACES - 1] = 0;
        put(bucket, low, high, id);
    }
}

void cache_remember(uf_cache *cache, uint64_t low, uint64_t high, const uint32_t *ids, size_t count) {
    uint32_t id = *ids;
    if (count != 1 || id & UF_IS_LIST) {
        if (cache->listed + 1 + count > cache->list_limit) return;
        uint32_t *list = cache->lists + cache->listed;
        *list = (uint32_t)count;
        memcpy(list + 1, ids, count * sizeof *ids);
        id = (uint32_t)cache->listed | UF_IS_LIST;
        cache->listed += 1 + count;
    }
    cache_insert(cache, low, high, id);
    if (cache->learnt_count < cache->learnt_limit) cache->learnt[cache->learnt_count++] = (uf_learnt){low, high, id};
}

void uf_cache_take(uf_cache *cache, uint64_t low, uint64_t high, const uint32_t *ids, size_t count) {
    if (find(cache, bucket_of(low, high, cache->mask), low, high) != NULL) return;
    size_t told = cache->learnt_count;
    cache_remember(cache, low, high, ids, count);
    cache->learnt_count = told;
}

void uf_cache_remember(uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, const uint32_t *ids, size_t count) {
    uint64_t low, high;
    piece_key(piece, length, readable, &low, &high);
    cache_remember(cache, low, high, ids, count);
}

void uf_cache_move(const uf_cache *from, uf_cache *to) {
    for (size_t at = 0; at <= from->mask; at++) {
        const uf_bucket *bucket = &from->buckets[at];
        for (int place = 0; place < UF_PLACES; place++)
            if (bucket->high[place] != 0) cache_insert(to, bucket->low[place], bucket->high[place], bucket->ids[place]);
    }
}
