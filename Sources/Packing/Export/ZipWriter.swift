import CZlib
import SystemIO

/// Writes a zip of stored members (no compression) from front to back: the same bytes for the same members, with no time in them.
struct ZipWriter {
    private struct Member {
        var name: [UInt8]
        var size: UInt64
        var offset: UInt64
        var checksum: UInt32 = 0
    }

    private let sink: any ByteSink
    /// From this size or offset on a field of 32 bits holds ones and the number stands in 64 bits elsewhere.
    private let largest: UInt64
    private var members: [Member] = []
    private var position: UInt64 = 0
    private var isLarge: Bool { (members.last?.size ?? 0) >= largest }

    init(_ sink: any ByteSink, largest: UInt64 = 0xFFFF_FFFF) {
        self.sink = sink
        self.largest = largest
    }

    /// - Parameter size: of what `write` will get until the next call of `begin` or `finish`.
    mutating func begin(_ name: String, size: Int) throws {
        try endMember()
        members.append(Member(name: Array(name.utf8), size: UInt64(size), offset: position))
        var header: [UInt8] = []
        header.add(0x0403_4B50 as UInt32)
        header.add(isLarge ? 45 : 20 as UInt16)
        addMethod(to: &header)
        // Checksum and sizes follow the data; the long form of their fields is announced here.
        header += [UInt8](repeating: isLarge ? 0xFF : 0, count: 12)
        if isLarge { header.replaceSubrange(header.count - 12 ..< header.count - 8, with: [0, 0, 0, 0]) }
        header.add(UInt16(name.utf8.count))
        header.add(isLarge ? 20 : 0 as UInt16)
        header += name.utf8
        if isLarge {
            header.add(1 as UInt16)
            header.add(16 as UInt16)
            header += [UInt8](repeating: 0, count: 16)
        }
        try put(header)
    }

    mutating func write(_ bytes: [UInt8]) throws {
        // Of no bytes zlib would begin anew.
        guard !bytes.isEmpty else { return }
        members[members.count - 1].checksum = UInt32(crc32_z(uLong(members[members.count - 1].checksum), bytes, bytes.count))
        try put(bytes)
    }

    /// Writes the directory. The sink is finished by whoever made it.
    mutating func finish() throws {
        try endMember()
        let start = position
        for member in members { try put(entry(member)) }
        let size = position - start, count = UInt64(members.count)
        var end: [UInt8] = []
        if start >= largest || size >= largest {
            end.add(0x0606_4B50 as UInt32)
            end.add(44 as UInt64)
            end.add(45 as UInt16)
            end.add(45 as UInt16)
            end.add(0 as UInt64)
            for number in [count, count, size, start] { end.add(number) }
            end.add(0x0706_4B50 as UInt32)
            end.add(0 as UInt32)
            end.add(position)
            end.add(1 as UInt32)
        }
        end.add(0x0605_4B50 as UInt32)
        end.add(0 as UInt32)
        end.add(UInt16(count))
        end.add(UInt16(count))
        end.add(short(size))
        end.add(short(start))
        end.add(0 as UInt16)
        try put(end)
    }

    private mutating func endMember() throws {
        guard let member = members.last else { return }
        var descriptor: [UInt8] = []
        descriptor.add(0x0807_4B50 as UInt32)
        descriptor.add(member.checksum)
        for _ in 0 ..< 2 { if isLarge { descriptor.add(member.size) } else { descriptor.add(UInt32(member.size)) } }
        try put(descriptor)
    }

    private func entry(_ member: Member) -> [UInt8] {
        let isLarge = member.size >= largest, isFar = member.offset >= largest
        var entry: [UInt8] = []
        entry.add(0x0201_4B50 as UInt32)
        entry.add(isLarge || isFar ? 45 : 20 as UInt16)
        entry.add(isLarge || isFar ? 45 : 20 as UInt16)
        addMethod(to: &entry)
        entry.add(member.checksum)
        entry.add(short(member.size))
        entry.add(short(member.size))
        entry.add(UInt16(member.name.count))
        let long = (isLarge ? 16 : 0) + (isFar ? 8 : 0)
        entry.add(UInt16(long > 0 ? long + 4 : 0))
        // No comment, disk 0, no attributes.
        entry += [UInt8](repeating: 0, count: 10)
        entry.add(short(member.offset))
        entry += member.name
        if long > 0 {
            entry.add(1 as UInt16)
            entry.add(UInt16(long))
            for number in (isLarge ? [member.size, member.size] : []) + (isFar ? [member.offset] : []) { entry.add(number) }
        }
        return entry
    }

    private func short(_ number: UInt64) -> UInt32 { number >= largest ? .max : UInt32(number) }

    /// Flags (checksum and sizes follow the data), no compression, and the first time that a zip can say.
    private func addMethod(to header: inout [UInt8]) {
        header.add(8 as UInt16)
        header.add(0 as UInt16)
        header.add(0 as UInt16)
        header.add(0x21 as UInt16)
    }

    private mutating func put(_ bytes: [UInt8]) throws {
        try sink.write(bytes)
        position += UInt64(bytes.count)
    }
}

extension [UInt8] {
    /// Appends a number, least significant byte first.
    mutating func add(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
