import FoundationEssentials
import JSON

/// What every configuration is measured with: a text whose next tokens are predicted, and prompts that are continued.
public struct ComparisonInputs: Sendable, Hashable, Codable {
    /// What a report calls the text.
    public let textName: String
    public let text: String
    /// What a report calls the prompts.
    public let promptsName: String
    public let prompts: [String]

    /// The largest file that is read.
    static let maxByteCount = 64 << 20

    /// The files' content; Quire's own where a path is nil. Prompts are one a line, or, in a file that ends in `.jsonl`,
    /// objects with a string `prompt`, one a line; lines without text are skipped. Throws
    /// `ComparisonError.input`, which names file and line.
    public init(textFile: String?, promptsFile: String?) throws(ComparisonError) {
        if let textFile {
            textName = textFile
            text = try Self.read(textFile)
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .input(file: textFile, line: nil, reason: "the text is empty")
            }
        } else {
            textName = "the text that comes with Quire"
            text = String(decoding: PackageResources.text_txt, as: UTF8.self)
        }
        if let promptsFile {
            promptsName = promptsFile
            prompts = try Self.prompts(in: try Self.read(promptsFile), file: promptsFile)
        } else {
            promptsName = "the prompts that come with Quire"
            prompts = String(decoding: PackageResources.prompts_txt, as: UTF8.self).split(separator: "\n").map {
                String($0)
            }
        }
    }

    /// The prompts in `content`. Throws where a line is not one, and where there is none.
    static func prompts(in content: String, file: String) throws(ComparisonError) -> [String] {
        var prompts: [String] = []
        let isJSON = file.lowercased().hasSuffix(".jsonl")
        // Only at line feeds: other line separators may be part of a JSON string.
        let lines = content.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, part) in lines.enumerated() {
            let line = Substring(part.last == "\r" ? part.dropLast() : part)
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            prompts.append(isJSON ? try prompt(inJSON: line, file: file, line: index + 1) : String(line))
        }
        guard !prompts.isEmpty else { throw .input(file: file, line: nil, reason: "there is no prompt in it") }
        return prompts
    }

    private static func prompt(
        inJSON text: Substring, file: String, line: Int
    ) throws(ComparisonError) -> String {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(Array(text.utf8)) } catch {
            throw .input(file: file, line: line, reason: error.description)
        }
        guard case .object(let object) = value else {
            throw .input(file: file, line: line, reason: "expected an object with \"prompt\", found \(value.summary)")
        }
        guard let prompt = object["prompt"] else {
            throw .input(file: file, line: line, reason: "the object has no \"prompt\"")
        }
        guard case .string(let string) = prompt else {
            throw .input(file: file, line: line, reason: "prompt: expected a string, found \(prompt.summary)")
        }
        guard !string.isEmpty else { throw .input(file: file, line: line, reason: "prompt: the string is empty") }
        return string
    }

    private static func read(_ path: String) throws(ComparisonError) -> String {
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? UInt64
        guard size.map({ $0 <= maxByteCount }) ?? true else {
            throw .input(file: path, line: nil, reason: "larger than \(maxByteCount >> 20) MiB")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .input(file: path, line: nil, reason: "cannot be read")
        }
        if let text = String(validating: data, as: UTF8.self) { return text }
        // The line of the first invalid byte.
        let line = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).firstIndex {
            String(validating: $0, as: UTF8.self) == nil
        }
        throw .input(file: path, line: line.map { $0 + 1 }, reason: "not UTF-8")
    }

    /// A digest of the text alone.
    var textDigest: String { Digest.text(of: text) }
    /// A digest of the prompts alone.
    var promptsDigest: String { Digest.text(of: prompts.map { "\($0.utf8.count):\($0)" }.joined()) }
}
