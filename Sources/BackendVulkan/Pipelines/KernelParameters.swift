/// The push constants of a kernel, written once: a struct whose fields are the members of the GLSL block
/// `uniform Parameters`, in the same order, named in snake case (`inputSize` is `input_size`).
///
/// Fields are `UInt32`, `Int32` or `Float`, a `ParameterGroup`, whose members get the field's name before their own
/// (`input_stride`), or another `KernelParameters`, whose members keep their names. All of them take four bytes, so the
/// struct lies in memory as the block does. Before them stands `row_count`, the rows of a dispatch, which is known only
/// when a step is recorded (`StepRecorder`).
protocol KernelParameters: BitwiseCopyable, Sendable {}

/// Parameters that belong together, such as those of one value.
protocol ParameterGroup: BitwiseCopyable, Sendable {}

/// How the rows of a value lie in its buffer, counted in the elements that the kernel reads it by.
struct RowLayout: ParameterGroup, Hashable {
    /// Elements from one row to the next.
    var stride: UInt32
    /// The element at which the first row begins.
    var offset: UInt32 = 0
}

extension KernelParameters {
    /// The words that a dispatch pushes behind the row count.
    var words: [UInt32] {
        withUnsafeBytes(of: self) { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
        }
    }

    /// The GLSL declaration.
    static var glsl: String {
        let members = ParameterMember.all(of: zero)
        precondition(members.count * 4 == MemoryLayout<Self>.size, "\(Self.self) has a field that GLSL has no type for")
        precondition(members.count * 4 + 4 <= Pipeline.parameterByteCount, "\(Self.self) is too long to be pushed")
        let lines = ([ParameterMember(type: "uint", name: "row_count")] + members).map {
            "    \($0.type) \($0.name);\n"
        }
        return "layout(push_constant) uniform Parameters {\n\(lines.joined())};\n"
    }

    /// All fields zero, for their names and types.
    private static var zero: Self {
        withUnsafeTemporaryAllocation(
            byteCount: max(MemoryLayout<Self>.size, 1), alignment: MemoryLayout<Self>.alignment
        ) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            return UnsafeRawBufferPointer(bytes).loadUnaligned(as: Self.self)
        }
    }
}

/// A member of the GLSL block.
private struct ParameterMember {
    let type: String
    let name: String

    static func all(of value: Any, prefix: String = "") -> [ParameterMember] {
        Mirror(reflecting: value).children.flatMap { child -> [ParameterMember] in
            guard let label = child.label else { preconditionFailure("a parameter without a name") }
            let name = prefix + label.snakeCased
            return switch child.value {
            case is UInt32: [ParameterMember(type: "uint", name: name)]
            case is Int32: [ParameterMember(type: "int", name: name)]
            case is Float: [ParameterMember(type: "float", name: name)]
            case let group as any ParameterGroup: all(of: group, prefix: name + "_")
            case let parameters as any KernelParameters: all(of: parameters)
            default: preconditionFailure("parameter \(name) has a type that GLSL does not")
            }
        }
    }
}
