import FoundationEssentials
import JSON

extension ByteLevelBPETokenizer {
    /// The tokenizer of a `tokenizer.json` file, and of tokens that other files of the model name.
    ///
    /// - Throws: `TokenizationError`: the file cannot be read, is not JSON, or asks for what is not supported.
    public init(tokenizerJSONPath path: String, adding tokens: [NamedToken] = []) throws(TokenizationError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw .unreadable(file: path, reason: "there is no such file, or it cannot be read")
        }
        try self.init(tokenizerJSON: data, adding: tokens, file: path)
    }

    /// The tokenizer of the contents of a `tokenizer.json` file, and of tokens that other files of the model name; `file`
    /// names it in errors.
    ///
    /// - Throws: `TokenizationError`: not JSON, or something in it is not supported.
    public init(
        tokenizerJSON json: some Sequence<UInt8>, adding tokens: [NamedToken] = [], file: String = "tokenizer.json"
    ) throws(TokenizationError) {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONParser.parse(Array(json))
        } catch {
            throw .malformedJSON(file: file, reason: "byte \(error.byteOffset): \(error.problem)")
        }
        self.init(try TokenizerFile(JSONNode(root, file: file)).parts(adding: tokens))
    }
}
