import SharedValues
import Tensors
import Testing
import Tokenization

@testable import Weights

/// Any header leads to an error or to tensors inside of the file.
@Suite struct HeaderMutationTests {
    /// Changes one or several positions: a bit, a byte, a 64-bit word, a deletion, or a repetition.
    private func mutated(
        _ bytes: [UInt8], headerByteCount: Int, maxChanges: Int, _ random: inout SplitMix64
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...maxChanges, using: &random) {
            guard !bytes.isEmpty else { return bytes }
            let position = Int.random(in: 0..<min(headerByteCount, bytes.count), using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 2:
                let numbers: [UInt64] = [0, 1, 31, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 31]
                let number = numbers[Int.random(in: 0..<numbers.count, using: &random)]
                for (index, byte) in GGUFBuilder.bytes(number).enumerated() where position + index < bytes.count {
                    bytes[position + index] = byte
                }
            case 3: bytes[position] = Array("0123456789-[]{},:\"eE. ".utf8)[Int.random(in: 0..<22, using: &random)]
            case 4: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...8, using: &random)))
            default: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 8)], at: position)
            }
        }
        return bytes
    }

    /// Reads every tensor of `source`; a wrong range traps.
    private func readAll(_ source: any TensorSource) {
        for name in source.tensorNames {
            guard let tensor = try? source.tensor(named: name), tensor.elementCount < 1 << 20 else { continue }
            _ = tensor.withUnsafeBytes { $0.reduce(UInt8(0), ^) }
            _ = try? tensor.floats()
            _ = try? tensor.converted(to: .bf16)
        }
    }

    @Test(arguments: 0..<4) func `a mutated GGUF file never crashes`(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        var builder = GGUFBuilder()
        builder.add("general.architecture", "llama")
        builder.add("general.alignment", 32 as UInt32)
        builder.add("llama.block_count", 1 as UInt32)
        builder.add("tokenizer.ggml.model", "gpt2")
        builder.add("tokenizer.ggml.tokens", ["a", "b", "c"])
        builder.add("tokenizer.ggml.token_type", [1, 1, 3])
        builder.add("tokenizer.ggml.merges", ["a b"])
        builder.add("a", [1, 2, 3, 4, 5, 6], dimensions: [3, 2])
        builder.tensors.append(
            .init(name: "q", dimensions: [32, 2], type: 2, data: [UInt8](repeating: 7, count: 36)))
        let bytes = builder.build()
        var opened = 0
        for _ in 0..<2500 {
            let file = mutated(bytes, headerByteCount: bytes.count - 68, maxChanges: 4, &random)
            guard let source = try? GGUFSource(file: "test", memory: memory(file)) else { continue }
            opened += 1
            readAll(source)
            if let vocabulary = try? GGUFVocabulary(source.metadata, file: "test") {
                let values = GGUFMetadata(file: "test", values: source.metadata)
                let metadata = ModelMetadata(values, architecture: "llama", family: ModelFamily(gguf: ["llama"]))
                _ = try? ModelShape(metadata, vocabulary: vocabulary)
            }
        }
        // Both outcomes must have occurred.
        #expect(opened > 50 && opened < 2450)
    }

    @Test(arguments: 0..<4) func `a mutated safetensors file never crashes`(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) + 100)
        let bytes = safetensors([("a", [1, 2, 3, 4, 5, 6], [2, 3]), ("b", [1], [1]), ("c", [], [0])], as: .bf16)
        var opened = 0
        for _ in 0..<2500 {
            // Only one change, because with several the JSON parser refuses almost every header.
            let file = mutated(bytes, headerByteCount: bytes.count - 14, maxChanges: 1, &random)
            guard let source = try? source(file) else { continue }
            opened += 1
            readAll(source)
        }
        // Almost every change is an error; changes of names and of padding are not.
        #expect(opened > 10 && opened < 1250)
    }

    @Test func `a safetensors header with any numbers never crashes`() {
        var random = SplitMix64(seed: 7)
        let numbers = [
            "0", "1", "2", "4", "8", "12", "16", "-1", "1.5", "2147483648", "4611686018427387904",
            "9223372036854775807", "18446744073709551615", "1e3", "null",
        ]
        func number() -> String { numbers[Int.random(in: 0..<numbers.count, using: &random)] }
        func smallNumber() -> String { numbers[Int.random(in: 0..<7, using: &random)] }
        var opened = 0
        for attempt in 0..<10_000 {
            // Half of the headers have only plausible numbers, so that some are accepted.
            let next = attempt % 2 == 0 ? number : smallNumber
            let entryCount = attempt % 2 == 0 ? 3 : 1
            let entries = (0..<Int.random(in: 1...entryCount, using: &random)).map { index in
                let shape = (0..<Int.random(in: 0...3, using: &random)).map { _ in next() }.joined(separator: ",")
                let type = Bool.random(using: &random) ? "F32" : "BF16"
                return
                    "\"t\(index)\":{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(next()),\(next())]}"
            }
            let bytes = safetensors(
                header: "{\(entries.joined(separator: ","))}", data: [UInt8](repeating: 0, count: 8))
            guard let source = try? source(bytes) else { continue }
            opened += 1
            readAll(source)
        }
        #expect(opened > 0)
    }
}
