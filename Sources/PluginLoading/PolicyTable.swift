import CQuirePlugin
import Scheduling

/// A library's functions, checked and copied. A longer table than this quire knows is taken as far as it is known.
struct PolicyTable: @unchecked Sendable {
    // Sendable: the table is a copy that nobody writes to; its pointers lead into a library that stays loaded, and its
    // functions may be called from any thread, one for each state. C pointers keep the compiler from seeing it.
    let name: String
    let functions: quire_policy

    init(_ table: UnsafeRawPointer, path: String) throws(PluginError) {
        let abi = table.load(as: UInt32.self)
        guard abi == PluginLibrary.supportedABI else {
            throw .otherABI(path: path, found: abi, supported: PluginLibrary.supportedABI)
        }
        let byteCount = Int(table.load(fromByteOffset: 4, as: UInt32.self))
        // All that ABI 1 began with has to be there.
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

    /// Whether the library decides this, or hears of it; the default does what it leaves out.
    func answers(_ decision: PolicyDecision) -> Bool {
        switch decision {
        case .place: functions.place != nil
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
