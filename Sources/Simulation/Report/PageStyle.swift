/// How the comparison looks; colours of lines are Okabe and Ito's, which colour-blind readers can tell apart.
enum PageStyle {
    static let css = """
        :root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fdfdfc; --faint: #8884; --other: #666; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --paper: #161618; --other: #aaa; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
          max-width: 86rem; padding: 0 1rem; }
        main { display: grid; grid-template-columns: repeat(auto-fit, minmax(30rem, 1fr)); gap: 1.5rem; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
        th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; }
        figure { margin: 0; } figcaption { font-weight: 600; }
        svg { width: 100%; height: auto; }
        svg line { stroke: var(--faint); } svg text { fill: var(--other); font-size: 11px; }
        svg text.y { text-anchor: end; dominant-baseline: middle; } svg text.x, svg text.label { text-anchor: middle; }
        polyline { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; }
        .legend { color: var(--other); } .key { margin-right: .8rem; }
        .key::before { content: "\\2501 "; font-weight: 700; }
        .s0 { color: #0072b2; } .s1 { color: #e69f00; } .s2 { color: #009e73; } .s3 { color: #d55e00; }
        .s4 { color: #cc79a7; } .s5 { color: #56b4e9; } .s6 { color: #8c8c00; } .s7 { color: var(--ink); }
        """
}
