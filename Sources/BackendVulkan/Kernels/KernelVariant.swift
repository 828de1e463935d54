import Shaders

/// What a kernel computes; for each there are one or more variants.
enum KernelKind: String, Sendable, Hashable, CaseIterable {
    case embed, norm
    case addNorm = "add_norm"
    case addNormDigits = "add_norm_digits"
    case linearFewRows = "linear_few_rows"
    case linearManyRows = "linear_many_rows"
    /// In 16-bit arithmetic where that is allowed; else as `linearManyRows`.
    case linearManyRowsHalf = "linear_many_rows_half"
    case packedEmbed = "packed_embed"
    case packedFewRows = "packed_few_rows"
    case packedManyRows = "packed_many_rows"
    case digits
    case packedDotFewRows = "packed_dot_few_rows"
    case packedDotManyRows = "packed_dot_many_rows"
    case headToValue = "head_to_value"
    case headToCache = "head_to_cache"
    case attention
    case attentionReduce = "attention_reduce"
    case attentionReduceDigits = "attention_reduce_digits"
    case gated, add, gather, reorder
    case gatedDigits = "gated_digits"
    case softCap = "soft_cap"
    case candidatesSegment = "candidates_segment"
    case candidatesMerge = "candidates_merge"
}

/// One way to compute a kind: its files and what the device must have for it.
struct KernelVariant: Sendable {
    /// What the device must have.
    enum Need: Sendable {
        case subgroupArithmetic, subgroupBroadcast
        /// Subgroups of no more invocations than that.
        case subgroups(most: Int)
        /// Products of four signed bytes at once.
        case integerProducts
        /// Arithmetic in 16-bit floats.
        case float16
        /// Leave to compute a row in another way when many share its batch.
        case batchDependence
        /// Invocations that are lanes of a processor's vector unit.
        case processor
        /// As many invocations in a workgroup.
        case invocations(Int)

        /// Why `capabilities` do not meet it; nil where they do.
        func lack(in capabilities: DeviceCapabilities) -> String? {
            switch self {
            case .subgroupArithmetic: capabilities.hasSubgroupArithmetic ? nil : "no subgroup arithmetic"
            case .subgroupBroadcast:
                capabilities.hasSubgroupBroadcast && [2, 4, 8].contains(capabilities.subgroupSize)
                    ? nil : "no broadcast in subgroups of 2, 4 or 8"
            case .subgroups(let most):
                capabilities.subgroupSize <= most ? nil : "subgroups of more than \(most)"
            case .invocations(let count):
                capabilities.maxInvocationCount >= count ? nil : "no workgroups of \(count) invocations"
            case .integerProducts: capabilities.hasIntegerProducts ? nil : "no packed integer products"
            case .float16: capabilities.hasFloat16 ? nil : "no fp16 arithmetic"
            case .batchDependence: capabilities.isBatchInvariant ? "batch_invariant is true" : nil
            case .processor: capabilities.isProcessor ? nil : "not a processor's vector unit"
            }
        }
    }

    let name: String
    let files: [ShaderFile]
    var needs: [Need] = []
    var extensions: [String] = []
    /// Rows that a workgroup of a linear operation takes; nil: as the constant `ROWS` says.
    var rowsPerGroup: Int?
    /// Tiles of columns that a workgroup of a linear operation takes.
    var tilesPerGroup = 1

    /// The constant that has scales of packed weights unpacked by integers.
    static let halvesByIntegers = "HALVES_BY_INTEGERS"

    /// Whether it unpacks scales of 16 bits that are no bf16, with these constants.
    func unpacksHalves(_ constants: [String: Int]) -> Bool {
        files.contains(.packed) && constants["SCALE_BITS"] != 32 && constants["SCALE_IS_BFLOAT"] != 1
    }

    private static let subgroup = ["GL_KHR_shader_subgroup_basic", "GL_KHR_shader_subgroup_arithmetic"]

    private static let broadcast = ["GL_KHR_shader_subgroup_basic", "GL_KHR_shader_subgroup_ballot"]

    /// The variants of `kind`, the preferred first.
    static func all(of kind: KernelKind) -> [KernelVariant] {
        switch kind {
        case .embed: [KernelVariant(name: "embed", files: [.numbers, .weights, .embed])]
        case .norm: reducing("norm", [.norm])
        case .addNorm: reducing("add_norm", [.addNorm])
        case .addNormDigits: reducing("add_norm_digits", [.addNorm], before: [.digits, .digitsRecords])
        case .linearFewRows: [linearBroadcast, linearColumns]
        case .linearManyRows:
            [linearBroadcast, linearTiled("linear_tiled", .tileSingle), linearColumns]
        case .linearManyRowsHalf:
            [
                linearBroadcast,
                linearTiled(
                    "linear_tiled_half", .tileHalf, needs: [.batchDependence, .float16],
                    extensions: ["GL_EXT_shader_explicit_arithmetic_types_float16"]),
                linearTiled("linear_tiled", .tileSingle), linearColumns,
            ]
        case .packedEmbed: [KernelVariant(name: "packed_embed", files: [.packed, .packedEmbed])]
        case .packedFewRows: [packedBroadcast, packedColumns]
        case .packedManyRows:
            [
                packedBroadcast,
                KernelVariant(
                    name: "packed_tiled", files: [.packed, .linear, .tiles, .packedTiled],
                    needs: [.invocations(256)],
                    rowsPerGroup: 64, tilesPerGroup: 2),
                packedColumns,
            ]
        case .digits: [KernelVariant(name: "digits", files: [.digits, .digitsRecords, .digitsKernel])]
        case .packedDotFewRows: [packedDotColumns]
        case .packedDotManyRows:
            [
                packedDot(
                    "packed_dot_tiled", [.tiles, .packedDotTiled], needs: [.invocations(256)], rowsPerGroup: 64,
                    tilesPerGroup: 2),
                packedDotColumns,
            ]
        case .headToValue: reducing("head_to_value", [.head], before: [.headToValue])
        case .headToCache: reducing("head_to_cache", [.head], before: [.numbers, .headToCache])
        case .attention:
            [
                // Invocations that run in step have the same rows, at different positions.
                KernelVariant(
                    name: "attention_subgroup", files: attentionFiles(.maximaSubgroup),
                    needs: [.subgroupArithmetic, .subgroups(most: KernelShapes.attentionTile)],
                    extensions: subgroup),
                KernelVariant(name: "attention_shared", files: attentionFiles(.maximaShared)),
            ]
        case .attentionReduce: [KernelVariant(name: "attention_reduce", files: [.softmaxState, .attentionReduce])]
        case .attentionReduceDigits:
            [
                KernelVariant(
                    name: "attention_reduce_digits", files: [.digits, .digitsRecords, .softmaxState, .attentionReduce])
            ]
        case .gated: [KernelVariant(name: "gated", files: [.gated, .gatedKernel])]
        case .gatedDigits:
            [KernelVariant(name: "gated_digits", files: [.digits, .digitsRecords, .gated, .gatedDigits])]
        case .add: [KernelVariant(name: "add", files: [.add])]
        case .gather: [KernelVariant(name: "gather", files: [.gather])]
        case .reorder: [KernelVariant(name: "reorder", files: [.reorder])]
        case .softCap: [KernelVariant(name: "soft_cap", files: [.softCapping, .softCap])]
        case .candidatesSegment: reducing("candidates_segment", [.candidates, .candidatesSegment])
        case .candidatesMerge: reducing("candidates_merge", [.candidates, .candidatesMerge])
        }
    }

    private static let linearColumns = KernelVariant(
        name: "linear_columns", files: [.numbers, .weights, .linear, .columns, .linearColumns])

    private static func linearTiled(
        _ name: String, _ tile: ShaderFile, needs: [Need] = [], extensions: [String] = []
    ) -> KernelVariant {
        KernelVariant(
            name: name, files: [.numbers, .weights, .linear, .tiles, tile, .linearTiled],
            needs: needs + [.invocations(256)],
            extensions: extensions, rowsPerGroup: 64, tilesPerGroup: 2)
    }

    private static let linearBroadcast = KernelVariant(
        name: "linear_broadcast", files: [.numbers, .weights, .linear, .linearBroadcast],
        needs: [.processor, .subgroupBroadcast], extensions: broadcast)

    private static let packedColumns = KernelVariant(
        name: "packed_columns", files: [.packed, .linear, .columns, .packedSlices, .packedColumns])

    private static let packedBroadcast = KernelVariant(
        name: "packed_broadcast", files: [.packed, .linear, .packedBroadcast],
        needs: [.processor, .subgroupBroadcast], extensions: broadcast)

    private static let packedDotColumns = packedDot("packed_dot_columns", [.columns, .packedSlices, .packedDotColumns])

    private static func packedDot(
        _ name: String, _ files: [ShaderFile], needs: [Need] = [], rowsPerGroup: Int? = nil, tilesPerGroup: Int = 1
    ) -> KernelVariant {
        // glslang got `GL_EXT_integer_dot_product` late; the instruction itself can be named since 2020.
        KernelVariant(
            name: name, files: [.digits, .packed, .linear, .packedDot] + files,
            needs: [.integerProducts] + needs,
            extensions: ["GL_EXT_spirv_intrinsics"], rowsPerGroup: rowsPerGroup, tilesPerGroup: tilesPerGroup)
    }

    /// A kernel with a sum over its workgroup, by subgroup arithmetic or through shared memory.
    private static func reducing(
        _ name: String, _ files: [ShaderFile], before: [ShaderFile] = []
    ) -> [KernelVariant] {
        [
            KernelVariant(
                name: name + "_subgroup", files: before + [.reduceSubgroup] + files, needs: [.subgroupArithmetic],
                extensions: subgroup),
            KernelVariant(name: name + "_shared", files: before + [.reduceShared] + files),
        ]
    }

    private static func attentionFiles(_ maxima: ShaderFile) -> [ShaderFile] {
        [.numbers, .cache, .softCapping, .softmaxState, .attentionRows, maxima, .attention]
    }
}
