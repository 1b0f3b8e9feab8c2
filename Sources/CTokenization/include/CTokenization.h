#pragma once
#include <stddef.h>
#include <stdint.h>

// Cutting text into pieces and finding their ids, at the speed of a few cycles a byte. Swift has the plain version of each pattern (GPT2Scanner, Llama3Scanner),
// character by character; a test holds the two to the same pieces.

/// A piece of 1 to 15 bytes and its ids. `low` and the lower 56 bits of `high` are its bytes, zeros behind them; the top byte of `high` is 16 * number of ids +
/// length; 0 in an empty entry. A piece with more ids than fit has an entry with none.
typedef struct {
    uint64_t low, high;
    uint32_t ids[4];
} uf_piece;

#define UF_LONGEST_CACHED_PIECE 15
#define UF_MOST_CACHED_IDS 4
#define UF_PLACES 4
#define UF_BATCH 64

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
    /// 2^n entries; a piece stands at its slot or at one of the three with the two lowest bits turned.
    uf_piece *cache;
    size_t cache_mask;
    /// Where the next piece starts.
    size_t position;
    /// Room for an id a byte and 4 more, and how many are there.
    uint32_t *ids;
    size_t id_count;
    /// The end of the piece at `position` that the cache does not have.
    size_t piece_end;
    /// Pieces that were cut and wait to be looked up: their entries are on their way from memory meanwhile.
    unsigned batched, next;
    struct {
        uint64_t low, high;
        size_t slot;
    } batch[UF_BATCH];
    uint32_t ends[UF_BATCH + 8];
} uf_cutter;

/// Begins a window: `text`, `count`, `ends_text`, `readable` and the cache are set, and room for the classes is there.
void uf_begin(uf_cutter *cutter, uf_pattern pattern, const uint8_t *table, uint8_t number);

/// Cuts from `position` on and writes the ids of every piece. Returns 1 at a piece that the cache does not have, or that is too long for it: the caller writes its ids,
/// steps to `piece_end` and calls again. Returns 0 at the end of the window, or where a piece might go on behind it.
int uf_cut(uf_cutter *cutter);

/// A piece of 1 to 15 bytes, of which `readable` bytes can be read, with 1 to 4 ids.
uf_piece uf_piece_make(const uint8_t *piece, size_t length, size_t readable, const uint32_t *ids, size_t count);

/// Its slot in a cache of `mask` + 1 entries.
size_t uf_piece_slot(const uf_piece *piece, size_t mask);

/// The entry of a piece of 1 to 15 bytes, or NULL.
const uf_piece *uf_piece_find(const uf_piece *cache, size_t mask, const uint8_t *piece, size_t length, size_t readable);

// Byte-pair merging of pieces of up to 256 symbols. Swift has the definition (`BytePairMerging.plain`) and a heap for longer pieces.

/// The pair left << 32 | right becomes `joined`; UINT64_MAX in an empty slot.
typedef struct {
    uint64_t pair;
    uint32_t rank, joined;
} uf_merge;

typedef struct {
    /// Open addressing: a pair stands at the top bits of pair * UF_PAIR_MULTIPLIER, 64 - `shift` of them, or in the slots after.
    const uf_merge *entries;
    size_t mask;
    unsigned shift;
    /// A bit for the top bits, 64 - `filter_shift` of them, of every pair that merges: most pairs do not, and this tells it from the processor's second cache.
    unsigned filter_shift;
    const uint64_t *filter;
} uf_merges;

#define UF_PAIR_MULTIPLIER 0x9E3779B97F4A7C15ull
#define UF_NO_MERGE UINT32_MAX
#define UF_MOST_SCANNED 256
/// Ranks must be below, to be compared together with a position.
#define UF_RANK_LIMIT (1u << 24)

/// The rank of the pair, or UF_NO_MERGE; what it becomes.
uint32_t uf_merge_rank(const uf_merges *merges, uint32_t left, uint32_t right, uint32_t *joined);

/// Merges `count` <= UF_MOST_SCANNED symbols in place, of all neighbours that merge the pair of lowest rank first, the leftmost of equals; returns how many are left.
size_t uf_merge_symbols(const uf_merges *merges, uint32_t *symbols, size_t count);
