/// The style sheets of reports. The colours of series are Okabe and Ito's, which colour-blind readers can distinguish.
enum PageStyle {
    /// For a page with charts.
    static let page =
        colours + """
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
              max-width: 86rem; padding: 0 1rem; }
            .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.5rem; }
            .wide { overflow-x: auto; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
            th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
            th:first-child, td:first-child { text-align: left; }
            table.texts { table-layout: fixed; width: 100%; min-width: 44rem; }
            table.texts th, table.texts td { text-align: left; vertical-align: top; white-space: pre-wrap;
              overflow-wrap: anywhere; }
            mark { background: var(--mark); color: inherit; }
            figure { margin: 0; } figcaption { font-weight: 600; }
            svg { width: 100%; height: auto; }
            .legend { color: var(--other); } .key { margin-right: .8rem; }

            """ + drawing

    /// For an SVG file of its own.
    static func picture(_ appearance: ChartSheet.Appearance) -> String {
        let palette =
            switch appearance {
            case .automatic: colours
            case .light: ":root { color-scheme: light; \(light) }\n"
            case .dark: ":root { color-scheme: dark; \(dark) }\n"
            }
        return palette + picture
    }

    private static let picture = """
        svg { font-family: system-ui, sans-serif; } .paper { fill: var(--paper); }
        svg text.title, svg text.caption { fill: var(--ink); font-weight: 600; font-size: 13px; }
        svg text.title { font-size: 15px; } svg text.key { font-size: 12px; }

        """ + drawing

    private static let light =
        "--ink: #1a1a1a; --paper: #fdfdfc; --faint: #8884; --other: #555; --mark: #ffe08a; --blue: #0072b2;"
    private static let dark =
        "--ink: #e6e6e3; --paper: #161618; --faint: #8884; --other: #b4b4b0; --mark: #6b5200; --blue: #3d9ad6;"
    private static let colours = """
        :root { color-scheme: light dark; \(light) }
        @media (prefers-color-scheme: dark) { :root { \(dark) } }

        """

    private static let drawing = """
        svg line { stroke: var(--faint); } svg text { fill: var(--other); font-size: 11px; }
        svg text.y { text-anchor: end; dominant-baseline: middle; } svg text.x, svg text.label { text-anchor: middle; }
        svg text.value { dominant-baseline: middle; fill: var(--ink); }
        svg rect { fill: currentColor; } svg line.whisker { stroke: var(--ink); stroke-width: 1.5; }
        polyline { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; }
        .s0 { color: var(--blue); } .s1 { color: #e69f00; } .s2 { color: #009e73; } .s3 { color: #d55e00; }
        .s4 { color: #cc79a7; } .s5 { color: #56b4e9; } .s6 { color: #8c8c00; } .s7 { color: var(--ink); }
        """
}
