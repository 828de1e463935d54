/// The path of one part of a GGUF file that was split, `NAME-00001-of-00003.gguf`, as llama.cpp's `gguf-split` names them.
///
/// ```swift
/// SplitFileName("m-00001-of-00003.gguf")?.path(ofPart: 3)  // m-00003-of-00003.gguf
/// ```
public struct SplitFileName: Sendable, Hashable {
    /// The path without number and ending.
    public let stem: String
    /// From 1 to `count`.
    public let number: Int
    /// Parts of the file, at most 99,999.
    public let count: Int

    /// Nil: `path` is no part of a file.
    public init?(_ path: String) {
        guard path.lowercased().hasSuffix(".gguf") else { return nil }
        let name = path.dropLast(".gguf".count)
        let numbers = name.suffix(15)
        guard numbers.count == 15, numbers.hasPrefix("-"), numbers.dropFirst(6).hasPrefix("-of-"),
            let number = Int(numbers.dropFirst().prefix(5)), let count = Int(numbers.suffix(5)),
            (1...max(count, 1)).contains(number)
        else { return nil }
        (stem, self.number, self.count) = (String(name.dropLast(15)), number, count)
    }

    /// The path of part `number`, from 1.
    public func path(ofPart number: Int) -> String { Self.path(stem, part: number, of: count) }

    /// The path of part `number`, from 1, of `count`.
    public static func path(_ stem: String, part number: Int, of count: Int) -> String {
        "\(stem)-\(fiveDigits(number))-of-\(fiveDigits(count)).gguf"
    }

    private static func fiveDigits(_ number: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
