/// Bars that grow to the right, in groups, each with its number; as one SVG element.
public struct BarChart: Chart {
    /// One number, or what stands for a missing one.
    public struct Bar: Sendable {
        let value: Double?
        let error: Double
        let label: String

        /// A bar of length `value` with a whisker of `error` to both sides; `label` is written beside it. Without a
        /// value there is only the label.
        public init(_ value: Double?, error: Double = 0, label: String) {
            self.value = value.flatMap { $0.isFinite ? $0 : nil }
            self.error = error.isFinite ? error : 0
            self.label = label
        }
    }

    /// Bars that belong together, one for each series.
    public struct Group: Sendable {
        let name: String
        let bars: [Bar]

        /// `bars` in the order of the series.
        public init(name: String, bars: [Bar]) {
            self.name = name
            self.bars = bars
        }
    }

    private static let width = 640.0
    private static let (barHeight, barGap, groupGap) = (16.0, 4.0, 10.0)
    private static let (top, bottom) = (6.0, 24.0)
    /// About the width of a character at the page's size of text.
    private static let characterWidth = 6.4
    private static let longestName = 26

    public let title: String
    private let series: [String]
    private let groups: [Group]

    /// A chart of `groups`, whose bars are those of `series`, in order. A single group has no name of its own: its bars
    /// are named instead, and there is no legend.
    public init(title: String, series: [String], groups: [Group]) {
        self.title = title
        self.series = series
        self.groups = groups
    }

    /// As high as its bars.
    public var size: (width: Int, height: Int) { (Int(Self.width), Int(bottomOfBars + Self.bottom)) }
    /// The series' names, unless each bar has its own.
    public var legend: [String] { groups.count > 1 ? series : [] }

    /// Grid, bars, names and numbers.
    public var content: String {
        var text = grid
        var y = Self.top
        for group in groups {
            if groups.count > 1 {
                let middle = y + (Double(group.bars.count) * (Self.barHeight + Self.barGap) - Self.barGap) / 2
                text += name(group.name, at: middle)
            }
            for (index, bar) in group.bars.enumerated() {
                if groups.count == 1 { text += name(series[index], at: y + Self.barHeight / 2) }
                text += drawing(of: bar, series: index, y: y)
                y += Self.barHeight + Self.barGap
            }
            y += Self.groupGap
        }
        return text
    }

    private var bottomOfBars: Double {
        groups.reduce(Self.top) { $0 + Double($1.bars.count) * (Self.barHeight + Self.barGap) + Self.groupGap }
    }

    private var left: Double {
        let names = groups.count > 1 ? groups.map(\.name) : series
        return Double(names.map { min($0.count, Self.longestName) }.max() ?? 0) * Self.characterWidth + 14
    }

    private var right: Double {
        Double(groups.flatMap(\.bars).map(\.label.count).max() ?? 0) * Self.characterWidth + 10
    }

    private var ticks: [Double] {
        AxisTicks.linear(to: groups.flatMap(\.bars).map { ($0.value ?? 0) + $0.error }.max() ?? 1)
    }

    private func x(_ value: Double) -> Double {
        let most = ticks[ticks.count - 1]
        return left + min(max(value / most, 0), 1) * (Self.width - left - right)
    }

    private func name(_ text: String, at y: Double) -> String {
        let short = text.count > Self.longestName ? "…" + text.suffix(Self.longestName - 1) : text
        return "<text class=\"y\" x=\"\(Self.coordinate(left - 8))\" y=\"\(Self.coordinate(y))\">"
            + "\(HTML.escaped(short))</text>"
    }

    private func drawing(of bar: Bar, series index: Int, y: Double) -> String {
        let middle = Self.coordinate(y + Self.barHeight / 2)
        var (text, end) = ("", left)
        if let value = bar.value {
            end = x(value)
            text =
                "<rect class=\"s\(index % 8)\" x=\"\(Self.coordinate(left))\" y=\"\(Self.coordinate(y))\" "
                + "width=\"\(Self.coordinate(max(end - left, 1)))\" height=\"\(Int(Self.barHeight))\"/>"
            if bar.error > 0 {
                let (from, to) = (x(value - bar.error), x(value + bar.error))
                text +=
                    "<line class=\"whisker\" x1=\"\(Self.coordinate(from))\" x2=\"\(Self.coordinate(to))\" "
                    + "y1=\"\(middle)\" y2=\"\(middle)\"/>"
                end = to
            }
        }
        return text + "<text class=\"value\" x=\"\(Self.coordinate(end + 6))\" y=\"\(middle)\">"
            + "\(HTML.escaped(bar.label))</text>"
    }

    private var grid: String {
        let bottom = Self.coordinate(bottomOfBars)
        return ticks.map { value in
            let x = Self.coordinate(x(value))
            return "<line x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Int(Self.top))\" y2=\"\(bottom)\"/>"
                + "<text class=\"x\" x=\"\(x)\" y=\"\(Self.coordinate(bottomOfBars + 16))\">"
                + "\(Numeral.short(value))</text>"
        }.joined()
    }

    private static func coordinate(_ value: Double) -> String { Numeral.fixed(value, places: 1) }
}
