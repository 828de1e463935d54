/// Why a text is no acceptable YAML document: the place, the key path reached there, one sentence.
struct YAMLProblem: Error, Equatable {
    var mark: SourceMark
    var keyPath: String?
    var message: String
}
