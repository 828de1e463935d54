/// Lines over a common pair of axes, as one SVG element; colours come from the page's style.
public struct LineChart: Chart {
    /// One line.
    public struct Series {
        let name: String
        let points: [(x: Double, y: Double)]

        /// The line through `points`, called `name` in the legend.
        public init(name: String, points: [(x: Double, y: Double)]) {
            self.name = name
            self.points = points
        }
    }

    private static let (width, height) = (640.0, 300.0)
    private static let (left, right, top, bottom) = (64.0, 12.0, 12.0, 44.0)

    public let title: String
    private let xLabel: String
    private let yLabel: String
    private let series: [Series]
    private let isLogarithmic: Bool
    private let yLimit: Double?

    /// A chart of `series`. `isLogarithmic`: equal ratios along x take equal lengths, and x of 0 and less is left out.
    /// `yLimit` is where y ends; the largest value if nil.
    public init(
        title: String, xLabel: String, yLabel: String, series: [Series], isLogarithmic: Bool = false,
        yLimit: Double? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
        self.isLogarithmic = isLogarithmic
        self.yLimit = yLimit
    }

    /// As wide and high as every line chart.
    public var size: (width: Int, height: Int) { (Int(Self.width), Int(Self.height)) }
    /// The lines' names.
    public var legend: [String] { series.map { $0.points.isEmpty ? "" : $0.name } }

    /// Grid, lines and labels.
    public var content: String {
        let (width, height) = size
        guard !points.isEmpty else {
            return "<text class=\"label\" x=\"\(width / 2)\" y=\"\(height / 2)\">nothing to show</text>"
        }
        return """
            \(grid)\(lines)
            <text class="label" x="\(width / 2)" y="\(height - 6)">\(HTML.escaped(xLabel))</text>
            <text class="label" transform="translate(12 \(height / 2)) rotate(-90)">\(HTML.escaped(yLabel))</text>
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

    private func scaled(_ x: Double) -> Double { isLogarithmic ? Logarithm.base10(max(x, AxisTicks.least)) : x }

    private func position(of point: (x: Double, y: Double), in range: ClosedRange<Double>) -> (x: Double, y: Double) {
        let share = (scaled(point.x) - range.lowerBound) / (range.upperBound - range.lowerBound)
        let width = Self.width - Self.left - Self.right
        let height = Self.height - Self.top - Self.bottom
        return (Self.left + share * width, Self.top + (1 - min(point.y / yMaximum, 1)) * height)
    }

    private var lines: String {
        let range = xRange
        return series.enumerated().map { index, line in
            let path = line.points.filter { !isLogarithmic || $0.x > 0 }.map { point in
                let position = self.position(of: point, in: range)
                return "\(Numeral.fixed(position.x, places: 1)),\(Numeral.fixed(position.y, places: 1))"
            }
            return "<polyline class=\"s\(index % 8)\" points=\"\(path.joined(separator: " "))\"/>"
        }.joined()
    }

    private var grid: String {
        var marks = ""
        let range = xRange
        for value in yTicks {
            let y = Numeral.fixed(position(of: (xValues.lowerBound, value), in: range).y, places: 1)
            marks += "<line x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(y)\" y2=\"\(y)\"/>"
            marks += "<text class=\"y\" x=\"\(Self.left - 6)\" y=\"\(y)\">\(Numeral.short(value))</text>"
        }
        let ticks =
            isLogarithmic ? AxisTicks.logarithmic(within: xValues) : AxisTicks.linear(to: xValues.upperBound)
        for value in ticks where xValues.contains(value) {
            let x = Numeral.fixed(position(of: (value, 0), in: range).x, places: 1)
            let y = Self.height - Self.bottom + 16
            marks += "<text class=\"x\" x=\"\(x)\" y=\"\(y)\">\(Numeral.short(value))</text>"
        }
        return marks
    }
}
