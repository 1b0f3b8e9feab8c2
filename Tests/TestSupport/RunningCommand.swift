import Glibc

/// A built command that runs while the test goes on, without a shell between the two; what it says is thrown away.
public final class RunningCommand {
    private let pid: pid_t

    /// - Parameter words: the command's name and its arguments. Nil when it cannot be started.
    public init?(_ words: [String]) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0) }
        guard let pid = Command.spawn(Command.path(words[0]), words, &actions) else { return nil }
        self.pid = pid
    }

    public func kill() { Glibc.kill(pid, SIGKILL) }

    /// The exit status, or 128 + signal. Call it once.
    public func wait() -> Int32 { Command.wait(pid) }
}
