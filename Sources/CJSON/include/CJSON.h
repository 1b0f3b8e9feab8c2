#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A simdjson parser with its buffers; reused from document to document, by one thread at a time.
typedef struct uf_json uf_json;

/// What a parse leaves behind: simdjson's tape and its unescaped strings. Both belong to the parser and hold until its next parse.
/// A tape word is a tag in its top byte and a payload in the rest: `"` = offset into `strings` of a 4-byte length and the bytes;
/// `{` `[` = low 32 bits: the index after the closing word, next 24: the member count (saturated); `l` `u` `d` = the value is the next word;
/// `t` `f` `n` = no payload; `r` = root, first and last word.
typedef struct {
    const uint64_t *tape;
    size_t tape_words;
    const uint8_t *strings;
} uf_json_document;

/// NULL when there is no memory.
uf_json *uf_json_create(void);
void uf_json_destroy(uf_json *parser);

/// Parses one document; 0 or simdjson's error number. `behind` bytes after them can be read too; where they are fewer than
/// simdjson's padding, the document is copied. At most `max_depth` containers may be open
/// at once (an empty one does not count). Escapes of lone surrogates (`\ud83d` with no partner) are legal and stand in the strings as three bytes ED A0..BF 80..BF.
int uf_json_parse(uf_json *parser, const uint8_t *bytes, size_t length, size_t behind, size_t max_depth, uf_json_document *document);

/// simdjson's own words for an error number.
const char *uf_json_message(int error);

/// Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms).
int uf_is_utf8(const uint8_t *bytes, size_t length);

/// The numbers that the Swift side tells apart.
int uf_json_error_out_of_memory(void);

#ifdef __cplusplus
}
#endif
