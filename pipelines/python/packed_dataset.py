"""Packed streams as a PyTorch data set. Needs torch and numpy.

    bins = PackedDataset("shards/")                                       # files, or folders of them; by number, at random
    loader = torch.utils.data.DataLoader(bins, batch_size=2, shuffle=True, collate_fn=paper_rows)   # or response_rows, shared_prefix

`paper_rows` gives the paper's m x N rows a record, `response_rows` one row a response, `shared_prefix` each bin as uf-pack laid it out: prompts once, responses
as branches, with the mask that keeps them apart. A bin is what a model computes on at once; its members are rated records.
"""
import os
from dataclasses import dataclass
import numpy as np
import torch
from record_stream import Stream, need

IGNORED = -100   # the label of what is not learnt


@dataclass
class Member:
    """A rated record: m dimensions, N responses."""
    id: str
    source: str
    origin: tuple            # number of the raw input, line in it
    dimensions: list         # m names
    ratings: np.ndarray      # [m, N], NaN where there is none
    rated: np.ndarray        # [m, N]
    targets: np.ndarray      # [m, N], each row a distribution, or zeros
    prompt_cuts: np.ndarray
    response_cuts: np.ndarray
    row_map: np.ndarray      # rows16: a segment for each row; pairs: two for each pair
    pi_target: np.ndarray    # rows16: [m x N] float32


@dataclass
class Bin:
    """Segment s is tokens[starts[s]:starts[s + 1]] and continues segment parents[s], or nothing (-1)."""
    tokens: np.ndarray
    positions: np.ndarray
    starts: np.ndarray
    parents: np.ndarray
    records: np.ndarray      # of each segment its member
    responses: np.ndarray    # of each segment its response, or -1
    label_starts: np.ndarray
    members: list
    layout: str

    def chain(self, segment):
        """The segment and all that it continues, first things first."""
        found = [segment]
        while self.parents[found[0]] >= 0:
            found.insert(0, int(self.parents[found[0]]))
        return found

    def labels(self):
        """[T]: the token where it is to be predicted, else IGNORED."""
        labels = np.full(self.tokens.size, IGNORED, np.int64)
        for first, end in zip(self.label_starts, self.starts[1:]):
            labels[first:end] = self.tokens[first:end]
        return labels

    def sequences(self, member):
        """For each response of a member the numbers of its tokens, those of its prompt first."""
        found = {int(self.responses[s]): s for s in np.flatnonzero((self.records == member) & (self.responses >= 0))}
        return [np.concatenate([np.arange(self.starts[s], self.starts[s + 1]) for s in self.chain(found[response])]) for response in sorted(found)]


class PackedDataset(torch.utils.data.Dataset):
    """The bins of packed streams, which are named or lie in folders (*.uf, in the order of their names). Raises Damaged, with the place."""

    def __init__(self, *paths):
        files = []
        for path in map(os.fspath, paths):
            if not os.path.isdir(path):
                files.append(path)
                continue
            inside = sorted(name for name in os.listdir(path) if name.endswith(".uf") and not name.startswith("."))
            need(inside, f"{path}: a folder without streams (*.uf)")
            files += [os.path.join(path, name) for name in inside]
        self.streams = [Stream(file) for file in files]
        need(self.streams, "no stream was named")
        facts = [dict(stream.head["settings"]) for stream in self.streams]
        shards = [settings.pop("shard", None) for settings in facts]
        self.settings = facts[0]
        for stream, settings in zip(self.streams, facts):
            need(stream.head["kind"] == "packed", f"{stream.path}: a stream of {stream.head['kind']} records, expected packed")
            need(settings == self.settings, f"{stream.path}: its settings are not those of {self.streams[0].path}")
        # Releases that were made with the same options share the name of their set, so each shard may stand more than once, but all equally often.
        for name, count in {(shard["set"], shard["count"]) for shard in shards if shard}:
            often = np.bincount([shard["index"] for shard in shards if shard and shard["set"] == name], minlength=count)
            need(often.min() == often.max(), f"the set of shards {name} is not whole: shard {int(often.argmin())} of {count} is missing")
        self.ends = np.cumsum([len(stream) for stream in self.streams])

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, number):
        number = number + len(self) if number < 0 else number
        if not 0 <= number < len(self):
            raise IndexError(f"bin {number} of {len(self)}")
        stream = int(np.searchsorted(self.ends, number, side="right"))
        block, at = self.streams[stream].find(number - int(self.ends[stream - 1] if stream else 0))

        def flat(name):
            start, end = block[name].offsets[0][at: at + 2]
            return block[name].values[start:end]

        def lists(name):
            column = block[name]
            start, end = column.offsets[0][at: at + 2]
            return [column.values[a:b] for a, b in zip(column.offsets[1][start:end], column.offsets[1][start + 1: end + 1])]

        def text(name, value):
            return block[name].dictionary[value].decode("utf-8", "surrogatepass")

        members = []
        columns = ["ids", "dimensions", "ratings", "rated", "targets", "prompt_cuts", "response_cuts", "row_map", "pi_target"]
        for source, place, line, (name, dimensions, *rest) in zip(flat("sources"), flat("origin_inputs"), flat("origin_lines"), zip(*map(lists, columns))):
            shape = len(dimensions), rest[4].size   # m x N: a count of cut tokens for each response
            members.append(Member(
                name.tobytes().decode("utf-8", "surrogatepass"), text("sources", source), (int(place), int(line)), [text("dimensions", d) for d in dimensions],
                *[matrix.reshape(shape) for matrix in rest[:3]], *rest[3:]))
        arrays = ["tokens", "positions", "segment_starts", "segment_parents", "segment_records", "segment_responses", "label_starts"]
        return Bin(*map(flat, arrays), members, self.settings.get("layout", ""))


def _padded(rows, value, multiple, length):
    longest = max(map(len, rows), default=0)
    width = length or -(-longest // multiple) * multiple
    if longest > width:
        raise ValueError(f"a row of {longest} tokens, and {width} were asked for")
    table = np.full((len(rows), width), value, np.int64)
    for row, values in zip(table, rows):
        row[: len(values)] = values
    return torch.from_numpy(table)


def response_rows(bins, pad_token=0, multiple=8, length=None):
    """One row a response, padded on the right to `length` or to a multiple: input_ids, attention_mask, labels [rows, L], record and response [rows] (numbers in
    the batch and in the record), members; and, of the layout pairs, pairs [P, 2]: rows of the better and of the worse response."""
    tokens, labels, record, response, members, pairs = [], [], [], [], [], []
    for bin in bins:
        learnt = bin.labels()
        for number, member in enumerate(bin.members):
            if bin.layout == "pairs":
                pairs += [len(tokens) + int(bin.responses[segment]) for segment in member.row_map]
            for place, sequence in enumerate(bin.sequences(number)):
                tokens.append(bin.tokens[sequence])
                labels.append(learnt[sequence])
                record.append(len(members))
                response.append(place)
            members.append(member)
    batch = {
        "input_ids": _padded(tokens, pad_token, multiple, length), "attention_mask": _padded([np.ones(len(row)) for row in tokens], 0, multiple, length),
        "labels": _padded(labels, IGNORED, multiple, length), "record": torch.tensor(record, dtype=torch.int64),
        "response": torch.tensor(response, dtype=torch.int64), "members": members,
    }
    if any(bin.layout == "pairs" for bin in bins):
        batch["pairs"] = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return batch


def paper_rows(bins, pad_token=0, multiple=8, length=None):
    """The paper's rows, m x N a record (16 of four dimensions and four responses), row N * dimension + response, from any layout: input_ids, attention_mask,
    labels [rows, L], pi_target [rows] in float32."""
    batch = response_rows(bins, pad_token, multiple, length)
    order, target, first = [], [], 0
    for member in batch["members"]:
        dimensions, responses = member.targets.shape
        order += [first + row % responses for row in range(dimensions * responses)]
        target.append(member.pi_target if member.pi_target.size else member.targets.astype(np.float32).ravel())
        first += responses
    rows = {name: batch[name][order] for name in ["input_ids", "attention_mask", "labels"]}
    return rows | {"pi_target": torch.from_numpy(np.concatenate([np.empty(0, np.float32), *target]))}


def shared_prefix(bins, pad_token=0, multiple=8, length=None):
    """Bins as they are, one a row [B, T]: input_ids, position_ids, labels, `predictor` (the place of the token that each is predicted from, -1 for none),
    `segments` (-1 on padding), members (a list a bin), `sequences` (of each bin, member and response its places), and `attention_mask` [B, 1, T, T]: true where a
    token sees another, which is earlier and in its own segment or in one that this continues. A token of padding sees itself. Transformers take it as it is; for
    flex_attention the same rule is `ancestors[b, segments[b, q], segments[b, k]] & (q >= k)`."""
    tokens = _padded([bin.tokens for bin in bins], pad_token, multiple, length)
    shape = tokens.shape
    positions, segments = np.zeros(shape, np.int64), np.full(shape, -1)
    predictor = np.full(shape, -1)
    most = 1 + max((len(bin.parents) for bin in bins), default=0)   # the last row and column, -1, are padding's
    ancestors = np.zeros((len(bins), most, most), bool)
    for row, bin in enumerate(bins):
        count = bin.tokens.size
        positions[row, :count] = bin.positions
        segments[row, :count] = np.repeat(np.arange(len(bin.parents)), np.diff(bin.starts))
        predictor[row, :count] = np.arange(count) - 1
        for segment, parent in enumerate(bin.parents):
            predictor[row, bin.starts[segment]] = -1 if parent < 0 else int(bin.starts[parent + 1]) - 1
            ancestors[row, segment] = ancestors[row, parent] if parent >= 0 else False
            ancestors[row, segment, segment] = True
    mask = ancestors[np.arange(len(bins))[:, None, None], segments[:, :, None], segments[:, None, :]] & np.tri(shape[1], dtype=bool)
    mask |= np.eye(shape[1], dtype=bool)
    return {
        "input_ids": tokens, "position_ids": torch.from_numpy(positions), "attention_mask": torch.from_numpy(mask)[:, None],
        "labels": _padded([bin.labels() for bin in bins], IGNORED, multiple, shape[1]), "predictor": torch.from_numpy(predictor),
        "segments": torch.from_numpy(segments), "ancestors": torch.from_numpy(ancestors), "members": [bin.members for bin in bins],
        "sequences": [[bin.sequences(member) for member in range(len(bin.members))] for bin in bins],
    }


def token_log_probs(logits, batch):
    """Of a `shared_prefix` batch the log-probability of each token [B, T] after what it continues; 0 where nothing is to be predicted."""
    learnt = (batch["labels"] != IGNORED) & (batch["predictor"] >= 0)
    table = torch.log_softmax(logits, -1)
    rows = torch.arange(logits.shape[0])[:, None]
    return torch.where(learnt, table[rows, batch["predictor"].clamp(min=0), batch["labels"].clamp(min=0)], 0)
