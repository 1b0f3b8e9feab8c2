#include "cache.h"

typedef uint32_t ranks16 __attribute__((ext_vector_type(16)));
typedef _Bool bits16 __attribute__((ext_vector_type(16)));

// Takes away the bits of bytes with which something joins earlier than at `rank`.
static void hold(uint64_t *bits, const uint32_t *ranks, uint32_t rank) {
    for (int word = 0; word < 4; word++) {
        uint64_t holds = 0;
        for (int i = 0; i < 4; i++) {
            ranks16 row;
            memcpy(&row, ranks + 64 * word + 16 * i, sizeof row);
            holds |= (uint64_t)__builtin_bit_cast(uint16_t, __builtin_convertvector(row > rank, bits16)) << 16 * i;
        }
        bits[word] &= holds;
    }
}

// The unit of a character, given by its bytes; 0 where they do not become one.
static int make_unit(const uf_speller *speller, const uint8_t *character, size_t count, uf_unit *unit) {
    const uf_unit_edges *edges = &speller->edges;
    uint32_t left[4], rank = 0;
    int32_t rows[2][4];
    int steps = 0;
    for (size_t i = 0; i < count; i++) {
        left[i] = speller->byte_ids[character[i]];
        if (left[i] == UF_NO_MERGE) return 0;
    }
    for (; count > 1; steps++, count--) {
        rows[0][steps] = edges->left_rows[left[0]];
        rows[1][steps] = edges->right_rows[left[count - 1]];
        uint32_t lowest = UF_NO_MERGE, becomes = 0;
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            uint32_t joined, one = uf_merge_rank(&speller->merges, left[i], left[i + 1], &joined);
            if (one < lowest) lowest = one, becomes = joined, at = i;
        }
        if (lowest == UF_NO_MERGE) return 0;
        if (lowest > rank) rank = lowest;
        left[at] = becomes;
        for (size_t i = at + 1; i + 1 < count; i++) left[i] = left[i + 1];
    }
    unit->id = left[0];
    memset(unit->left, 0xFF, sizeof unit->left);
    memset(unit->right, 0xFF, sizeof unit->right);
    for (int step = 0; step < steps; step++) {
        if (rows[0][step] >= 0) hold(unit->left, edges->left_ranks + rows[0][step], rank);
        if (rows[1][step] >= 0) hold(unit->right, edges->right_ranks + rows[1][step], rank);
    }
    return 1;
}

__attribute__((noinline)) static uint32_t learn_unit(uf_speller *speller, const uint8_t *character, size_t count, uint32_t point) {
    uint32_t place = UF_NO_UNIT;
    uf_unit *unit = &speller->units[speller->unit_count];
    // Where two tokens have the same bytes, the joints are those of the one that is found by them.
    if (make_unit(speller, character, count, unit) && uf_entry_find(speller->pieces, character, count) == unit->id) place = (uint32_t)speller->unit_count++ + 2;
    speller->unit_places[point] = place;
    return place;
}

// Not the key of a piece: a vocabulary may have an entry for a whole piece that merging does not lead to.
#define IS_PART (1ull << 62)

// Symbols in a row, and where the bytes of each begin.
typedef struct {
    // One more than there are symbols: where the bytes behind the last begin.
    uint32_t starts[UF_MOST_SCANNED + 1], symbols[UF_MOST_SCANNED];
    // A bit for each symbol that is a byte of a character: by themselves the bytes around it might have other symbols.
    uint64_t broken[UF_MOST_SCANNED / 64 + 1];
    size_t count;
} row;

typedef struct {
    uint64_t low, high;
    uint32_t bucket, first, count;
} part;

ALWAYS int has(const uint64_t *bits, size_t i) { return bits[i >> 6] >> (i & 63) & 1; }

// The first bit at `i` or behind it that is 1, below `end`, or `end`; the first that is 0, of which there is one.
ALWAYS size_t next_set(const uint64_t *bits, size_t i, size_t end) {
    while (i < end) {
        uint64_t rest = bits[i >> 6] >> (i & 63);
        if (rest != 0) return i + (size_t)__builtin_ctzll(rest);
        i = (i | 63) + 1;
    }
    return end;
}

ALWAYS size_t next_clear(const uint64_t *bits, size_t i) {
    for (;;) {
        uint64_t rest = ~bits[i >> 6] >> (i & 63);
        if (rest != 0) return i + (size_t)__builtin_ctzll(rest);
        i = (i | 63) + 1;
    }
}

// Appends the symbols of the characters from `at` on, until the row is full or the piece ends; returns where it stopped, or SIZE_MAX at a byte that has none.
ALWAYS size_t spell(uf_speller *speller, row *row, const uint8_t *piece, size_t at, size_t length) {
    size_t count = row->count;
    while (at < length && count + 4 <= UF_MOST_SCANNED) {
        uint8_t lead = piece[at];
        row->starts[count] = (uint32_t)at;
        if (lead < 0x80) {
            uint32_t id = speller->byte_ids[lead];
            if (id == UF_NO_MERGE) return SIZE_MAX;
            row->symbols[count++] = id;
            at++;
            continue;
        }
        size_t size = 2 + (size_t)(lead >= 0xE0) + (size_t)(lead >= 0xF0), next = at + size;
        uint32_t point = lead < 0xE0   ? (uint32_t)(lead & 0x1F) << 6 | (piece[at + 1] & 0x3F)
                         : lead < 0xF0 ? (uint32_t)(lead & 0x0F) << 12 | (uint32_t)(piece[at + 1] & 0x3F) << 6 | (piece[at + 2] & 0x3F)
                                       : (uint32_t)(lead & 0x07) << 18 | (uint32_t)(piece[at + 1] & 0x3F) << 12 | (uint32_t)(piece[at + 2] & 0x3F) << 6 | (piece[at + 3] & 0x3F);
        uint32_t place = speller->unit_places[point];
        if (__builtin_expect(place == UF_UNKNOWN_UNIT, 0)) place = learn_unit(speller, piece + at, size, point);
        if (place != UF_NO_UNIT) {
            const uf_unit *unit = &speller->units[place - 2];
            if ((at == 0 || has(unit->left, piece[at - 1])) && (next == length || has(unit->right, piece[next]))) {
                row->symbols[count++] = unit->id;
                at = next;
                continue;
            }
        }
        for (; at < next; at++) {
            uint32_t id = speller->byte_ids[piece[at]];
            if (id == UF_NO_MERGE) return SIZE_MAX;
            row->starts[count] = (uint32_t)at;
            row->broken[count >> 6] |= 1ull << (count & 63);
            row->symbols[count++] = id;
        }
    }
    row->starts[count] = (uint32_t)at;
    row->count = count;
    return at;
}

// A bit for each symbol that the next may join.
ALWAYS void find_joints(const uf_speller *speller, const row *row, uint64_t *joins) {
    memset(joins, 0, sizeof row->broken);
    for (size_t i = 0; i + 1 < row->count; i++) {
        uint64_t bit = ((uint64_t)row->symbols[i] << 32 | row->symbols[i + 1]) * UF_PAIR_MULTIPLIER >> speller->joint_shift;
        joins[i >> 6] |= (speller->joints[bit >> 6] >> (bit & 63) & 1) << (i & 63);
    }
}

ALWAYS size_t merge_part(const uf_speller *speller, uint32_t *symbols, size_t count) {
    if (count > 2) return uf_merge_symbols(&speller->merges, symbols, count);
    uint32_t joined;
    if (uf_merge_rank(&speller->merges, symbols[0], symbols[1], &joined) == UF_NO_MERGE) return 2;
    symbols[0] = joined;
    return 1;
}

// The ids of the first `count` symbols, behind the last of which nothing joins.
ALWAYS size_t encode_row(const uf_speller *speller, uf_cache *cache, row *row, size_t count, const uint64_t *joins, const uint8_t *piece, size_t length, size_t readable, uint32_t *ids) {
    part parts[UF_MOST_SCANNED / 2];
    size_t part_count = 0, id_count = 0;
    for (size_t first = next_set(joins, 0, count), last; first < count; first = next_set(joins, last + 1, count)) {
        last = next_clear(joins, first);
        part *one = &parts[part_count++];
        one->first = (uint32_t)first;
        one->count = (uint32_t)(last - first + 1);
        one->high = 0;
        size_t start = row->starts[first], bytes = row->starts[last + 1] - start;
        // What is the whole piece is remembered as such.
        if (bytes <= UF_LONGEST_CACHED_PIECE && bytes < length && next_set(row->broken, first, last + 1) > last) {
            piece_key(piece + start, bytes, readable - start, &one->low, &one->high);
            one->high |= IS_PART;
            one->bucket = (uint32_t)bucket_of(one->low, one->high, cache->mask);
            __builtin_prefetch(&cache->buckets[one->bucket]);
        }
    }
    size_t at = 0;
    for (size_t i = 0; i < part_count; i++) {
        part *one = &parts[i];
        memcpy(ids + id_count, row->symbols + at, (one->first - at) * sizeof *ids);
        id_count += one->first - at;
        at = one->first + one->count;
        const uint32_t *id = one->high == 0 ? NULL : find(cache, one->bucket, one->low, one->high);
        if (id != NULL) {
            id_count += copy_ids(cache, *id, ids + id_count);
            continue;
        }
        uint32_t *symbols = row->symbols + one->first;
        size_t merged = merge_part(speller, symbols, one->count);
        memcpy(ids + id_count, symbols, merged * sizeof *ids);
        if (one->high != 0) cache_remember(cache, one->low, one->high, symbols, merged);
        id_count += merged;
    }
    memcpy(ids + id_count, row->symbols + at, (count - at) * sizeof *ids);
    return id_count + count - at;
}

size_t uf_encode_parts(uf_speller *speller, uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, uint32_t *ids) {
    row row;
    row.count = 0;
    memset(row.broken, 0, sizeof row.broken);
    uint64_t joins[UF_MOST_SCANNED / 64 + 1];
    size_t id_count = 0, at = 0;
    while (at < length) {
        at = spell(speller, &row, piece, at, length);
        if (at == SIZE_MAX) return SIZE_MAX;
        find_joints(speller, &row, joins);
        size_t count = row.count;
        // The last part may go on behind the row.
        if (at < length) {
            count--;
            while (count > 0 && has(joins, count - 1)) count--;
            if (count == 0) return SIZE_MAX;
        }
        id_count += encode_row(speller, cache, &row, count, joins, piece, length, readable, ids + id_count);
        size_t left = row.count - count;
        memmove(row.symbols, row.symbols + count, left * sizeof *row.symbols);
        memmove(row.starts, row.starts + count, left * sizeof *row.starts);
        uint64_t broken[UF_MOST_SCANNED / 64 + 1] = {0};
        for (size_t i = 0; i < left; i++) broken[i >> 6] |= (uint64_t)has(row.broken, count + i) << (i & 63);
        memcpy(row.broken, broken, sizeof broken);
        row.count = left;
    }
    return id_count;
}
