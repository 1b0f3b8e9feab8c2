import JSON
import RecordStream
import SystemIO

/// What one thread keeps while it encodes rated records where they lie.
struct RecordScratch {
    let encoding: EncodingScratch
    /// The record that `encode` has encoded.
    private(set) var draft = TokensDraft()
    private var plans: [ConversationPlan] = []
    /// Roles for which there is none.
    private var planless: Set<[Text]> = []
    /// The turns of the conversation at hand, and behind their contents an answer.
    private var roles: [UnsafeBufferPointer<UInt8>] = [], contents = ConversationPlan.Contents()
    private var text: [UInt8] = []
    /// The plan of each prompt, by its number.
    private var planNumbers: [Int] = []
    private let system: FixedBuffer<UInt8>?, systemIsUTF8: Bool

    private static let systemRole = FixedBuffer(Array("system".utf8))
    /// Of longer conversations, and of more kinds of them, each is laid out by itself.
    private static let longestPlan = 64, mostPlans = 64

    /// - Parameter shared: with the other threads of a run.
    init(_ encoder: TemplateEncoder, shared: LearntPieces? = nil) {
        encoding = EncodingScratch(shared: shared)
        system = encoder.system.map { FixedBuffer($0.bytes) }
        systemIsUTF8 = system.map { isUTF8(UnsafeBufferPointer(start: $0.base, count: $0.count)) } ?? true
    }

    /// Encodes a record into `draft`; false where its conversations are not all of plans that hold for their contents.
    mutating func encode(_ record: Int, of columns: RatedColumns, _ encoder: TemplateEncoder, _ counts: inout RecordTokenizer.Counts) throws(InputError) -> Bool {
        contents.areUTF8 = columns.areUTF8 && systemIsUTF8
        let responses = columns.responses.range(record), systems = columns.responseSystems.range(record)
        let isUnderOwn = systems.contains { !columns.responseSystems.name($0).isEmpty }
        // One prompt for all where the system prompts are the same.
        let prompts = isUnderOwn && !columns.responseSystems.areEqual(systems) ? systems.count : 1
        func answers(to prompt: Int) -> Range<Int> { prompts == 1 ? responses : responses.lowerBound + prompt ..< responses.lowerBound + prompt + 1 }

        planNumbers.removeAll(keepingCapacity: true)
        for prompt in 0 ..< prompts {
            take(record, columns, isUnderOwn ? columns.responseSystems.name(systems.lowerBound + prompt) : nil)
            guard let number = planThatHolds(encoder, for: answers(to: prompt), of: columns) else { return false }
            planNumbers.append(number)
        }

        draft.removeAll()
        encoding.counts = .init()
        for prompt in 0 ..< prompts {
            if prompts > 1 { take(record, columns, columns.responseSystems.name(systems.lowerBound + prompt)) }
            let plan = plans[planNumbers[prompt]]
            try plan.encodePrompt(contents, encoder.tokenizer, into: &draft.prompts, turnStarts: &draft.turnStarts, text: &text, scratch: encoding)
            counts.trimmed += plan.trimmedTurns(contents)
            draft.promptEnds.append(draft.prompts.count)
            draft.turnStartEnds.append(draft.turnStarts.count)
            draft.roles.append(plan.roles)
            contents.texts.append(UnsafeBufferPointer(start: nil, count: 0))
            for response in answers(to: prompt) {
                contents.texts[contents.texts.count - 1] = columns.responses.text(response)
                try plan.encodeAnswer(contents, encoder.tokenizer, into: &draft.responses, text: &text, scratch: encoding)
                if plan.trimsAnswer(contents) { counts.trimmed += 1 }
                draft.responseEnds.append(draft.responses.count)
            }
        }
        counts.records += 1
        counts.responses += responses.count
        counts.promptTokens += draft.prompts.count
        counts.responseTokens += draft.responses.count
        counts.texts += encoding.counts
        return true
    }

    /// The turns of a record, under a system prompt of its own where one is given that says something.
    private mutating func take(_ record: Int, _ columns: RatedColumns, _ own: UnsafeBufferPointer<UInt8>?) {
        roles.removeAll(keepingCapacity: true)
        contents.texts.removeAll(keepingCapacity: true)
        let firstRole = columns.roles.range(record).lowerBound, texts = columns.contents.range(record)
        if let own, !own.isEmpty { addSystem(own) }
        for (number, text) in texts.enumerated() {
            roles.append(columns.roles.name(firstRole + number))
            contents.texts.append(columns.contents.text(text))
        }
        guard let system, !(roles.first.map { RecordScratch.systemRole.holds($0) } ?? false) else { return }
        let turns = (roles, contents.texts)
        roles.removeAll(keepingCapacity: true)
        contents.texts.removeAll(keepingCapacity: true)
        addSystem(UnsafeBufferPointer(start: system.base, count: system.count))
        roles += turns.0
        contents.texts += turns.1
    }

    private mutating func addSystem(_ content: UnsafeBufferPointer<UInt8>) {
        roles.append(UnsafeBufferPointer(start: RecordScratch.systemRole.base, count: RecordScratch.systemRole.count))
        contents.texts.append(content)
    }

    /// The number of a plan that holds for the conversation at hand and each of these answers.
    private mutating func planThatHolds(_ encoder: TemplateEncoder, for answers: Range<Int>, of columns: RatedColumns) -> Int? {
        guard let number = plan(encoder) else { return nil }
        for (turn, content) in contents.texts.enumerated() where !plans[number].holds(for: content, in: turn) { return nil }
        for response in answers where !plans[number].holds(for: columns.responses.text(response), in: contents.texts.count) { return nil }
        return number
    }

    /// The number of the plan for the roles at hand, which is made where there is none yet.
    private mutating func plan(_ encoder: TemplateEncoder) -> Int? {
        if let known = plans.firstIndex(where: { plan in plan.roles.count == roles.count && zip(plan.roles, roles).allSatisfy { $0.holds($1) } }) { return known }
        guard roles.count <= RecordScratch.longestPlan, plans.count + planless.count < RecordScratch.mostPlans else { return nil }
        let texts = roles.map { Text(Array($0)) }
        guard !planless.contains(texts) else { return nil }
        guard let plan = encoder.plan(texts, scratch: encoding) else {
            planless.insert(texts)
            return nil
        }
        plans.append(plan)
        return plans.count - 1
    }
}

extension FixedBuffer<UInt8> {
    fileprivate func holds(_ text: UnsafeBufferPointer<UInt8>) -> Bool { text.elementsEqual(UnsafeBufferPointer(start: base, count: count)) }
}

extension ColumnArrays {
    /// Whether a dictionary names one text for all of some values.
    fileprivate func areEqual(_ values: Range<Int>) -> Bool {
        let first = name(values.lowerBound)
        return values.allSatisfy { name($0).baseAddress == first.baseAddress && name($0).count == first.count }
    }
}
