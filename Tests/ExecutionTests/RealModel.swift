import CLibrary
import Testing

/// SmolLM2 on this machine.
enum RealModel: Sendable, CustomTestStringConvertible {
    /// The file that `make test` fetches.
    case fetched
    /// A directory that another tool wrote, with the numbers of `make_goldens.py --directory`.
    case quantized(directory: String)

    var testDescription: String {
        switch self {
        case .fetched: "as fetched"
        case .quantized(let directory): directory
        }
    }

    var path: String {
        get throws {
            switch self {
            case .fetched:
                try #require(
                    getenv("QUIRE_TEST_MODEL").map { String(cString: $0) },
                    "QUIRE_TEST_MODEL is not set; run `make test`")
            case .quantized(let directory): directory
            }
        }
    }

    var golden: Golden.Real {
        get throws {
            switch self {
            case .fetched: try Golden.real()
            case .quantized(let directory): try Golden.real(in: directory)
            }
        }
    }
}
