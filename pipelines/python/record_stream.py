"""Reads record streams (.uf) into numpy arrays, by FORMAT.md alone (format version 1). Needs numpy; libzstd for streams compressed with zstd.

    for block in read("packed.uf"):              # every block, everything verified, the digests of the end mark too
        block["tokens"].values, block["tokens"].offsets
    block, at = Stream("packed.uf").find(17)     # the block of record 17 and its place there: only what is read is verified

In an uncompressed stream the arrays lie in the mapped file, 64-byte aligned and read-only. `Damaged` says what is wrong and where.
"""
import ctypes, ctypes.util, functools, hashlib, json, struct, zlib
from typing import Iterator, NamedTuple
import numpy as np

TYPES = {"u8": "u1", "u32": "<u4", "u64": "<u8", "i32": "<i4", "f32": "<f4", "f64": "<f8"}


class Damaged(ValueError):
    pass


class Frame(NamedTuple):
    kind: str
    codec: int           # 0 none, 1 zlib, 2 zstd
    records: int
    payload: memoryview  # raw


class Header(NamedTuple):
    name: bytes
    version: int
    codec: int
    zero: int
    frame: int
    first: int           # records before it
    stored: int
    raw: int
    records: int
    mark: int            # the stream's
    checksum: int        # of the payload


class Column(NamedTuple):
    offsets: list        # one array a level of lists: bounds of each record's list (depth 1, 2), then of each inner list (depth 2)
    values: np.ndarray   # of the column's type; of a dictionary column the entries' numbers
    dictionary: list     # texts (bytes) of a dictionary column, else empty


def _crc_table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0x82F63B78), table >> 1)
    return table


TABLE = _crc_table()
STEPS = TABLE.tolist()


@functools.lru_cache
def _zeros(count):
    """What `count` zero bytes make of each bit of a CRC's state."""
    states = np.array([1 << bit for bit in range(32)], np.uint32)
    for _ in range(count):
        states = TABLE[states & 0xFF] ^ (states >> 8)
    return states.tolist()


def crc32c(data) -> int:
    """CRC-32C. Long data goes through 1024 lanes at once, which are joined by what the zeros of a lane's length make of the state before it."""
    data, lanes, state = np.frombuffer(data, np.uint8), 1024, 0xFFFFFFFF
    rows = data.size // lanes
    if rows:
        states, chunk = np.zeros(lanes, np.uint32), data[: rows * lanes].reshape(lanes, rows)
        states[0] = state
        for row in range(rows):
            states = TABLE[(states ^ chunk[:, row]) & 0xFF] ^ (states >> 8)
        state, zeros = 0, _zeros(rows)
        for lane in states.tolist():
            state = functools.reduce(lambda sum, bit: sum ^ zeros[bit] if state >> bit & 1 else sum, range(32), lane)
    for byte in data[rows * lanes:].tolist():
        state = STEPS[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def _zstd(stored: bytes, size: int) -> bytes:
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    raw = ctypes.create_string_buffer(max(size, 1))
    need(library.ZSTD_decompress(raw, size, stored, len(stored)) == size, "the payload cannot be unpacked (zstd)")
    return raw.raw[:size]


def _zlib(stored: bytes, size: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(stored, size + 1)
    except zlib.error:
        raw = b""
    need(unpacker.eof and not unpacker.unused_data and len(raw) == size, "the payload cannot be unpacked (zlib)")
    return raw


def need(condition, message):
    if not condition:
        raise Damaged(message)


def _json(payload, members):
    value = json.loads(bytes(payload))
    need(isinstance(value, dict) and sorted(value) == members, f"HEAD or TAIL without exactly {members}")
    return value


def _offsets(array, count, what):
    need(array.size == count + 1 and array[0] == 0 and (array[1:] >= array[:-1]).all(), f"offsets of {what}")
    return int(array[-1])


def _text(array, bounds):
    texts = [array[a:b].tobytes() for a, b in zip(bounds, bounds[1:])]
    for text in texts:
        try:   # through UTF-16, where a pair of surrogates in two parts becomes one character
            again = text.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        except UnicodeDecodeError:
            again = None
        need(again is not None and again.encode("utf-8", "surrogatepass") == text, "text that is not UTF-8")
    return texts


def parse_block(payload, columns, records) -> dict:
    """The columns of a DATA frame's raw payload, as views of it."""
    arrays = sum(c["depth"] + 1 + 2 * (c["as"] == "dictionary") for c in columns)
    at, lengths = -(-8 * arrays // 64) * 64, np.frombuffer(payload[: 8 * arrays], "<u8").tolist()
    need(len(lengths) == arrays and not any(payload[8 * arrays: at]), "the block's directory")
    found, lengths = {}, iter(lengths)

    def take(kind):
        nonlocal at
        size = next(lengths)
        start, at = at, at + -(-size // 64) * 64
        need(at <= len(payload) and size % np.dtype(kind).itemsize == 0 and not any(payload[start + size: at]), "an array of the block")
        return np.frombuffer(payload[start: start + size], kind)

    for column in columns:
        count, offsets, dictionary = records, [], []
        for _ in range(column["depth"]):
            offsets.append(take("<u4"))
            count = _offsets(offsets[-1], count, column["name"])
        values = take(TYPES[column["type"]])
        need(values.size == count, f"values of {column['name']}")
        if column["as"] == "text":
            _text(values, offsets[-1].tolist())
        if column["as"] == "dictionary":
            bounds, text = take("<u4"), take("u1")
            need(_offsets(bounds, bounds.size - 1, "a dictionary") == text.size, f"dictionary of {column['name']}")
            dictionary = _text(text, bounds.tolist())
            first = np.unique(values, return_index=True)
            need(len(set(dictionary)) == len(dictionary) and first[0].tolist() == list(range(len(dictionary))) and (np.diff(first[1]) > 0).all(), f"dictionary of {column['name']}")
        found[column["name"]] = Column(offsets, values, dictionary)
    need(at == len(payload), "bytes that belong to no array")
    return found


def _map(path):
    return memoryview(np.memmap(path, np.uint8, "r")) if open(path, "rb").read(1) else memoryview(b"")


def _header(data, at, place):
    """The fields of the header at a byte, and its checksum."""
    need(len(data) - at >= 64, place + "the stream ends early")
    head = bytes(data[at: at + 64])
    need(head[:8] == b"\xf5UFR\r\n\x1a\n" and crc32c(head[:60]) == int.from_bytes(head[60:], "little"), place + "no frame, or a damaged one")
    return struct.unpack("<4sBBHQQQQIII", head[8:60]), head[60:]


def _payload(data, at, stored, checksum, place):
    """The stored payload of the frame at a byte; without a checksum it was verified before."""
    end = at + 64 + -(-stored // 64) * 64
    is_sound = checksum is None or crc32c(data[at + 64: end]) == checksum
    need(end <= len(data) and is_sound and not any(data[at + 64 + stored: end]), place + "the payload is cut or damaged")
    return data[at + 64: at + 64 + stored]


def _unpacked(payload, codec, raw):
    return memoryview((_zlib if codec == 1 else _zstd)(bytes(payload), raw)) if codec else payload


def frames(path) -> Iterator[Frame]:
    """Every frame, all of sections 3, 7 and 10 verified."""
    data = _map(path)
    at = number = record = tag = 0
    entries, chain, stream, content, before = [], b"", hashlib.sha256(), hashlib.sha256(), ""
    while before != "DONE":
        place = f"{path}: frame {number} at byte {at}: "
        (name, version, codec, zero, frame, first, stored, raw, records, mark, checksum), own = _header(data, at, place)
        kind = name.decode("ascii", "replace")
        order = {"": ["HEAD"], "HEAD": ["DATA", "TAIL"], "DATA": ["DATA", "TAIL"], "TAIL": ["INDX"], "INDX": ["DONE"]}[before]
        limit = {"DATA": 128 << 20, "INDX": 32 * len(entries), "DONE": 64}.get(kind, 16 << 20)
        need((version, zero, frame, first, mark) == (1, 0, number, record, tag) and kind in order, place + "a frame that does not belong here")
        need(raw <= limit and stored <= limit + limit // 128 + 1024 and (codec or stored == raw), place + "lengths beyond the limits")
        need((1 <= records <= 65536 and codec <= 2) if kind == "DATA" else not records and not codec, place + "records or codec")
        end = at + 64 + -(-stored // 64) * 64
        payload = _unpacked(_payload(data, at, stored, checksum, place), codec, raw)
        digest = hashlib.sha256(payload).digest()
        if kind == "HEAD":
            tag, schema = int.from_bytes(own, "little"), json.loads(bytes(payload))
            content.update(json.dumps({"columns": schema["columns"], "kind": schema["kind"]}, sort_keys=True, separators=(",", ":")).encode())
        if kind == "INDX":
            index_at = at
            need(bytes(payload) == b"".join(struct.pack("<QQQII", *entry, 0) for entry in entries), place + "the index does not match the blocks")
        if kind == "DONE":
            done = struct.pack("<QQQII", index_at, record, len(entries), crc32c(chain), 0) + content.digest()[:16] + stream.digest()[:16]
            need(bytes(payload) == done, place + "the end mark does not match the stream")
            need(end == len(data), f"{path}: at byte {end}: there is more after the end mark")
        if kind == "DATA":
            entries.append((at, first, end - at, records))
            content.update(digest)
        if kind in ("HEAD", "DATA", "TAIL"):
            stream.update(name + struct.pack("<I", records) + digest)
        chain += own
        yield Frame(kind, codec, records, payload)
        at, number, record, before = end, number + 1, record + records, kind


def read(path) -> Iterator[dict]:
    """The blocks of a stream, each a dictionary of columns; whoever has seen the last one has seen a whole stream."""
    for frame in frames(path):
        if frame.kind == "HEAD":
            head = _json(frame.payload, ["columns", "format", "kind", "provenance", "settings"])
        elif frame.kind == "TAIL":
            _json(frame.payload, ["counts", "inputs", "licences"])
        elif frame.kind == "DATA":
            yield parse_block(frame.payload, head["columns"], frame.records)


class Stream:
    """A stream in a file, by record number: end mark, index and head are read and held to each other at once, a block when one of its records is wanted."""

    def __init__(self, path):
        self.path, self.data = path, _map(path)
        done, last = self._frame(len(self.data) - 128, "DONE")
        need(len(last) == 64, f"{path}: the end mark")
        index_at, self.count, blocks, _, _ = struct.unpack("<QQQII", bytes(last[:32]))
        index, entries = self._frame(index_at, "INDX")
        self.tag = int.from_bytes(_header(self.data, 0, f"{path}: at byte 0: ")[1], "little")
        need(len(entries) == 32 * blocks and done.mark == index.mark == self.tag and (done.frame, index.frame) == (blocks + 3, blocks + 2),
             f"{path}: end mark, index and head do not belong together")
        self.entries = np.frombuffer(entries, [("at", "<u8"), ("first", "<u8"), ("bytes", "<u8"), ("records", "<u4"), ("zero", "<u4")])
        starts = np.concatenate([[0], np.cumsum(self.entries["records"], dtype=np.uint64)])
        ends = self.entries["at"] + self.entries["bytes"]
        need(starts[-1] == self.count and (self.entries["first"] == starts[:-1]).all() and (self.entries["at"][1:] == ends[:-1]).all()
             and (ends <= index_at).all() and not self.entries["zero"].any(), f"{path}: the index does not follow the blocks")
        self.head = _json(self._frame(0, "HEAD")[1], ["columns", "format", "kind", "provenance", "settings"])
        self._kept, self._verified = {}, set()

    def __reduce__(self):
        return Stream, (self.path,)   # another process maps the file anew

    def __len__(self):
        return self.count

    def _frame(self, at, kind, is_verified=False):
        place = f"{self.path}: at byte {at}: "
        need(at >= 0, f"{self.path}: the file does not end with an end mark: it was cut, is still being written, or is no record stream")
        header = Header(*_header(self.data, at, place)[0])
        need((header.name, header.version, header.zero) == (kind.encode(), 1, 0), place + f"no {kind} frame where one was expected")
        is_known = header.codec <= (2 if kind == "DATA" else 0)
        need(header.raw <= 128 << 20 and is_known and (header.codec or header.stored == header.raw), place + "lengths or codec")
        payload = _payload(self.data, at, header.stored, None if is_verified else header.checksum, place)
        return header, _unpacked(payload, header.codec, header.raw)

    def block(self, number) -> dict:
        """The columns of a block; the last few are kept. Its checksum, which takes longest, is computed once."""
        if number not in self._kept:
            entry = self.entries[number]
            header, payload = self._frame(int(entry["at"]), "DATA", number in self._verified)
            need((header.mark, header.frame, header.first, header.records) == (self.tag, number + 1, entry["first"], entry["records"]),
                 f"{self.path}: block {number} is not the one that the index says")
            self._verified.add(number)
            while len(self._kept) >= 4:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = parse_block(payload, self.head["columns"], header.records)
        return self._kept[number]

    def find(self, record):
        """The block that holds a record, and the record's number in it."""
        if not 0 <= record < self.count:
            raise IndexError(f"{self.path}: record {record} of {self.count}")
        number = int(np.searchsorted(self.entries["first"], record, side="right")) - 1
        return self.block(number), record - int(self.entries["first"][number])
