import CLibrary

/// The download of one file's content into `blobs/DIGEST.incomplete`, which becomes `blobs/DIGEST` when its length and its
/// digest are right. An interrupted download goes on where it ended.
struct BlobDownload {
    let client: HubClient
    let model: ModelReference
    let commit: String
    let path: String
    let byteCount: Int
    let digest: BlobDigest
    /// The final path of the content.
    let blob: String
    /// Called with the bytes of the file that are there; fewer than before where it starts anew.
    let onProgress: (Int) -> Void

    /// Throws `corrupt` where the content is wrong twice, and what `HubClient` and the disk throw.
    func run() throws(HubError) {
        let incomplete = "\(blob).incomplete"
        var isRepeated = false
        while true {
            let found = try download(to: incomplete)
            guard found != digest.hexadecimal else { break }
            // What was there before may have been wrong; a second copy from the start is not.
            unlink(incomplete)
            guard !isRepeated else {
                throw .corrupt(
                    file: path,
                    reason: "expected \(digest.name) \(digest.hexadecimal), found \(found), twice; nothing was kept")
            }
            isRepeated = true
        }
        guard rename(incomplete, blob) == 0 else { throw DiskFile.error(blob) }
    }

    /// Completes the file at `incomplete`; returns the digest of its content.
    private func download(to incomplete: String) throws(HubError) -> String {
        let file = try DiskFile(incomplete)
        var hasher = BlobHasher(for: digest, byteCount: byteCount)
        var count = try file.byteCount()
        if count > byteCount { count = 0 }
        try file.truncate(to: count)
        try file.read(count) { hasher.update($0) }
        onProgress(count)
        var countBefore = count
        while count < byteCount || byteCount == 0 {
            var writeError: HubError?
            var problem: String?
            try client.retrying(client.address(of: path, model, commit: commit)) {
                defer { countBefore = count }
                return count > countBefore
            } _: { () throws(AttemptFailure) in
                let start = count
                var isFirst = true
                (writeError, problem) = (nil, nil)
                do throws(AttemptFailure) {
                    _ = try client.read(path, model, commit: commit, from: start) { answer, bytes in
                        do throws(HubError) {
                            if isFirst {
                                isFirst = false
                                problem = objection(to: answer, start)
                                if answer.status == 200, start > 0 {
                                    // The server has no ranges.
                                    (count, hasher) = (0, BlobHasher(for: digest, byteCount: byteCount))
                                    try file.truncate(to: 0)
                                }
                            }
                            if bytes.count > byteCount - count {
                                problem = problem ?? "it is longer than \(byteCount) bytes"
                            }
                            guard problem == nil else { return false }
                            try file.write(bytes)
                            hasher.update(bytes)
                            count += bytes.count
                            onProgress(count)
                            return true
                        } catch {
                            writeError = error
                            return false
                        }
                    }
                } catch {
                    if let writeError { throw .lasting(writeError) }
                    if let problem {
                        throw .lasting(.corrupt(file: path, reason: "the answer is not this file: \(problem)"))
                    }
                    guard case .lasting(.status(_, 416, _)) = error, start > 0 else { throw error }
                    // The server knows no such range of this file.
                    (count, hasher) = (0, BlobHasher(for: digest, byteCount: byteCount))
                    do throws(HubError) { try file.truncate(to: 0) } catch { throw .lasting(error) }
                    throw .passing(reason: "the server cannot go on at byte \(start)", pause: 0)
                }
                if count < byteCount {
                    throw .passing(reason: "the answer ended after \(count) of \(byteCount) bytes", pause: nil)
                }
            }
            if byteCount == 0 { break }
        }
        try file.synchronize()
        return hasher.finish()
    }

    /// Why the answer cannot be the file from byte `start` on; nil: it can.
    private func objection(to answer: HTTPAnswer, _ start: Int) -> String? {
        if answer.fields["content-type"]?.lowercased().hasPrefix("text/html") == true, !path.hasSuffix(".html") {
            return "it is a web page; does the network need a login?"
        }
        guard answer.status == 206 else { return nil }
        let range = answer.fields["content-range"] ?? ""
        guard range.hasPrefix("bytes \(start)-"), range.hasSuffix("/\(byteCount)") || range.hasSuffix("/*") else {
            return "expected bytes \(start)- of \(byteCount), found \"\(range.visible)\""
        }
        return nil
    }
}

extension BlobDigest {
    /// The name of the function.
    fileprivate var name: String {
        switch self {
        case .sha256: "SHA-256"
        case .gitBlob: "git's SHA-1"
        }
    }
}
