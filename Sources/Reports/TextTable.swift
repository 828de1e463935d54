/// Rows of cells, aligned for a terminal.
public struct TextTable {
    private let rows: [[String]]
    private let leadingColumns: Int

    /// The first `leadingColumns` columns begin together, the others end together.
    public init(_ rows: [[String]], leadingColumns: Int = 1) {
        self.rows = rows
        self.leadingColumns = leadingColumns
    }

    /// One line for each row.
    public var text: String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < leadingColumns ? cell + padding : padding + cell
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
