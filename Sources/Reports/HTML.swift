/// Text inside HTML.
public enum HTML {
    /// `text` with everything escaped that could be taken for markup.
    public static func escaped(_ text: String) -> String {
        // Scalars, as what a browser takes for markup may be a part of a character: a sign that goes before the next one
        // is one character with it.
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;".unicodeScalars
            case "<": result += "&lt;".unicodeScalars
            case ">": result += "&gt;".unicodeScalars
            case "\"": result += "&quot;".unicodeScalars
            default: result.append(scalar)
            }
        }
        return String(result)
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
