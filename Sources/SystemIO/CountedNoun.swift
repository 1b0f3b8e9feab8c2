/// `1 record`, `2 records`: a number with its noun, for messages.
///
/// - Parameter plural: where it is not the noun with an s.
public func counted(_ number: Int, _ noun: String, plural: String? = nil) -> String { "\(number) \(number == 1 ? noun : plural ?? noun + "s")" }
