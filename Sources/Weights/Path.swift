extension String {
    /// This path with `name` behind it.
    func appendingPath(_ name: String) -> String {
        isEmpty || hasSuffix("/") ? self + name : self + "/" + name
    }

    /// The directory that holds this path: "." when the path has no slash.
    var directoryPath: String {
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }

    /// What follows this path's last slash.
    var lastPathPart: String { split(separator: "/").last.map { String($0) } ?? self }
}
