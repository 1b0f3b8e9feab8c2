import Glibc
import TestSupport
import Testing

@testable import SystemIO

@Suite struct AtomicFileTests {
    let folder = TemporaryFolder()

    @Test func appearsOnlyWhenFinished() throws {
        let path = folder.file("out")
        let file = try AtomicFile(path: path)
        try file.write("new")
        #expect(access(path, F_OK) != 0)
        try file.finish()
        #expect(try readWholeFile(path) == Array("new".utf8))
        #expect(folder.contents == ["out"])
    }

    @Test func droppedUnfinishedLeavesTheOldFile() throws {
        let path = folder.file("out")
        try write("old", to: path)
        do {
            let file = try AtomicFile(path: path)
            try file.write("half of the n")
        }
        #expect(try readWholeFile(path) == Array("old".utf8))
        #expect(folder.contents == ["out"])
    }

    @Test func symbolicLinkIsFollowed() throws {
        let path = folder.file("real"), link = folder.file("link")
        try write("old", to: path)
        #expect(symlink(path, link) == 0)
        try write("new", to: link)
        #expect(try readWholeFile(path) == Array("new".utf8))
        var status = stat()
        #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test func linkToNothingIsFollowedAndALoopRefused() throws {
        let path = folder.file("real"), link = folder.file("link"), loop = folder.file("loop")
        #expect(symlink("real", link) == 0 && symlink("loop", loop) == 0)
        try write("new", to: link)
        #expect(try readWholeFile(path) == Array("new".utf8))
        #expect(throws: InputError.cannotCreate(loop, ELOOP)) { try AtomicFile(path: loop) }
    }

    @Test func ifChangedKeepsTheTime() throws {
        let path = folder.file("out")
        try write("same", to: path)
        var old = stat()
        stat(path, &old)
        try write("same", to: path, keepsEqual: true)
        var new = stat()
        stat(path, &new)
        #expect(old.st_ino == new.st_ino)
        try write("other", to: path, keepsEqual: true)
        stat(path, &new)
        #expect(old.st_ino != new.st_ino)
        #expect(folder.contents == ["out"])
    }

    @Test func fullDiskIsAnError() throws {
        let file = try AtomicFile(path: "/dev/full")
        #expect(throws: InputError("/dev/full: writing failed at byte 0: No space left on device", status: .ioError)) { try file.write("x") }
        var status = stat()
        #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }

    @Test func missingFolderIsAnError() {
        let path = folder.file("absent/out")
        #expect(throws: InputError("\(path): cannot be created: No such file or directory", status: .cannotCreate)) { try AtomicFile(path: path) }
    }

    private func write(_ text: String, to path: String, keepsEqual: Bool = false) throws {
        let file = try AtomicFile(path: path, keepsEqual: keepsEqual)
        try file.write(text)
        try file.finish()
    }
}

@Suite struct ByteSourceTests {
    @Test func readsAllWhateverTheReadSize() throws {
        let folder = TemporaryFolder()
        let bytes = (0 ..< 100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let file = try AtomicFile(path: folder.file("f"))
        try file.write(bytes)
        try file.finish()
        for size in [1 << 20, 4096, 17] {
            #expect(try readAll(FileSource(path: folder.file("f"), readSize: size), limit: 1 << 20) == bytes, "read size \(size)")
        }
        #expect(throws: InputError("\(folder.file("f")): larger than 99999 bytes, the most that is read here")) {
            try readWholeFile(folder.file("f"), limit: 99_999)
        }
        #expect(try MappedFile(path: folder.file("f")).withBytes { $0.elementsEqual(bytes) })
    }

    @Test func missingFileAndFolder() {
        #expect(throws: InputError("/no/such: cannot be opened for reading: No such file or directory", status: .missingInput)) { try FileSource(path: "/no/such") }
        #expect(throws: InputError("/tmp: cannot be opened for reading: Is a directory", status: .missingInput)) { try FileSource(path: "/tmp") }
        #expect(throws: InputError("/dev/null: not a regular file; this input must be a file on disk", status: .missingInput)) { try MappedFile(path: "/dev/null") }
    }
}
