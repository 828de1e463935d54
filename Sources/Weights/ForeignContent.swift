/// What stands in a file in place of a model's, after a download that went wrong.
enum ForeignContent {
    /// What `bytes`, a file's first ones, are instead of part of a model; nil where they may be that.
    static func description(_ bytes: UnsafeRawBufferPointer) -> String? {
        let start = bytes.prefix(512)
        if start.starts(with: "version https://git-lfs".utf8) || start.starts(with: "version https://hawser".utf8) {
            return "it is a Git LFS pointer, not the file itself; fetch that with `git lfs pull`"
        }
        let text = start.drop { [0xEF, 0xBB, 0xBF, 0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let lowercased = text.prefix(16).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if ["<!doctype html", "<html", "<head", "<?xml"].contains(where: { lowercased.starts(with: $0.utf8) }) {
            return "it is a web page; the download went wrong, so download it again"
        }
        // What the hub answers instead of a file.
        for answer in ["Entry not found", "Invalid username or password", "Repository not found", "Access to model "]
        where text.starts(with: answer.utf8) {
            return
                "it is a server's answer (\"\(answer.trimmingSpace)\"); the download went wrong, so download it again"
        }
        return archive(start)
    }

    private static func archive(_ start: UnsafeRawBufferPointer.SubSequence) -> String? {
        let kinds: [(signature: [UInt8], kind: String)] = [
            ([0x50, 0x4B, 0x03, 0x04], "a zip archive, as PyTorch's pickled checkpoints are"),
            ([0x50, 0x4B, 0x05, 0x06], "an empty zip archive"), ([0x1F, 0x8B], "compressed by gzip"),
            ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd"), ([0x42, 0x5A, 0x68], "compressed by bzip2"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "compressed by xz"),
            ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive"),
            ([0x80, 0x02, 0x8A, 0x0A], "a pickle, as PyTorch's old checkpoints are"),
            ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
        ]
        return kinds.first { start.starts(with: $0.signature) }.map {
            "it is \($0.kind); quire reads safetensors and GGUF"
        }
    }
}

extension WeightLoadingError {
    /// Throws `malformed` where a download left something else than a model's file at `path`, such as a Git LFS pointer. A
    /// file that cannot be read, or that is empty, is for its reader to refuse.
    public static func checkContent(ofFile path: String) throws(WeightLoadingError) {
        guard PathKind(of: path) == .file else { return }
        _ = try mapFile(path)
    }
}

extension String {
    /// Without a space at its end.
    fileprivate var trimmingSpace: Substring { hasSuffix(" ") ? dropLast() : self[...] }
}
