/// What a path in a configuration is relative to.
struct PathContext: Sendable {
    /// What `~` stands for, if the caller knows.
    var homeDirectory: String?
    /// The folder of the configuration file; empty for the current directory.
    var folder: String

    init(homeDirectory: String?, folder: String) {
        self.homeDirectory = homeDirectory
        self.folder = folder
    }

    /// For values of a file: relative paths start at the file's own folder.
    init(homeDirectory: String?, file: String) {
        let end = file.lastIndex(of: "/")
        self.init(homeDirectory: homeDirectory, folder: end.map { String(file[...$0]) } ?? "")
    }

    /// The path with `~` and the folder put in front; nil when there is a `~` that cannot be expanded.
    func resolve(_ path: String) -> String? {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/") {
            guard let homeDirectory else { return nil }
            return (homeDirectory.hasSuffix("/") ? String(homeDirectory.dropLast()) : homeDirectory) + path.dropFirst()
        }
        var rest = Substring(path)
        while !folder.isEmpty, rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return folder + rest
    }
}
