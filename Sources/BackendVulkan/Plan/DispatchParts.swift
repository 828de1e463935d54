import SharedValues

/// Splits the workgroups of a dispatch into parts for separate submissions: whole rows of workgroups where there are enough.
struct DispatchParts {
    private let columnCount: Int
    private let rowCount: Int
    private let columnsEach: Int
    private let rowsEach: Int

    /// At least `count` parts of about one size, as far as there are workgroups.
    init(columnCount: Int, rowCount: Int, count: Int) {
        self.columnCount = columnCount
        self.rowCount = rowCount
        rowsEach = max(1, rowCount / max(1, count))
        let columnParts = count.dividedUp(by: max(1, rowCount.dividedUp(by: rowsEach)))
        columnsEach = max(1, columnCount / max(1, columnParts))
    }

    /// Calls `body` with each part: its workgroups along the first axis, and along the second.
    func forEach<Failure>(_ body: (Range<Int>, Range<Int>) throws(Failure) -> Void) throws(Failure) {
        var row = 0
        while row < rowCount {
            let rows = row..<min(row + rowsEach, rowCount)
            var column = 0
            while column < columnCount {
                let columns = column..<min(column + columnsEach, columnCount)
                try body(columns, rows)
                column = columns.upperBound
            }
            row = rows.upperBound
        }
    }
}
