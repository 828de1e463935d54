import CQuirePlugin
import Scheduling

/// A library's functions, checked and copied. Of a table longer than this quire knows, the known part is used.
struct PolicyTable: @unchecked Sendable {
    // Sendable: the table is a copy that is never written; its pointers lead into a library that stays loaded, and its
    // functions may be called from any thread, one for each state. C pointers hide that from the compiler.
    let name: String
    let functions: quire_policy

    init(_ table: UnsafeRawPointer, path: String) throws(PluginError) {
        let abi = table.load(as: UInt32.self)
        guard abi == PluginLibrary.supportedABI else {
            throw .otherABI(path: path, found: abi, supported: PluginLibrary.supportedABI)
        }
        let byteCount = Int(table.load(fromByteOffset: 4, as: UInt32.self))
        // Everything that the first version of ABI 1 had must be there.
        guard byteCount >= MemoryLayout<quire_policy>.size else {
            throw .invalidTable(
                path: path,
                reason: "expected struct_size of at least \(MemoryLayout<quire_policy>.size), found \(byteCount)")
        }
        functions = table.load(as: quire_policy.self)
        guard let pointer = functions.name, let name = Self.name(pointer) else {
            throw .invalidTable(
                path: path, reason: "expected a name of 1 to 64 letters, digits, '_', '-' and '.'")
        }
        self.name = name
    }

    /// The text at `pointer` if it can be a policy's name; garbage is not read far.
    private static func name(_ pointer: UnsafePointer<CChar>) -> String? {
        var bytes: [UInt8] = []
        while bytes.count <= 64, pointer[bytes.count] != 0 { bytes.append(UInt8(bitPattern: pointer[bytes.count])) }
        let isName = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isName && (1...64).contains(bytes.count) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// Whether the library has a function for this decision or event; the default decides where it has none.
    func answers(_ decision: PolicyDecision) -> Bool {
        switch decision {
        case .queuePosition: functions.place != nil
        case .decide: functions.decide != nil
        case .share: functions.share != nil
        case .victimRanks: functions.victim_ranks != nil
        case .preempts: functions.preempts != nil
        case .preemptionMode: functions.preemption_mode != nil
        case .arrived: functions.arrived != nil
        case .admitted: functions.admitted != nil
        case .progressed: functions.progressed != nil
        case .ended: functions.ended != nil
        case .lookahead, .wantsCachedCounts: false
        }
    }
}

/// What a policy needs to see when it decides.
struct PolicySettings: Sendable {
    let lookahead: Int
    let wantsCachedCounts: Bool

    init(_ settings: quire_settings, policy: String) throws(PluginError) {
        let unknown = settings.flags & ~UInt32(QUIRE_WANTS_CACHED_TOKENS)
        guard unknown == 0 else { throw .nonsense(policy: policy, reason: "unknown flags \(unknown)") }
        lookahead = max(Int(settings.lookahead), 1)
        wantsCachedCounts = settings.flags & UInt32(QUIRE_WANTS_CACHED_TOKENS) != 0
    }
}
