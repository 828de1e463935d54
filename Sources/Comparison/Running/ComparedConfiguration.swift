/// One of the configurations that are compared.
public struct ComparedConfiguration: Sendable {
    /// What reports call it; no two of a comparison are called the same.
    public let name: String
    public let path: String
    /// What its results depend on, by name, each as a digest or a text: its settings, its model.
    public var dependencies: [String: String] = [:]
    /// Why it cannot be measured at all.
    public var failure: PartOutcome.Failure?

    /// A configuration that can be measured, as far as is known.
    public init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// A short name for each path: the file's, without `.yaml`, or the path where that is not enough; the second
    /// occurrence of a path ends in `#2`.
    public static func names(of paths: [String]) -> [String] {
        func short(_ path: String) -> String {
            let last = path.split(separator: "/").last.map { String($0) } ?? path
            for ending in [".yaml", ".yml"] where last.hasSuffix(ending) && last.count > ending.count {
                return String(last.dropLast(ending.count))
            }
            return last
        }
        var pathsOfNames: [String: Set<String>] = [:]
        for path in paths { pathsOfNames[short(path), default: []].insert(path) }
        var occurrences: [String: Int] = [:]
        return paths.map { path in
            occurrences[path, default: 0] += 1
            let name = pathsOfNames[short(path)]?.count == 1 ? short(path) : path
            let number = occurrences[path] ?? 1
            return number == 1 ? name : "\(name)#\(number)"
        }
    }

    /// A name for a file of its results: readable, and different for different names.
    var fileName: String {
        let letters = name.suffix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }
        return String(letters) + "-" + Digest.text(of: "\(path)\n\(name)").prefix(8)
    }
}
