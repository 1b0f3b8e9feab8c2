// What simdjson takes merely to look at every value of JSON Lines: the least that any converter built on it can take.
//
//     iterate_simdjson dom|ondemand THREADS FILE...
//
// Each thread takes a portion of whole lines, read with read(2), parses each line where it lies and visits every key and value. It prints the number
// of lines and a checksum of what it saw (lengths of strings, numbers), which both interfaces and any number of threads have in common.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <simdjson.h>

namespace {

constexpr size_t portionSize = 1 << 20;

[[noreturn]] void fail(const char *name, const char *what) {
    std::fprintf(stderr, "iterate_simdjson: %s: %s\n", name, what);
    std::exit(65);
}

/// Bytes of whole lines, and room behind them that simdjson may read.
struct Portion {
    std::vector<char> bytes;
    size_t count = 0;
    const char *name = "";

    void grow(size_t size) { if (bytes.size() < size + simdjson::SIMDJSON_PADDING) bytes.resize(size + simdjson::SIMDJSON_PADDING); }
};

/// Cuts the files into portions, for whichever thread comes next.
class LineReader {
public:
    LineReader(char **names, int count): names(names), left(count) {}

    /// False after the last file.
    bool next(Portion &portion) {
        std::lock_guard<std::mutex> lock(mutex);
        while (true) {
            if (file < 0) {
                if (left == 0) return false;
                if ((file = open(*names, O_RDONLY)) < 0) fail(*names, std::strerror(errno));
            }
            portion.name = *names;
            portion.grow(portionSize + rest.size());
            if (!rest.empty()) std::memcpy(portion.bytes.data(), rest.data(), rest.size());
            portion.count = rest.size();
            rest.clear();
            bool atEnd = false;
            size_t wanted = portion.count + portionSize, searched = portion.count;
            while (true) {
                portion.grow(wanted);
                while (portion.count < wanted && !atEnd) {
                    ssize_t got = read(file, portion.bytes.data() + portion.count, wanted - portion.count);
                    if (got < 0) fail(*names, std::strerror(errno));
                    if (got == 0) atEnd = true;
                    portion.count += size_t(got);
                }
                if (atEnd) break;
                auto feed = static_cast<const char *>(memrchr(portion.bytes.data() + searched, '\n', portion.count - searched));
                if (feed) {
                    size_t end = size_t(feed - portion.bytes.data()) + 1;
                    rest.assign(portion.bytes.data() + end, portion.bytes.data() + portion.count);
                    portion.count = end;
                    return true;
                }
                searched = portion.count;
                wanted *= 2;
            }
            close(file);
            file = -1;
            names++;
            left--;
            if (portion.count > 0) return true;
        }
    }

private:
    std::mutex mutex;
    char **names;
    int left, file = -1;
    std::vector<char> rest;
};

/// Sums, so that the order in which threads add them does not matter.
struct Seen {
    uint64_t lines = 0, sum = 0;

    void text(size_t length) { sum += 3 * length + 1; }
    void number(double value) {
        uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        sum += bits;
    }
    void word(unsigned value) { sum += value; }
};

void visit(simdjson::dom::element value, Seen &seen) {
    using simdjson::dom::element_type;
    switch (value.type()) {
    case element_type::OBJECT:
        for (auto field : simdjson::dom::object(value)) {
            seen.text(field.key.size());
            visit(field.value, seen);
        }
        break;
    case element_type::ARRAY:
        for (auto element : simdjson::dom::array(value)) visit(element, seen);
        break;
    case element_type::STRING: seen.text(std::string_view(value).size()); break;
    case element_type::BOOL: seen.word(bool(value) ? 2 : 1); break;
    case element_type::NULL_VALUE: seen.word(3); break;
    default: seen.number(double(value));
    }
}

void visit(simdjson::ondemand::value value, Seen &seen) {
    using simdjson::ondemand::json_type;
    switch (simdjson::ondemand::json_type(value.type())) {
    case json_type::object:
        for (auto field : value.get_object()) {
            seen.text(std::string_view(field.unescaped_key()).size());
            visit(field.value(), seen);
        }
        break;
    case json_type::array:
        for (auto element : value.get_array()) visit(element.value(), seen);
        break;
    case json_type::string: seen.text(std::string_view(value.get_string()).size()); break;
    case json_type::boolean: seen.word(bool(value.get_bool()) ? 2 : 1); break;
    case json_type::null: seen.word(3); break;
    case json_type::number: seen.number(double(value.get_double()));
    }
}

struct DOM {
    simdjson::dom::parser parser;

    void look(const char *line, size_t length, size_t, Seen &seen) { visit(parser.parse(line, length, false).value(), seen); }
};

struct OnDemand {
    simdjson::ondemand::parser parser;

    void look(const char *line, size_t length, size_t room, Seen &seen) {
        auto document = parser.iterate(line, length, room);
        visit(simdjson::ondemand::value(document.get_value()), seen);
    }
};

template <class Interface> Seen run(LineReader &reader) {
    Interface interface;
    Portion portion;
    Seen seen;
    while (reader.next(portion)) {
        const char *at = portion.bytes.data(), *end = at + portion.count, *room = at + portion.bytes.size();
        while (at < end) {
            auto feed = static_cast<const char *>(std::memchr(at, '\n', size_t(end - at)));
            const char *next = feed ? feed + 1 : end, *stop = feed ? feed : end;
            while (at < stop && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
            if (at < stop) {
                try {
                    interface.look(at, size_t(stop - at), size_t(room - at), seen);
                } catch (const simdjson::simdjson_error &error) {
                    fail(portion.name, error.what());
                }
                seen.lines++;
            }
            at = next;
        }
    }
    return seen;
}

}  // namespace

int main(int count, char **arguments) {
    int threads = count > 3 ? std::atoi(arguments[2]) : 0;
    bool dom = count > 1 && std::strcmp(arguments[1], "dom") == 0;
    if (threads < 1 || (!dom && std::strcmp(arguments[1], "ondemand") != 0)) {
        std::fprintf(stderr, "usage: iterate_simdjson dom|ondemand THREADS FILE...\n");
        return 64;
    }
    LineReader reader(arguments + 3, count - 3);
    std::vector<Seen> seen(static_cast<size_t>(threads));
    std::vector<std::thread> running;
    for (auto &part : seen) running.emplace_back([&] { part = dom ? run<DOM>(reader) : run<OnDemand>(reader); });
    Seen all;
    for (int i = 0; i < threads; i++) {
        running[size_t(i)].join();
        all.lines += seen[size_t(i)].lines;
        all.sum += seen[size_t(i)].sum;
    }
    // DOM is code of the library, which chooses by the processor; On-Demand also of this file, by what the compiler was allowed.
    std::string kernel = simdjson::get_active_implementation()->name();
    if (!dom) kernel += std::string("+") + SIMDJSON_STRINGIFY(SIMDJSON_BUILTIN_IMPLEMENTATION);
    std::printf("%" PRIu64 " %016" PRIx64 " %s\n", all.lines, all.sum, kernel.c_str());
}
