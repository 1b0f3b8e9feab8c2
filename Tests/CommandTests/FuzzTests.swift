import TestSupport
import Testing

/// Twenty thousand mutants of JSON, archives, vocabularies and streams under a gigabyte of address space, with fixed seeds; `make fuzz` runs a million.
@Suite struct FuzzTests {
    @Test func mutantsAreHandled() {
        let folder = TemporaryFolder()
        let outcome = Command.shell("uf-fuzz --count 20000 --jobs 2", in: folder.path)
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(outcome.status == 0 && text.contains("20000 mutants in ") && text.hasSuffix(" a second: 0 not handled\n") && folder.contents.isEmpty,
                "\(text.prefix(4000))\(outcome.errors.prefix(1000))")
        print(text)
    }
}
