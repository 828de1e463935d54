import CLibrary
import Testing

@testable import ModelHub

/// A cache in a folder of its own, which is removed at the end.
final class HubCacheTests {
    private let folder: String
    private let commit = "0123456789abcdef0123456789abcdef01234567"

    init() throws {
        var template = Array("/tmp/quire-hub-XXXXXX\0".utf8CString)
        folder = try #require(
            template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }.map { String(cString: $0) })
    }

    deinit {
        system("rm -rf '\(folder)'")
    }

    private func store(_ files: [String], _ model: ModelReference, writesReference: Bool = true) throws -> HubCache {
        let cache = HubCache(directory: folder)
        let target = CacheFolder(cache, model)
        try target.create()
        for (index, file) in files.enumerated() {
            let digest = BlobDigest.gitBlob(String(repeating: String(index, radix: 16), count: 40))
            try DiskFile.write(file, to: target.blob(digest))
            try target.link(file, in: commit, to: digest)
            // Again, as a second pull does.
            try target.link(file, in: commit, to: digest)
        }
        if writesReference { try target.writeReference(model, commit: commit) }
        return cache
    }

    @Test("the layout is huggingface_hub's")
    func layout() throws {
        let model = try ModelReference("org/name:refs/pr/1")
        _ = try store(["config.json", "sub/x.json"], model)
        let root = "\(folder)/models--org--name"
        #expect(DiskFile.text(of: "\(root)/refs/refs/pr/1", maximumByteCount: 100) == commit)
        #expect(
            DiskFile.linkTarget("\(root)/snapshots/\(commit)/config.json") == "../../blobs/"
                + String(repeating: "0", count: 40))
        #expect(
            DiskFile.linkTarget("\(root)/snapshots/\(commit)/sub/x.json") == "../../../blobs/"
                + String(repeating: "1", count: 40))
        #expect(DiskFile.text(of: "\(root)/snapshots/\(commit)/sub/x.json", maximumByteCount: 100) == "sub/x.json")
        #expect(DiskFile.exists("\(folder)/.locks/models--org--name"))
    }

    @Test("a model is found by branch and by commit, and only when its revision was written")
    func lookup() throws {
        let model = try ModelReference("org/name")
        let cache = try store(["config.json", "model.safetensors"], model, writesReference: false)
        let snapshot = "\(folder)/models--org--name/snapshots/\(commit)"
        #expect(try cache.model(model) == nil)
        #expect(try cache.model(try ModelReference("org/name:\(commit)")) == snapshot)
        try CacheFolder(cache, model).writeReference(model, commit: commit)
        #expect(try cache.model(model) == snapshot)
        #expect(try cache.model(try ModelReference("org/other")) == nil)
        #expect(HubCache.modelName(ofSnapshot: snapshot) == "name")
        #expect(HubCache.modelName(ofSnapshot: "\(snapshot)/x.gguf") == nil)
    }

    @Test("a snapshot with one GGUF model is that model, with several it is an error that lists them")
    func gguf() throws {
        let model = try ModelReference("org/name")
        let cache = try store(["x-00001-of-00002.gguf", "x-00002-of-00002.gguf", "mmproj-x.gguf"], model)
        #expect(try cache.model(model)?.hasSuffix("\(commit)/x-00001-of-00002.gguf") == true)
        _ = try store(["y/z.gguf"], model)
        let error = #expect(throws: HubError.self) { try cache.model(model) }
        #expect(error?.description.contains("\(commit)/y/z.gguf") == true)
    }

    @Test("a reference that leaves the cache is not followed")
    func hostileReference() throws {
        let model = try ModelReference("org/name")
        let cache = try store(["config.json", "model.safetensors"], model)
        try DiskFile.write("../../../../etc", to: "\(folder)/models--org--name/refs/main")
        #expect(try cache.model(model) == nil)
    }
}
