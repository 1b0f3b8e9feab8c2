#!/usr/bin/env python3
"""Writes records in the schema of openbmb/UltraFeedback, about 17 KB each and four fifths of it rationales and critiques, which no converter keeps.

    make_data.py RECORDS FOLDER [--seed N]        (three files in FOLDER, made-*.jsonl; the same bytes from the same Python for the same numbers)

The words are made up, and so are the ratings. What slows a converter is as in the original: escapes, characters beyond ASCII, "N/A" for honesty, ratings
that are missing, null or out of range, records with three completions, one or none.
"""
import argparse, json, random
from pathlib import Path

DIMENSIONS = ["instruction_following", "honesty", "truthfulness", "helpfulness"]
MODELS = [f"model-{letter}" for letter in "abcdefghijklmnopq"]
PRINCIPLES = ["helpfulness", "truthfulness", "honesty", "verbalized_calibration"]
# Bytes that a text is to have, in the mean, and how many different ones there are to choose from.
PROMPT, SYSTEM, RESPONSE, RATIONALE, CRITIQUE = (330, 2000), (40, 100), (930, 3000), (280, 3000), (550, 2000)


class Texts:
    """Texts of made-up words, as JSON strings."""

    def __init__(self, random):
        self.random = random
        syllables = [a + b for a in "b c d f g h l m n p r s t v w st tr ch sh pl".split() for b in "a e i o u ai ea ou er in on".split()]
        self.words = ["".join(random.choice(syllables) for _ in range(random.choice([1, 1, 2, 2, 3, 4]))) for _ in range(4000)]
        self.words += ["caf\u00e9", "na\u00efve", "\u201cquoted\u201d", "it\u2019s", "\u2013", "\u4f60\u597d", "\U0001f600"] * 4

    def text(self, size):
        out, length, target = [], 0, max(20, self.random.gammavariate(2, size / 2))
        while length < target:
            # Frequent words are frequent.
            sentence = [self.words[int(len(self.words) * self.random.random() ** 2)] for _ in range(self.random.randint(4, 18))]
            sentence[0] = sentence[0].capitalize()
            if self.random.random() < 0.1:
                sentence[1] = f'"{sentence[1]}"'
            out.append(" ".join(sentence) + self.random.choice([".", ".", ".", "?", ":\n\n", ".\n", ".\n\n", ";\n\t"]))
            length += len(out[-1]) + 1
        return json.dumps(" ".join(out))

    def pool(self, size_and_count):
        size, count = size_and_count
        return [self.text(size) for _ in range(count)]


class Records:
    def __init__(self, seed):
        self.random = random.Random(seed)
        texts = Texts(self.random)
        self.prompts, self.systems, self.responses = texts.pool(PROMPT), texts.pool(SYSTEM), texts.pool(RESPONSE)
        self.rationales, self.critiques = texts.pool(RATIONALE), texts.pool(CRITIQUE)

    def annotation(self, dimension):
        choice, chance = self.random.choice, self.random.random()
        if chance < 0.0005:
            return None
        if chance < 0.0008:
            return f'"{dimension}": null'
        rating = "0" if chance < 0.001 else str(min(5, max(1, round(self.random.gauss(3.7, 1.1)))))
        if dimension == "honesty" and chance > 0.97:
            rating = "N/A"
        if dimension in ("truthfulness", "helpfulness"):
            return (f'"{dimension}": {{"Type": ["{self.random.randint(1, 3)}"], "Rationale": {choice(self.rationales)}, "Rating": "{rating}", '
                    f'"Rationale For Rating": {choice(self.rationales)}}}')
        return f'"{dimension}": {{"Rating": "{rating}", "Rationale": {choice(self.rationales)}}}'

    def completion(self, model):
        choice = self.random.choice
        annotations = ", ".join(filter(None, map(self.annotation, DIMENSIONS)))
        return (f'{{"annotations": {{{annotations}}}, "custom_system_prompt": {choice(self.systems)}, "model": "{model}", "principle": "{choice(PRINCIPLES)}", '
                f'"response": {choice(self.responses)}, "critique": {choice(self.critiques)}, "fine-grained_score": {self.random.randint(4, 20) / 4}, '
                f'"overall_score": {self.random.randint(1, 10)}.0}}')

    def line(self, source, number):
        chance = self.random.random()
        models = self.random.sample(MODELS, 4)
        count = 4 if chance < 0.9985 else 3 if chance < 0.9995 else 1 if chance < 0.9998 else 0
        completions = ", ".join(self.completion(model) for model in models[:count])
        prompt = f'{self.random.choice(self.prompts)[:-1]} ({source} {number})"'
        return (f'{{"source": "{source}", "instruction": {prompt}, "models": {json.dumps(models)}, "completions": [{completions}], '
                '"correct_answers": ["None"], "incorrect_answers": ["None"]}\n')


def make(count, folder, seed):
    sources = {"made-a": count // 2, "made-b": count // 3}
    sources["made-c"] = count - sum(sources.values())
    records = Records(seed)
    for source, number in sources.items():
        with open(Path(folder) / f"{source}.jsonl", "w", encoding="ascii") as file:
            file.writelines(records.line(source, i) for i in range(number))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=int)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    make(given.records, given.folder, given.seed)
