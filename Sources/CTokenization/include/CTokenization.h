#pragma once
#include <stddef.h>
#include <stdint.h>

// Cutting text into pieces and finding their ids, at the speed of a few cycles a byte. Swift has the plain version of each pattern (GPT2Scanner, Llama3Scanner),
// character by character; a test holds the two to the same pieces.

/// Pieces of 1 to 15 bytes that were met before, three to a line of the processor's cache: a lookup touches one line.
///
/// `low` and the lower 56 bits of `high` are a piece's bytes, zeros behind them; the top byte of `high` is its length, so 0 in an empty place. An id with the
/// highest bit set is a place in the lists instead: the number of ids, and the ids.
typedef struct {
    uint64_t low[3], high[3];
    uint32_t ids[3];
    /// Whether pieces that belong here stand in the neighbour, the bucket with the lowest bit turned.
    uint32_t overflows;
} uf_bucket;

/// A piece as a cache keeps it: its key, and its id or place in the lists.
typedef struct {
    uint64_t low, high;
    uint32_t id;
} uf_learnt;

typedef struct {
    /// `mask` + 1 of them, a power of two, each at a multiple of 64 bytes.
    uf_bucket *buckets;
    size_t mask;
    /// How many pieces are here.
    size_t used;
    /// `listed` words of at most `list_limit`, with room for UF_COPIED_IDS more. Where they are full, pieces of several ids are not remembered.
    uint32_t *lists;
    size_t listed, list_limit;
    /// Room for `learnt_limit` pieces that were remembered since they were last asked for, and how many there are; of more, nobody is told.
    uf_learnt *learnt;
    size_t learnt_count, learnt_limit;
} uf_cache;

#define UF_LONGEST_CACHED_PIECE 15
#define UF_PLACES 3
#define UF_IS_LIST 0x80000000u
/// Ids of a list that are copied at once, whatever their number.
#define UF_COPIED_IDS 4
/// Ids beyond the last that may be written.
#define UF_MORE_IDS 16
#define UF_BATCH 64

/// Remembers a piece of 1 to 15 bytes, of which `readable` bytes can be read, that the cache does not have. It may take the place of another.
void uf_cache_remember(uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, const uint32_t *ids, size_t count);

/// The ids of a piece of 1 to 15 bytes and their number; NULL where the cache does not have it.
const uint32_t *uf_cache_find(const uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, size_t *count);

/// Enters a piece that another cache has learnt, where this one does not have it. It is not told once more.
void uf_cache_take(uf_cache *cache, uint64_t low, uint64_t high, const uint32_t *ids, size_t count);

/// Enters all pieces of one cache into another, which is empty; both have the same lists.
void uf_cache_move(const uf_cache *from, uf_cache *to);

/// The classes of a window of text: bit i of each is about byte i, all bytes of a character have its class, bits beyond the window are 0.
typedef struct {
    uint64_t *letters, *numbers, *spaces, *others;
    /// Bytes of a character behind its first; spaces of ASCII; line feeds and carriage returns; apostrophes.
    uint64_t *inner, *blanks, *line_ends, *apostrophes;
    /// Where pieces start.
    uint64_t *starts;
} uf_classes;

/// How many arrays those are.
#define UF_CLASS_ARRAYS 9

/// Fills the classes of `count` bytes of valid UTF-8, but for `starts`: (count + 63) / 64 + 2 words each.
///
/// `table` has a byte for each code point: 1 for letters, `number` for numbers, 4 for white space.
void uf_classify(const uint8_t *text, size_t count, const uint8_t *table, uint8_t number, uf_classes classes);

typedef enum {
    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    UF_GPT2 = 0,
    /// The same within the text between numbers, each of which is a piece.
    UF_GPT2_ISOLATING = 1,
    /// Llama 3's pattern, with 3 numbers a piece, and with 1 (Qwen2).
    UF_LLAMA3 = 2,
    UF_QWEN2 = 3,
} uf_pattern;

/// Fills `starts` from the classes of `count` bytes.
///
/// Where the window does not end the text, a start is right when 4 more bytes of the window follow it: what comes behind decides about some that are nearer to its end. With `ends_text` the
/// end counts as a start.
void uf_piece_starts(const uint8_t *text, size_t count, int ends_text, uf_pattern pattern, uf_classes classes);

// The pieces of a vocabulary by their bytes.

typedef struct {
    /// Open addressing from the low bits of `uf_entry_hash` on: half of the hash above the id + 1, 0 in an empty slot. Most other pieces are told apart without a look at their bytes.
    const uint64_t *slots;
    size_t mask;
    /// Piece `id` lies at offsets[id] ..< offsets[id + 1] of the bytes.
    const size_t *offsets;
    const uint8_t *bytes;
    size_t longest;
} uf_entries;

#define UF_NO_ENTRY UINT32_MAX

uint64_t uf_entry_hash(const uint8_t *piece, size_t length);

/// The id of a piece, or UF_NO_ENTRY.
uint32_t uf_entry_find(const uf_entries *entries, const uint8_t *piece, size_t length);

typedef struct {
    const uint8_t *bytes;
    size_t length;
} uf_text;

/// The same for many pieces, in less time: what is looked at for one is on its way from memory while others are looked up.
void uf_entries_find(const uf_entries *entries, const uf_text *pieces, size_t count, uint32_t *ids);

/// Fills the slots, which are all 0, with the pieces 0 ..< count; with `findable`, with those for which it is not 0. Of equal pieces the first is found.
///
/// Returns the first piece that equals one before it, or `count`.
size_t uf_entries_fill(const uf_entries *entries, uint64_t *slots, size_t count, const uint8_t *findable);

// Byte-pair merging of pieces of up to 256 symbols. Swift has the definition (`BytePairMerging.plain`) and a heap for longer pieces.

/// The pair left << 32 | right becomes `joined`; UINT64_MAX in an empty slot.
typedef struct {
    uint64_t pair;
    uint32_t rank, joined;
} uf_merge;

typedef struct {
    uint32_t rank, joined;
} uf_joining;

typedef struct {
    /// Open addressing: a pair stands at the top bits of pair * UF_PAIR_MULTIPLIER, 64 - `shift` of them, or in the slots after.
    const uf_merge *entries;
    size_t mask;
    unsigned shift;
    /// A bit for the top bits, 64 - `filter_shift` of them, of every pair that merges: most pairs do not, and this tells it from the processor's second cache.
    unsigned filter_shift;
    const uint64_t *filter;
    /// The merges of ids below UF_FREQUENT, bytes and the earliest merges, by left * UF_FREQUENT + right: rank and joined, UF_NO_MERGE where there is none.
    const uf_joining *frequent;
} uf_merges;

#define UF_PAIR_MULTIPLIER 0x9E3779B97F4A7C15ull
#define UF_NO_MERGE UINT32_MAX
#define UF_FREQUENT 512
#define UF_MOST_SCANNED 256
/// Ranks must be below, to be compared together with a position.
#define UF_RANK_LIMIT (1u << 24)

/// The rank of the pair, or UF_NO_MERGE; what it becomes.
uint32_t uf_merge_rank(const uf_merges *merges, uint32_t left, uint32_t right, uint32_t *joined);

/// Merges `count` <= UF_MOST_SCANNED symbols in place, of all neighbours that merge the pair of lowest rank first, the leftmost of equals; returns how many are left.
size_t uf_merge_symbols(const uf_merges *merges, uint32_t *symbols, size_t count);

// Pieces with characters of several bytes, from which merging may start as from one symbol (see CharacterUnits of Swift).

typedef struct {
    /// The token of the character by its bytes alone.
    uint32_t id;
    /// A bit for each byte that may stand before the character, and behind it, without joining some of the character's bytes before they have become one.
    uint64_t left[4], right[4];
} uf_unit;

/// What decides about the edges of characters, by the tokens on the way to a character: the places of rows of 256 ranks, or -1; of the merges with what ends in, or begins with, each byte
/// the lowest.
typedef struct {
    const int32_t *left_rows, *right_rows;
    const uint32_t *left_ranks, *right_ranks;
} uf_unit_edges;

typedef struct {
    uf_merges merges;
    /// The symbol of each byte, UF_NO_MERGE for one that has none.
    const uint32_t *byte_ids;
    /// A bit for the top bits, 64 - `joint_shift` of those of pair * UF_PAIR_MULTIPLIER, of every pair of symbols between which some merge may join.
    const uint64_t *joints;
    unsigned joint_shift;
    uf_unit_edges edges;
    /// By code point: UF_UNKNOWN_UNIT, UF_NO_UNIT, or 2 more than the place in `units`, of which `unit_count` are known and which has room for as many as the vocabulary has tokens.
    uint32_t *unit_places;
    uf_unit *units;
    size_t unit_count;
    const uf_entries *pieces;
    /// Whose pieces are not merged where they are the whole piece of a text; NULL where all are merged.
    const uf_entries *entries;
} uf_speller;

#define UF_UNKNOWN_UNIT 0
#define UF_NO_UNIT 1

/// The ids of a piece of bytes, part by part: nothing joins the symbols before and behind a place where no merge may. Parts of up to 15 bytes are remembered in the cache, not to be taken
/// for pieces. Room for `length` + UF_MORE_IDS ids.
///
/// Returns their number; SIZE_MAX where a part has more than UF_MOST_SCANNED symbols or a byte has none.
size_t uf_encode_parts(uf_speller *speller, uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, uint32_t *ids);

// Cutting and looking up.

/// Pieces that were cut and looked up together, their buckets on their way from memory meanwhile.
typedef struct {
    /// Room for eight and for sixteen more: so many are written and read at once.
    uint32_t ends[UF_BATCH + 8], ids[UF_BATCH + 16];
    uint64_t low[UF_BATCH], high[UF_BATCH];
    uint32_t buckets[UF_BATCH];
} uf_batch;

typedef struct {
    /// A window of valid UTF-8, cut at a character. Where it does not end the text, pieces that might go on behind it are left for the next window.
    const uint8_t *text;
    size_t count;
    int ends_text;
    /// Bytes that can be read from `text` on.
    size_t readable;
    uf_classes classes;
    /// The word of `classes.starts` that is being gone through, and what is left of it.
    size_t word;
    uint64_t starts;
    uf_cache *cache;
    /// NULL where new pieces are all left to the caller.
    uf_speller *speller;
    /// Where the next piece starts.
    size_t position;
    /// Room for an id a byte and UF_MORE_IDS more, and how many are there.
    uint32_t *ids;
    size_t id_count;
    /// The end of the piece at `position` that the cache does not have.
    size_t piece_end;
    /// Pieces in the batch and the first that waits; a bit for each that waits and has several ids, or none that were found.
    unsigned batched, next;
    uint64_t special;
    uf_batch batch;
} uf_cutter;

/// Begins a window: `text`, `count`, `ends_text`, `readable` and the cache are set, and room for the classes is there.
void uf_begin(uf_cutter *cutter, uf_pattern pattern, const uint8_t *table, uint8_t number);

/// Cuts from `position` on and writes the ids of every piece. Returns 1 at a piece that is too long for the cache, or new and nothing for the speller: the caller writes its ids,
/// steps to `piece_end` and calls again. Returns 0 at the end of the window, or where a piece might go on behind it.
int uf_cut(uf_cutter *cutter);
