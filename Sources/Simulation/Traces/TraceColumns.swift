/// Which of a trace's columns means what: our names, BurstGPT's (Timestamp, Request tokens, Response tokens) and
/// Azure's (TIMESTAMP, ContextTokens, GeneratedTokens).
enum TraceColumns {
    /// What a request may have, with every name that it goes by, in lower case without spaces and underscores.
    static let names: [(column: Column, names: [String])] = [
        (.arrival, ["arrival", "arrivalseconds", "timestamp", "arrivaltime", "arrivedat"]),
        (.prompt, ["prompt", "prompttokens", "requesttokens", "contexttokens", "inputlength", "promptcount"]),
        (.output, ["output", "outputtokens", "responsetokens", "generatedtokens", "outputlength", "completiontokens"]),
        (.tenant, ["tenant", "user", "userid", "sessionid", "client"]),
        (.priority, ["priority"]),
        (.prefix, ["prefix", "prefixid"]),
        (.prefixTokens, ["prefixtokens", "prefixcount", "prefixlength"]),
        (.deadline, ["deadlinems"]),
    ]

    enum Column: String { case arrival, prompt, output, tenant, priority, prefix, prefixTokens, deadline }

    /// What the column of that name means; nil for one that we have no use for.
    static func column(named name: String) -> Column? {
        let plain = name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "\u{FEFF}" }
        return names.first { $0.names.contains(plain) }?.column
    }
}
