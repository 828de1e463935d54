/// A rule over two keys of a section.
struct ConfigurationRule<Target>: Sendable {
    /// The keys that can break it together.
    var keys: (first: String, second: String)
    /// What is wrong, or nil when nothing is.
    var violation: @Sendable (Target) -> String?

    init(_ first: String, _ second: String, violation: @escaping @Sendable (Target) -> String?) {
        keys = (first, second)
        self.violation = violation
    }
}
