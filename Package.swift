// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A module: a target and, in its dependencies, every module that it may import.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// The tests of a module. Fixtures are read from their source folder.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: fixtures[name] ?? [], swiftSettings: settings)
}

/// A product of another package. Packages of policies do without (`traits: []`), and so need not even fetch them.
func serving(_ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package, condition: .when(traits: ["Serving"]))
}

let fixtures = [
    "ChatTemplatesTests": ["Fixtures"], "TokenizationTests": ["Fixtures"], "WeightsTests": ["Fixtures"],
]

let package = Package(
    name: "quire",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "quire", targets: ["quire"]),
        // For packages of policies.
        .library(name: "QuirePlugins", targets: ["QuirePlugins"]),
    ],
    traits: [
        .default(enabledTraits: ["Serving"]),
        .trait(name: "Serving", description: "The command line and the server; policies need neither."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Level 0: modules that import no other one.
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // Only headers: the libraries are loaded at run time.
        .systemLibrary(name: "CVulkan", providers: [.apt(["libvulkan-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CGlslang", providers: [.apt(["glslang-dev"])]),
        .target(name: "CPUKernels"),
        .target(name: "CQuirePlugin"),
        module("CLibrary"),
        module("SharedValues"),
        module("JSON"),
        module("Plugins"),

        // Level 1
        module("Tensors", ["SharedValues"]),
        module("KVCaching", ["SharedValues"]),
        module("ChatTemplates", ["CLibrary", "JSON"]),
        module("Tokenization", ["JSON"]),
        module("Reports", ["CLibrary"]),
        module("ModelHub", ["CCurl", "CLibrary", "JSON", "SharedValues"]),

        // Level 2
        module("Backends", ["CLibrary", "SharedValues", "Tensors"]),
        module("Requests", ["KVCaching", "SharedValues"]),
        module("Weights", ["CLibrary", "JSON", "SharedValues", "Tensors", "Tokenization"]),

        // Level 3
        module("Scheduling", ["KVCaching", "Requests"]),
        module("Sampling", ["CLibrary", "Requests", "SharedValues"]),
        module("Models", ["Backends", "CLibrary", "Tensors", "Weights"]),
        module("Adapters", ["Backends", "JSON", "Tensors", "Tokenization", "Weights"]),
        module("Lowering", ["Backends", "SharedValues", "Tensors"]),
        module("BackendReference", ["Backends", "CLibrary", "SharedValues", "Tensors"]),

        // Level 4
        module(
            "BackendCPU", ["Backends", "CLibrary", "CPUKernels", "Lowering", "SharedValues", "Tensors"],
            exclude: ["README.md"]),
        // `Shaders` is a link to the folder at the top. Every file is embedded in the binary: `PackageResources.add_comp`
        // is `add.comp`.
        .target(
            name: "BackendVulkan",
            dependencies: [
                "Backends", "CGlslang", "CLibrary", "CVulkan", "JSON", "Lowering", "SharedValues", "Tensors",
            ],
            exclude: ["README.md"], resources: [.embedInCode("Shaders")], swiftSettings: settings),
        module("QuirePlugins", ["CQuirePlugin", "Requests", "Scheduling"]),
        module("PluginLoading", ["CLibrary", "CQuirePlugin", "Requests", "Scheduling"]),
        module("BackendConformance", ["BackendReference", "Backends", "SharedValues", "Tensors"]),
        module("SchedulingConformance", ["KVCaching", "Requests", "Scheduling", "SharedValues"]),
        module("Simulation", ["CLibrary", "JSON", "KVCaching", "Reports", "Requests", "Scheduling", "SharedValues"]),
        module("Execution", ["Backends", "KVCaching", "Requests", "Sampling", "SharedValues", "Tensors"]),
        module(
            "InferenceEngine",
            [
                "CLibrary", "Requests", "Scheduling", "SharedValues", "Tokenization",
                serving("CoreMetrics", "swift-metrics"),
            ]),

        // Level 5
        module(
            "EngineConfig",
            [
                "BackendCPU", "Backends", "BackendVulkan", "CLibrary", "CYAML", "ModelHub", "Scheduling",
                "SharedValues",
                "Weights",
            ]),
        module(
            "OpenAIServer",
            [
                "ChatTemplates", "InferenceEngine", "JSON", "Requests", "Tokenization",
                serving("Hummingbird", "hummingbird"),
                serving("CoreMetrics", "swift-metrics"),
                serving("Logging", "swift-log"),
                serving("NIOCore", "swift-nio"),
                serving("NIOHTTP1", "swift-nio"),
                serving("ServiceLifecycle", "swift-service-lifecycle"),
            ]),
        module(
            "Benchmarking",
            ["Backends", "InferenceEngine", "KVCaching", "Requests", "Scheduling", "SharedValues", "Simulation"]),

        // Level 6
        module(
            "Assembly",
            [
                "Adapters", "BackendCPU", "BackendReference", "Backends", "BackendVulkan", "ChatTemplates",
                "EngineConfig", "Execution", "InferenceEngine", "KVCaching", "ModelHub", "Models", "PluginLoading",
                "Plugins", "Requests", "Scheduling",
                "SharedValues", "Tensors", "Tokenization", "Weights", serving("CoreMetrics", "swift-metrics"),
                serving("Logging", "swift-log"),
            ]),
        .target(
            name: "Comparison",
            dependencies: [
                "Benchmarking", "ChatTemplates", "CLibrary", "InferenceEngine", "JSON", "Reports", "Requests",
                "SharedValues", "Tokenization",
            ],
            resources: ["text.txt", "prompts.txt"].map { .embedInCode("Resources/\($0)") }, swiftSettings: settings),

        // Level 7
        .executableTarget(
            name: "quire",
            dependencies: [
                "Assembly", "Backends", "Benchmarking", "ChatTemplates", "CLibrary", "Comparison", "EngineConfig",
                "Execution", "InferenceEngine", "ModelHub", "OpenAIServer", "Plugins", "Reports", "Requests",
                "Scheduling", "SharedValues", "Simulation", "Tokenization",
                serving("ArgumentParser", "swift-argument-parser"),
                serving("Logging", "swift-log"),
                serving("ServiceLifecycle", "swift-service-lifecycle"),
                serving("UnixSignals", "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        tests("TensorsTests", ["Tensors"]),
        tests("SharedValuesTests", ["SharedValues"]),
        tests("KVCachingTests", ["KVCaching", "SharedValues"]),
        tests("JSONTests", ["JSON"]),
        tests("TokenizationTests", ["JSON", "Tokenization"]),
        tests("ChatTemplatesTests", ["ChatTemplates", "JSON", "SharedValues"]),
        tests("PluginsTests", ["Plugins"]),
        tests("ReportsTests", ["CLibrary", "Reports"]),
        tests("ModelHubTests", ["CLibrary", "JSON", "ModelHub", "SharedValues"]),
        tests(
            "ComparisonTests",
            [
                "Comparison", "Benchmarking", "ChatTemplates", "InferenceEngine", "KVCaching", "Requests", "Scheduling",
                "SharedValues", "Tokenization",
            ]),
        tests("SimulationTests", ["KVCaching", "Requests", "Scheduling", "SharedValues", "Simulation"]),
        tests(
            "BenchmarkingTests",
            [
                "Benchmarking", "InferenceEngine", "KVCaching", "Requests", "Scheduling", "SharedValues", "Simulation",
                "Tokenization",
            ]),
        tests(
            "EngineConfigTests",
            [
                "BackendCPU", "Backends", "BackendVulkan", "CLibrary", "EngineConfig", "ModelHub", "Scheduling",
                "SharedValues", "Weights",
            ]),
        tests("CPUKernelsTests", ["CLibrary", "CPUKernels", "SharedValues"]),
        tests("BackendsTests", ["Backends", "KVCaching", "SharedValues", "Tensors"]),
        tests("WeightsTests", ["CLibrary", "SharedValues", "Tensors", "Tokenization", "Weights"]),
        tests("AdaptersTests", ["Adapters", "Backends", "CLibrary", "Tensors", "Weights"]),
        tests("SchedulingTests", ["KVCaching", "Requests", "Scheduling", "SchedulingConformance", "SharedValues"]),
        tests(
            "PluginLoadingTests",
            [
                "PluginLoading", "CQuirePlugin", "QuirePlugins", "Requests", "Scheduling", "SchedulingConformance",
            ]),
        tests("SamplingTests", ["CLibrary", "Requests", "Sampling", "SharedValues"]),
        tests("ModelsTests", ["Models", "Backends", "JSON", "Tensors", "Weights"]),
        tests("BackendReferenceTests", ["BackendReference", "BackendConformance"]),
        tests("BackendCPUTests", ["BackendCPU", "BackendConformance"]),
        tests(
            "BackendVulkanTests",
            [
                "BackendConformance", "BackendReference", "Backends", "BackendVulkan", "CLibrary", "CVulkan",
                "Lowering",
                "SharedValues", "Tensors",
            ]),
        tests(
            "ExecutionTests",
            [
                "Adapters", "BackendCPU", "BackendReference", "Backends", "BackendVulkan", "CLibrary", "Execution",
                "KVCaching", "Models", "Requests", "Scheduling", "SharedValues", "Tensors", "Weights",
            ]),
        tests(
            "AssemblyTests",
            [
                "Adapters", "Assembly", "BackendReference", "BackendVulkan", "Backends", "EngineConfig", "Execution",
                "InferenceEngine", "Plugins", "Requests", "SharedValues", serving("CoreMetrics", "swift-metrics"),
                serving("Logging", "swift-log"),
            ]),
        tests("InferenceEngineTests", ["InferenceEngine", "KVCaching", "Requests", "Scheduling", "Tokenization"]),
        tests(
            "OpenAIServerTests",
            [
                "Assembly", "Backends", "BackendVulkan", "ChatTemplates", "CVulkan", "EngineConfig",
                "InferenceEngine", "JSON", "OpenAIServer", "Plugins", "Requests", "SharedValues", "Tokenization",
                serving("CoreMetrics", "swift-metrics"), serving("Logging", "swift-log"),
                serving("NIOCore", "swift-nio"), serving("NIOPosix", "swift-nio"),
                serving("ServiceLifecycle", "swift-service-lifecycle"),
            ]),
    ]
)
