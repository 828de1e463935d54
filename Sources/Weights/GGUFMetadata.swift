/// Reads GGUF metadata by key and type; errors name file and key.
struct GGUFMetadata {
    let file: String
    let values: [String: GGUFValue]

    /// The integer at `key`; nil when absent.
    func integer(_ key: String) throws(WeightLoadingError) -> Int? {
        switch values[key] {
        case nil: return nil
        case .integer(let integer): return integer
        case .some(let other): throw illTyped(key, "an integer", other)
        }
    }

    /// The integer at `key`; of a list, which has one value per layer, the value that all layers share. Nil when
    /// absent.
    func layerInteger(_ key: String) throws(WeightLoadingError) -> Int? {
        guard case .integers(let integers) = values[key], let first = integers.first else { return try integer(key) }
        guard integers.allSatisfy({ $0 == first }) else {
            throw .unsupported(
                file: file, key: key, found: "of different layers, \(integers.prefix(8)),",
                supported: "one number for all layers")
        }
        return first
    }

    /// The finite number at `key`; nil when absent.
    func number(_ key: String) throws(WeightLoadingError) -> Double? {
        switch values[key] {
        case nil: return nil
        case .integer(let integer): return Double(integer)
        case .number(let number) where number.isFinite: return number
        case .some(let other): throw illTyped(key, "a finite number", other)
        }
    }

    /// The boolean at `key`; nil when absent.
    func bool(_ key: String) throws(WeightLoadingError) -> Bool? {
        switch values[key] {
        case nil: return nil
        case .bool(let bool): return bool
        case .some(let other): throw illTyped(key, "a boolean", other)
        }
    }

    /// The string at `key`; nil when absent.
    func string(_ key: String) throws(WeightLoadingError) -> String? {
        switch values[key] {
        case nil: return nil
        case .string(let string): return string
        case .some(let other): throw illTyped(key, "a string", other)
        }
    }

    /// The strings at `key`; nil when absent.
    func strings(_ key: String) throws(WeightLoadingError) -> [String]? {
        switch values[key] {
        case nil: return nil
        case .strings(let strings): return strings
        case .some(let other): throw illTyped(key, "an array of strings", other)
        }
    }

    /// The integers at `key`; nil when absent.
    func integers(_ key: String) throws(WeightLoadingError) -> [Int]? {
        switch values[key] {
        case nil: return nil
        case .integers(let integers): return integers
        case .some(let other): throw illTyped(key, "an array of integers", other)
        }
    }

    /// The numbers at `key`; nil when absent.
    func numbers(_ key: String) throws(WeightLoadingError) -> [Float]? {
        switch values[key] {
        case nil: return nil
        case .numbers(let numbers): return numbers
        case .some(let other): throw illTyped(key, "an array of numbers", other)
        }
    }

    private func illTyped(_ key: String, _ expected: String, _ found: GGUFValue) -> WeightLoadingError {
        .illTypedKey(file: file, key: key, expected: expected, found: found.kind)
    }
}
