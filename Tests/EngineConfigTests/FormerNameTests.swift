import BackendVulkan
import Testing

@testable import EngineConfig

/// Keys and values that have other names today.
@Suite struct FormerNameTests {
    private func warnings(_ text: String, overrides: [String] = []) throws -> [String] {
        try EngineConfiguration.parse(text, file: "c.yaml", overrides: overrides).warnings.map(\.description)
    }

    @Test("A key under its former name is read, and the warning names it with its position")
    func formerKey() throws {
        let text = minimal + "backend:\n  kernels: [norm_subgroup]\nsimulation: {move_token_us: 3}\n"
        let configuration = try EngineConfiguration.parse(text, file: "c.yaml")
        #expect(configuration.backend.disabledKernels == ["norm_subgroup"])
        #expect(configuration.simulation.swapTokenUs == 3)
        #expect(configuration.origin(of: "backend.disabled_kernels") == .file(line: 3, column: 12))
        #expect(
            configuration.warnings.map(\.description) == [
                "c.yaml:3:3: backend.kernels: now called backend.disabled_kernels",
                "c.yaml:4:14: simulation.move_token_us: now called simulation.swap_token_us",
            ])
    }

    @Test("A former name on the command line overrides the file's present one")
    func override() throws {
        let text = minimal + "simulation: {swap_block_us: 3}\n"
        let configuration = try EngineConfiguration.parse(
            text, file: "c.yaml", overrides: ["simulation.move_block_us=4"])
        #expect(configuration.simulation.swapBlockUs == 4)
        #expect(
            configuration.warnings.map(\.description)
                == ["--set simulation.move_block_us: now called simulation.swap_block_us"])
    }

    @Test("Both names in one file are an error")
    func both() {
        let text = minimal + "backend:\n  disabled_features: [fp16]\n  without: [fp16]\n"
        #expect(
            complaints(about: text)
                == ["c.yaml:4:3: backend.without: the former name of backend.disabled_features, which line 3 gives"])
    }

    @Test("A bad value under a former name is reported under the present one")
    func badValue() {
        #expect(
            complaints(about: minimal + "backend: {without: [fp61]}\n") == [
                "c.yaml:2:20: backend.disabled_features: expected features, such as [fp16, subgroup_arithmetic], "
                    + "found a sequence; did you mean \"fp16\"?"
            ])
    }

    @Test("A former value is read and warned of", arguments: ["[integer_products, fp16]", "integer_products, fp16"])
    func formerValue(_ value: String) throws {
        let configuration = try EngineConfiguration.parse(
            minimal, file: "c.yaml", overrides: ["backend.disabled_features=\(value)"])
        #expect(configuration.backend.disabledFeatures.map(\.rawValue) == ["integer_dot_product", "fp16"])
        #expect(
            configuration.warnings.map(\.description)
                == ["--set backend.disabled_features: integer_products is now called integer_dot_product"])
    }

    @Test("Present names are not warned of")
    func present() throws {
        let schema = EngineConfiguration.schema().replacing("~", with: "/ada")
        #expect(try warnings(schema) == [])
        #expect(try warnings(minimal, overrides: ["backend.disabled_features=integer_dot_product"]) == [])
    }
}
