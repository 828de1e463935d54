/// Lines over a common pair of axes, as one SVG element; colours come from the page's style.
struct LineChart {
    /// One line.
    struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
    }

    private static let (width, height) = (640.0, 300.0)
    private static let (left, right, top, bottom) = (64.0, 12.0, 12.0, 44.0)

    let title: String
    let xLabel: String
    let yLabel: String
    let series: [Series]
    /// Whether equal ratios along x take equal lengths.
    var isLogarithmic = false
    /// Where y ends; the largest value if nil.
    var yLimit: Double?

    /// The figure with its title and legend.
    var figure: String {
        let (width, height) = (Int(Self.width), Int(Self.height))
        let legend = series.enumerated().map { index, line in
            "<span class=\"key s\(index % 8)\">\(HTML.escaped(line.name))</span>"
        }.joined(separator: " ")
        return """
            <figure><figcaption>\(HTML.escaped(title))</figcaption>
            <svg viewBox="0 0 \(width) \(height)" role="img" aria-label="\(HTML.escaped(title))">
            \(grid)\(lines)
            <text class="label" x="\(width / 2)" y="\(height - 6)">\(HTML.escaped(xLabel))</text>
            <text class="label" transform="translate(12 \(height / 2)) rotate(-90)">\(HTML.escaped(yLabel))</text>
            </svg><div class="legend">\(legend)</div></figure>
            """
    }

    private var points: [(x: Double, y: Double)] {
        series.flatMap(\.points).filter { !isLogarithmic || $0.x > 0 }
    }

    private var yTicks: [Double] { AxisTicks.linear(to: yLimit ?? (points.map(\.y).max() ?? 1)) }
    private var yMaximum: Double { yTicks[yTicks.count - 1] }

    private var xValues: ClosedRange<Double> {
        let values = points.map(\.x)
        guard let least = values.min(), let most = values.max() else { return 0...1 }
        return least...max(most, least + 1e-6)
    }

    private var xRange: ClosedRange<Double> { scaled(xValues.lowerBound)...scaled(xValues.upperBound) }

    private func scaled(_ x: Double) -> Double { isLogarithmic ? Logarithm.base10(max(x, 1e-6)) : x }

    private func place(_ point: (x: Double, y: Double), in range: ClosedRange<Double>) -> (x: Double, y: Double) {
        let share = (scaled(point.x) - range.lowerBound) / (range.upperBound - range.lowerBound)
        let width = Self.width - Self.left - Self.right
        let height = Self.height - Self.top - Self.bottom
        return (Self.left + share * width, Self.top + (1 - min(point.y / yMaximum, 1)) * height)
    }

    private var lines: String {
        let range = xRange
        return series.enumerated().map { index, line in
            let path = line.points.filter { !isLogarithmic || $0.x > 0 }.map { point in
                let place = place(point, in: range)
                return "\(Decimal.text(place.x, places: 1)),\(Decimal.text(place.y, places: 1))"
            }
            return "<polyline class=\"s\(index % 8)\" points=\"\(path.joined(separator: " "))\"/>"
        }.joined()
    }

    private var grid: String {
        var marks = ""
        let range = xRange
        for value in yTicks {
            let y = Decimal.text(place((xValues.lowerBound, value), in: range).y, places: 1)
            marks += "<line x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(y)\" y2=\"\(y)\"/>"
            marks += "<text class=\"y\" x=\"\(Self.left - 6)\" y=\"\(y)\">\(Decimal.short(value))</text>"
        }
        let ticks =
            isLogarithmic ? AxisTicks.logarithmic(within: xValues) : AxisTicks.linear(to: xValues.upperBound)
        for value in ticks where xValues.contains(value) {
            let x = Decimal.text(place((value, 0), in: range).x, places: 1)
            let y = Self.height - Self.bottom + 16
            marks += "<text class=\"x\" x=\"\(x)\" y=\"\(y)\">\(Decimal.short(value))</text>"
        }
        return marks
    }
}
