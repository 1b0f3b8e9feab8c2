import TestSupport
import Testing

/// Lines, strings and nestings without end, from a pipe, with a gigabyte of address space: one line that says where, the documented status, and no
/// gigabyte read.
@Suite struct HugeInputTests {
    private static let zeros = "head -c 1G /dev/zero"
    private static let stories = Command.quoted(Fixtures.path("models/stories260K"))

    private func expect(_ generator: String, _ command: String, _ status: Int32, _ message: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let folder = TemporaryFolder()
        // What makes the bytes has no limit, and ends when nobody reads on.
        let outcome = Command.shell("{ \(generator); } 2>/dev/null | { ulimit -v 1048576; \(command); } > out; exit ${PIPESTATUS[1]}", in: folder.path)
        let name = command.prefix { $0 != " " }
        #expect(outcome.status == status && outcome.errors == "\(name): standard input: \(message)\n",
                "\(generator) | \(command): \(outcome.status): \(outcome.errors.prefix(600))", sourceLocation: sourceLocation)
    }

    private static let long = "line 1: longer than 67108864 bytes, the most that one line may have; is this JSON Lines or an array of records?"

    @Test(arguments: ["uf-convert -j 1", "uf-convert -j 8", "uf-convert --on-bad-record skip", "uf-convert --strict", "uf-records import --kind rated"])
    func aLineWithoutEnd(command: String) {
        expect(#"printf '{"prompt":"'; \#(Self.zeros) | tr '\0' a; printf '"}\n'"#, command, 65, Self.long)
        expect(#"\#(Self.zeros) | tr '\0' a"#, command, 65, Self.long)
        expect(#"printf '{"a":'; head -c 100M /dev/zero | tr '\0' '['"#, command, 65, Self.long)
    }

    @Test func tokenizedLinesWithoutEnd() {
        let command = "uf-tokenize text --tokenizer \(Self.stories)"
        for command in [command, "uf-tokenize train --size 300", "uf-tokenize train --size 300 --text"] {
            expect(#"printf '"'; \#(Self.zeros) | tr '\0' a"#, command, 65, "line 1: more than 268435456 bytes; is this a file of lines?")
        }
    }

    /// A hundred million brackets, and fifty million in a line of allowed length: nothing recurses, and what is wrong is told although there is no room for
    /// the whole.
    @Test func deepNesting() {
        let deep = #"head -c 100000000 /dev/zero | tr '\0' '['"#
        expect(deep, "uf-convert", 65, "element 1: longer than 67108864 bytes, the most that one element may have; is this JSON Lines or an array of records?")
        expect(deep, "uf-records import --kind rated", 65, Self.long)
        let line = #"printf '{"a":'; head -c 50M /dev/zero | tr '\0' '['; echo"#
        expect(line, "uf-convert", 65, "line 1, column 518: more than 512 arrays and objects inside one another (--on-bad-record skip to continue)")
        expect(line, "uf-records import --kind rated", 65, "line 1, column 518: more than 512 arrays and objects inside one another")
        expect(line, "uf-tokenize text --tokenizer \(Self.stories)", 65, "line 1, column 518: more than 512 arrays and objects inside one another")
    }

    /// Allowed, but more than fits into what memory there is: that is no fault of the record, which must not be passed over as a bad one.
    @Test func noMemory() {
        let line = #"printf '{"prompt":"'; head -c 60M /dev/zero | tr '\0' a; printf '"}\n'"#
        for command in ["uf-convert", "uf-convert --on-bad-record skip", "uf-records import --kind rated"] {
            let folder = TemporaryFolder()
            let outcome = Command.shell("{ \(line); } 2>/dev/null | { ulimit -v 700000; \(command) -j 1; } > out; exit ${PIPESTATUS[1]}", in: folder.path)
            #expect(outcome.status == 70 && outcome.errors.hasSuffix(": standard input: line 1: no memory for 62914573 bytes of JSON\n"),
                    "\(command): \(outcome.status): \(outcome.errors)")
        }
    }

    /// Bytes that are no stream, and a stream whose first frame promises more than there is.
    @Test func streamsWithoutEnd() {
        let stream = Command.quoted(Fixtures.path("streams/version-1/rated-none.uf"))
        for command in ["check", "cat", "view", "stats", "sort --by id", "shuffle", "digest"] {
            expect(Self.zeros, "uf-records \(command)", 65, "frame 0 at byte 0: no frame starts here (the sync bytes F5 55 46 52 0D 0A 1A 0A are missing)")
            expect("cat \(stream); \(Self.zeros)", "uf-records \(command)", 65,
                "at byte 9280: there is more after the end mark (streams joined with cat are not one stream; name them all as inputs instead)")
        }
    }
}
