extension GGUFSource {
    /// Opens the model whose file, or whose first part of several, is `path`: parts are called `NAME-00001-of-00003.gguf` and
    /// lie side by side, as llama.cpp's `gguf-split` writes them. Throws `badShard` for a part that is not there, or not
    /// what its name says.
    static func model(_ path: String) throws(WeightLoadingError) -> GGUFSource {
        let first = try GGUFSource(file: path)
        let metadata = GGUFMetadata(file: path, values: first.metadata)
        guard let count = try metadata.integer("split.count"), count > 1 else { return first }
        let ending = "-00001-of-\(fiveDigits(count)).gguf"
        guard try metadata.integer("split.no") == 0, path.hasSuffix(ending), count <= 99_999 else {
            throw .unsupported(
                file: path, key: "split.count", found: "\(count)", supported: "the first part, called NAME\(ending)")
        }
        let stem = String(path.dropLast(ending.count))
        var others: [GGUFSource] = []
        for number in 1..<count {
            let file = "\(stem)-\(fiveDigits(number + 1))-of-\(fiveDigits(count)).gguf"
            func bad(_ reason: String) -> WeightLoadingError {
                .badShard(file: path, shard: file.lastPathPart, reason: reason)
            }
            guard PathKind(of: file) == .file else { throw bad("is missing") }
            let part = try GGUFSource(file: file)
            let values = GGUFMetadata(file: file, values: part.metadata)
            guard try values.integer("split.no") == number, try values.integer("split.count") == count else {
                throw bad("is not part \(number + 1) of \(count)")
            }
            others.append(part)
        }
        return try GGUFSource(first, others: others)
    }

    private static func fiveDigits(_ number: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
