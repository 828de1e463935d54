/// A drawing over numbers, as SVG; its colours come from the style around it.
public protocol Chart {
    var title: String { get }
    /// Of the drawing, without title and legend.
    var size: (width: Int, height: Int) { get }
    /// SVG elements.
    var content: String { get }
    /// Names of the series, in the order of their colours, "" for one that is not drawn; empty where the drawing names
    /// them itself.
    var legend: [String] { get }
}

extension Chart {
    /// The drawing with its title and legend, for a page.
    public var figure: String {
        let names = legend.enumerated().filter { !$0.element.isEmpty }.map { index, name in
            "<span class=\"key\"><b class=\"s\(index % 8)\">\u{2501}</b> \(HTML.escaped(name))</span>"
        }.joined(separator: " ")
        return """
            <figure><figcaption>\(HTML.escaped(title))</figcaption>
            <svg viewBox="0 0 \(size.width) \(size.height)" role="img" aria-label="\(HTML.escaped(title))">
            \(content)
            </svg>\(names.isEmpty ? "" : "<div class=\"legend\">\(names)</div>")</figure>
            """
    }
}
