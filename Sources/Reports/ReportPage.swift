/// A report as one HTML page that needs nothing else: no network, no scripts, light and dark.
public struct ReportPage {
    private let title: String
    private let description: String
    private var sections: [String] = []

    /// A page without a section yet; both texts are escaped.
    public init(title: String, description: String) {
        self.title = title
        self.description = description
    }

    /// Adds HTML that may be wider than the page.
    public mutating func append(wide html: String) {
        sections.append("<div class=\"wide\">\(html)</div>")
    }

    /// Adds HTML without escaping it.
    public mutating func append(_ html: String) {
        sections.append(html)
    }

    /// Adds a heading; escaped.
    public mutating func append(heading: String) {
        sections.append("<h2>\(HTML.escaped(heading))</h2>")
    }

    /// Adds charts, beside each other where there is room.
    public mutating func append(_ charts: [any Chart]) {
        sections.append("<div class=\"charts\">\(charts.map(\.figure).joined(separator: "\n"))</div>")
    }

    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTML.escaped(title))</title>
        <style>\(PageStyle.page)</style></head>
        <body><main><h1>\(HTML.escaped(title))</h1>
        <p>\(HTML.escaped(description))</p>
        \(sections.joined(separator: "\n"))
        </main></body></html>

        """
    }
}
