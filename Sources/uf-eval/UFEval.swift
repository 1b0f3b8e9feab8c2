import ArgumentParser
import CommandSupport

struct UFEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-eval",
        abstract: "Evaluate a model: log-probabilities, preference figures, benchmarks, reports.",
        discussion: HelpText.discussion(
            "Every figure comes with a 95 % interval, and nothing is claimed while that interval covers chance.",
            examples: [
                ("uf-eval score packed.uf --model model/ -o reference.uf", "the log-probability of every response, for training and for later evaluations"),
                ("uf-eval preference test.uf --model trained/ --reference model/", "reward accuracy, loss and more on held-out records"),
                ("uf-eval bench --model trained/ --tasks arc_challenge --data benchmarks/", "a benchmark as lm-eval scores it"),
                ("uf-eval report runs.sqlite --before before --after after", "two evaluations side by side"),
            ]),
        version: releaseVersion,
        subcommands: [Score.self, Preference.self, Bench.self, Report.self])
}
