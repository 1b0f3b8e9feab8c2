import Glibc

/// Runs a built command as a user does and tells what came of it.
public struct Command {
    public struct Outcome {
        /// The exit status, or 128 + signal, as a shell has it.
        public var status: Int32
        public var output: [UInt8]
        public var errors: String
    }

    /// The folder of the built commands: beside the test bundle, unless UFTOOLS_BIN says otherwise.
    public static let folder: String = {
        if let chosen = getenv("UFTOOLS_BIN") { return String(cString: chosen) }
        return repositoryRoot + "/.build/release"
    }()

    public static func path(_ name: String) -> String { folder + "/" + name }

    /// Runs a line of bash with the commands on its PATH, in `directory`.
    public static func shell(_ script: String, in directory: String, environment: [String: String] = [:]) -> Outcome {
        let scratch = TemporaryFolder()
        var lines = ["cd \(quoted(directory))", "export PATH=\(quoted(folder)):\"$PATH\" LC_ALL=C"]
        for (name, value) in environment { lines.append("export \(name)=\(quoted(value))") }
        lines.append(script)
        let out = scratch.file("out"), err = scratch.file("err")
        let command = "{ \(lines.joined(separator: "\n"))\n} >\(quoted(out)) 2>\(quoted(err)) </dev/null"
        let status = run(["/bin/bash", "-c", command])
        return Outcome(status: status, output: read(out), errors: String(decoding: read(err), as: UTF8.self))
    }

    private static func run(_ words: [String]) -> Int32 {
        guard let pid = spawn(words[0], words, nil) else { return 127 }
        return wait(pid)
    }

    /// Starts a program; nil where that fails.
    static func spawn(_ path: String, _ words: [String], _ actions: UnsafePointer<posix_spawn_file_actions_t>?) -> pid_t? {
        var pid = pid_t()
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        pointers.append(nil)
        defer { pointers.forEach { free($0) } }
        // Test threads have signals blocked, and a child would inherit that: a command must be as stoppable here as in a shell.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return posix_spawn(&pid, path, actions, &attributes, pointers, environ) == 0 ? pid : nil
    }

    /// The exit status, or 128 + signal.
    static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    public static func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count <= 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}
