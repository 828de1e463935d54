/// Text inside HTML.
public enum HTML {
    /// `text` with everything escaped that could be taken for markup.
    public static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }

    /// A table of `rows`, the first of them its head.
    public static func table(_ rows: [[String]]) -> String {
        "<table>"
            + rows.enumerated().map { index, row in
                let cell = index == 0 ? "th" : "td"
                return "<tr>" + row.map { "<\(cell)>\(escaped($0))</\(cell)>" }.joined() + "</tr>"
            }.joined() + "</table>"
    }
}
