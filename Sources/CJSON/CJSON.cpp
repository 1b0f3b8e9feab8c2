#include "CJSON.h"

#include <cstring>
#include <new>
#include <vector>

#include <simdjson.h>

namespace dom = simdjson::dom;

struct uf_json {
    dom::parser parser;
    std::vector<uint8_t> input;      // the document and simdjson's padding
    std::vector<uint8_t> isLone;     // for each character U+E000..U+E7FF of the rewritten input, in order: was it a lone surrogate?
    size_t capacity = 0;
    size_t maxDepth = 0;
};

namespace {

constexpr size_t hugeDocument = 8 << 20;

int hexDigit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The code unit of `\uXXXX` at `at`, or -1 when there is none.
int32_t escapedUnit(const uint8_t *bytes, size_t length, size_t at) {
    if (length - at < 6 || bytes[at] != '\\' || bytes[at + 1] != 'u') return -1;
    int32_t unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hexDigit(bytes[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

void writeHex(uint8_t *at, uint32_t unit) {
    for (int i = 3; i >= 0; i--, unit >>= 4) at[i] = "0123456789abcdef"[unit & 15];
}

/// simdjson refuses a surrogate escape without its partner. Moved up by 0x800 it becomes a private-use character, as long in the input
/// and in UTF-8; `isLone` remembers which of those characters were moved, so that text that really holds U+E000..U+E7FF survives.
bool moveLoneSurrogates(uf_json &json, size_t length) {
    uint8_t *bytes = json.input.data();
    bool found = false;
    json.isLone.clear();
    for (size_t i = 0; i < length;) {
        if (bytes[i] == 0xEE && length - i >= 3 && bytes[i + 1] >= 0x80 && bytes[i + 1] <= 0x9F) {
            json.isLone.push_back(0);
            i += 3;
            continue;
        }
        if (bytes[i] != '\\') { i++; continue; }
        int32_t unit = escapedUnit(bytes, length, i);
        if (unit < 0) { i += 2; continue; }
        if (unit >= 0xE000 && unit <= 0xE7FF) {
            json.isLone.push_back(0);
        } else if (unit >= 0xD800 && unit <= 0xDFFF) {
            int32_t next = unit <= 0xDBFF && length - i >= 12 ? escapedUnit(bytes, length, i + 6) : -1;
            if (next >= 0xDC00 && next <= 0xDFFF) { i += 12; continue; }
            writeHex(bytes + i + 2, uint32_t(unit) + 0x800);
            json.isLone.push_back(1);
            found = true;
        }
        i += 6;
    }
    return found;
}

/// simdjson writes its strings in the order of the document, so the n-th private-use character of the strings is the n-th of the input.
void restoreLoneSurrogates(uf_json &json, size_t words) {
    const uint64_t *tape = json.parser.doc.tape.get();
    uint8_t *strings = json.parser.doc.string_buf.get();
    size_t seen = 0;
    for (size_t word = 1; word < words; word++) {
        uint8_t tag = uint8_t(tape[word] >> 56);
        if (tag == 'l' || tag == 'u' || tag == 'd') { word++; continue; }
        if (tag != '"') continue;
        uint8_t *string = strings + (tape[word] & 0x00FFFFFFFFFFFFFFull);
        uint32_t count;
        std::memcpy(&count, string, sizeof count);
        string += sizeof count;
        for (uint32_t i = 0; i + 2 < count; i++) {
            if (string[i] != 0xEE || string[i + 1] > 0x9F) continue;
            if (seen < json.isLone.size() && json.isLone[seen]) { string[i] = 0xED; string[i + 1] += 0x20; }
            seen++;
            i += 2;
        }
    }
}

}  // namespace

extern "C" uf_json *uf_json_create(void) {
    return new (std::nothrow) uf_json;
}

extern "C" void uf_json_destroy(uf_json *parser) {
    delete parser;
}

extern "C" int uf_json_parse(uf_json *json, const uint8_t *bytes, size_t length, size_t behind, size_t max_depth, uf_json_document *document) {
    try {
        if (length > simdjson::SIMDJSON_MAXSIZE_BYTES - 2 * simdjson::SIMDJSON_PADDING) return simdjson::CAPACITY;
        // Growing by halves keeps a file whose lines get longer and longer from allocating at every line. Not so long ones: the tape and its kin
        // take fourteen times the room of the document, and there may be none for half as much again.
        if (length > json->capacity || max_depth != json->maxDepth) {
            size_t wanted = length > json->capacity ? length + (length < hugeDocument ? length / 2 : 0) + 4096 : json->capacity;
            if (wanted > simdjson::SIMDJSON_MAXSIZE_BYTES) wanted = simdjson::SIMDJSON_MAXSIZE_BYTES;
            json->capacity = 0;
            simdjson::error_code grown = json->parser.allocate(wanted, max_depth + 1);
            if (grown) return grown;
            grown = json->parser.doc.allocate(wanted);
            if (grown) return grown;
            json->capacity = wanted;
            json->maxDepth = max_depth;
        }
        // simdjson reads, and does not look at, some bytes behind the document: where they are there, it need not be copied to have them.
        bool copied = false;
        auto copy = [&] {
            if (json->input.size() < length + simdjson::SIMDJSON_PADDING) json->input.resize(json->capacity + simdjson::SIMDJSON_PADDING);
            if (length > 0) std::memcpy(json->input.data(), bytes, length);
            std::memset(json->input.data() + length, 0, simdjson::SIMDJSON_PADDING);
            copied = true;
        };
        if (behind < simdjson::SIMDJSON_PADDING) copy();
        simdjson::error_code error = json->parser.parse(copied ? json->input.data() : bytes, length, false).error();
        bool moved = false;
        if (error == simdjson::STRING_ERROR) {
            if (!copied) copy();
            if (moveLoneSurrogates(*json, length)) {
                moved = true;
                error = json->parser.parse(json->input.data(), length, false).error();
            }
        }
        if (error) return error;
        const uint64_t *tape = json->parser.doc.tape.get();
        size_t words = size_t(tape[0] & 0x00FFFFFFFFFFFFFFull);
        if (moved) restoreLoneSurrogates(*json, words);
        *document = {tape, words, json->parser.doc.string_buf.get()};
        return simdjson::SUCCESS;
    } catch (const std::bad_alloc &) {
        return simdjson::MEMALLOC;
    } catch (...) {
        return simdjson::UNEXPECTED_ERROR;
    }
}

extern "C" const char *uf_json_message(int error) {
    return simdjson::error_message(static_cast<simdjson::error_code>(error));
}

extern "C" int uf_is_utf8(const uint8_t *bytes, size_t length) { return simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), length); }

extern "C" int uf_json_error_out_of_memory(void) {
    return simdjson::MEMALLOC;
}
