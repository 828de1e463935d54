import Testing

@testable import Weights

@Suite struct QuantizationConfigurationTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static let gptq = #""quant_method":"gptq","bits":4,"group_size":32"#
    private static let awq = #""quant_method":"awq","bits":4,"group_size":32,"version":"gemm""#
    private static let quantized = #""quant_method":"compressed-tensors","format":"pack-quantized""#

    private static func group(_ weights: String, _ more: String = "") -> String {
        quantized + #","config_groups":{"group_0":{"targets":["Linear"],"weights":{\#(weights)}\#(more)}}"#
    }

    /// A configuration that rotates weights and `location`.
    private static func transforms(_ location: String) -> String {
        #","transform_config":{"config_groups":{"v":{"type":"hadamard","apply":[{"targets":["Linear"],"#
            + #""location":"weight_input"},{"targets":["Linear"],"location":"\#(location)"}]}}}"#
    }

    private static let w4 = #""num_bits":4,"type":"int","strategy":"group","group_size":32,"symmetric":true"#

    private static let unsupported: [(String, String)] = [
        (#""quant_method":"bitsandbytes","load_in_4bit":true"#, "quantization_config.quant_method bitsandbytes"),
        (#""quant_method":"quark""#, "quantization_config.quant_method quark"),
        (#""quant_method":"modelopt","quant_algo":"NVFP4""#, "quantization_config.quant_method modelopt"),
        (#""quant_method":"fp8","fmt":"e5m2""#, "quantization_config.fmt e5m2"),
        (gptq + #","checkpoint_format":"marlin""#, "quantization_config.checkpoint_format marlin"),
        (gptq + #","format":"gptq_p""#, "quantization_config.format gptq_p"),
        (gptq + #","is_marlin_format":true"#, "quantization_config.is_marlin_format true"),
        (gptq + #","pack_dtype":"int64""#, "quantization_config.pack_dtype int64"),
        (gptq.replacing("4", with: "5"), "quantization_config.bits 5"),
        (awq.replacing("gemm", with: "gemv"), "quantization_config.version gemv"),
        (awq.replacing("gemm", with: "gemv_fast"), "quantization_config.version gemv_fast"),
        (awq.replacing("gemm", with: "exllama"), "quantization_config.version exllama"),
        (awq.replacing("gemm", with: "llm-awq"), "quantization_config.version llm-awq"),
        (awq.replacing("gemm", with: "ipex"), "quantization_config.version ipex"),
        (awq.replacing(":4", with: ":3"), "quantization_config.bits 3"),
        (group(w4).replacing("pack-quantized", with: "marlin-24"), "quantization_config.format marlin-24"),
        (group(w4.replacing(":4", with: ":3")), "config_groups.group_0.weights.num_bits 3"),
        (group(w4.replacing("\"int\"", with: "\"float\"")), "config_groups.group_0.weights.type float"),
        (
            group(w4.replacing("\"group\"", with: "\"tensor_group\"")),
            "config_groups.group_0.weights.strategy tensor_group"
        ),
        (group(w4 + #","dynamic":true"#), "config_groups.group_0.weights.dynamic true"),
        (group(w4) + transforms("input"), "transform_config.config_groups.v.apply location input"),
        (group(w4) + transforms("k_cache"), "transform_config.config_groups.v.apply location k_cache"),
        (group(w4) + #","kv_cache_scheme":{"num_bits":8}"#, "quantization_config.kv_cache_scheme"),
        (group(w4) + #","sparsity_config":{"format":"sparse-bitmask"}"#, "sparsity_config.format sparse-bitmask"),
    ]

    @Test(arguments: unsupported)
    func `unsupported quantizations are refused by name`(members: String, named: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try quantization(members, in: directory) }
        let description = try #require(error).description
        #expect(description.contains(named) && description.contains("is not supported yet"), "\(description)")
    }

    @Test func `rotations of weights alone are accepted`() throws {
        #expect(throws: Never.self) {
            try quantization(Self.group(Self.w4) + Self.transforms("weight_output"), in: directory)
        }
    }

    private static let bad: [(String, String)] = [
        (gptq.replacing("32", with: "0"), "group_size must be -1, 16 or a multiple of 32, found 0"),
        (gptq.replacing("32", with: "48"), "group_size must be -1, 16 or a multiple of 32, found 48"),
        (#""quant_method":"gptq","bits":4"#, "key quantization_config.group_size is missing"),
        (#""quant_method":"gptq","group_size":32"#, "key quantization_config.bits is missing"),
        (gptq + #","dynamic":{"+:a(":{}}"#, #"dynamic.+:a( must be a regular expression, found "a(""#),
        (gptq + #","dynamic":[1]"#, "dynamic must be an object"),
        (awq + #","modules_to_not_convert":"lm_head""#, "modules_to_not_convert must be a list of strings"),
        (quantized, "config_groups is missing"),
        (#""quant_method":"fp8","weight_block_size":[128]"#, "weight_block_size must be two numbers"),
        (#""quant_method":"fp8","weight_block_size":[128,100]"#, "the second a multiple of 32"),
        (group(w4) + #","ignore":["re:*"]"#, "ignore must be a regular expression"),
        (quantized + #","config_groups":{"group_0":{"targets":["Linear"]}}"#, "group_0.weights is missing"),
    ]

    @Test(arguments: bad)
    func `bad values are named`(members: String, named: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try quantization(members, in: directory) }
        let description = try #require(error).description
        #expect(description.contains(named), "\(description)")
    }

    @Test func `older files and keys are read`() throws {
        let config = try JSONDocument(file: try directory.write("{}", to: "config.json"))
        let absent = directory.path + "/quantize_config.json"
        #expect(try QuantizationConfiguration(config, orFirstOf: [absent]) == nil)
        let gptq = try directory.write(#"{"bits":3,"group_size":128,"desc_act":true}"#, to: "quantize_config.json")
        guard case .gptq(let read)? = try QuantizationConfiguration(config, orFirstOf: [gptq]) else {
            Issue.record("not GPTQ")
            return
        }
        #expect(read.quantization(of: "anything") == GPTQConfiguration.Module(bitCount: 3, groupSize: 128))
        #expect(read.zerosAreMinusOne)
        let awq = try directory.write(
            #"{"w_bit":4,"q_group_size":-1,"version":"GEMM","zero_point":true}"#, to: "quant_config.json")
        guard case .awq(let old)? = try QuantizationConfiguration(config, orFirstOf: [absent + "x", awq]) else {
            Issue.record("not AWQ")
            return
        }
        #expect(old.groupSize == nil)
    }

    @Test func `modules stay dense if the configuration says so`() throws {
        guard
            case .awq(let awq) = try quantization(
                Self.awq + #","modules_to_not_convert":["self_attn"]"#, in: directory),
            case .gptq(let gptq) = try quantization(
                Self.gptq + #","dynamic":{"-:.*\\.3\\.":{},"model\\.layers\\.4":{"bits":8,"group_size":-1}}"#,
                in: directory),
            case .compressedTensors(let quantized) = try quantization(
                Self.group(Self.w4) + #","ignore":["lm_head","re:.*down_proj"]"#, in: directory)
        else {
            Issue.record("other methods")
            return
        }
        #expect(!awq.isQuantized("model.layers.0.self_attn.q_proj") && awq.isQuantized("model.layers.0.mlp.up_proj"))
        #expect(gptq.quantization(of: "model.layers.3.mlp.up_proj") == nil)
        #expect(
            gptq.quantization(of: "model.layers.4.mlp.up_proj") == GPTQConfiguration.Module(bitCount: 8, groupSize: nil)
        )
        #expect(gptq.quantization(of: "x.model.layers.4.mlp")?.bitCount == 4)
        #expect(quantized.scheme(of: "lm_head") == nil && quantized.scheme(of: "model.layers.0.mlp.down_proj") == nil)
        #expect(quantized.scheme(of: "model.layers.0.mlp.up_proj")?.bitCount == 4)
    }

    @Test func `names have precedence over patterns, and patterns over classes`() throws {
        func scheme(_ targets: String, _ bits: Int) -> String {
            #"{"targets":[\#(targets)],"weights":{"num_bits":\#(bits),"type":"int","strategy":"channel"}}"#
        }
        let groups = [scheme(#""Linear""#, 8), scheme(#""re:.*proj""#, 4), scheme(#""a.q_proj""#, 8)].enumerated()
            .map { #""group_\#($0.offset)":\#($0.element)"# }.joined(separator: ",")
        guard
            case .compressedTensors(let read) = try quantization(
                Self.quantized + #","config_groups":{\#(groups)}"#, in: directory)
        else {
            Issue.record("another method")
            return
        }
        #expect(read.scheme(of: "a.q_proj")?.bitCount == 8)
        #expect(read.scheme(of: "a.k_proj")?.bitCount == 4)
        #expect(read.scheme(of: "lm_head")?.bitCount == 8)
    }

    @Test func `a class means the linear modules inside it`() throws {
        let weights = #""weights":{"num_bits":4,"type":"int","strategy":"channel"}"#
        let members =
            Self.quantized + #","config_groups":{"g":{"targets":["LlamaMLP"],\#(weights)}},"ignore":["lm_head"]"#
        guard case .compressedTensors(let read) = try quantization(members, in: directory) else {
            Issue.record("another method")
            return
        }
        #expect(read.scheme(of: "model.layers.0.mlp.up_proj")?.bitCount == 4)
        #expect(read.scheme(of: "model.layers.0.self_attn.q_proj") == nil)
        #expect(read.scheme(of: "lm_head") == nil)
    }
}
