import EngineConfig
import Plugins
import Testing

@testable import Assembly
@testable import BackendVulkan

/// What `backend.name: auto` becomes, by lists of devices that no machine has.
@Suite struct BackendChoiceTests {
    private static func device(
        _ index: Int, _ name: String, _ kind: VulkanDeviceFacts.Kind, gibibytes: Int = 8, minor: UInt32 = 3
    ) -> VulkanDeviceFacts {
        VulkanDeviceFacts(
            index: index, name: name, kind: kind, uuid: [UInt8](repeating: UInt8(index), count: 16), driver: "test",
            apiVersion: 1 << 22 | minor << 12 | 7, memoryByteCount: gibibytes << 30)
    }

    private static let lavapipe = device(0, "llvmpipe", .processor, gibibytes: 64)
    private static let laptop = device(1, "AMD Radeon 780M", .integrated, gibibytes: 32)
    private static let arc = device(2, "Intel Arc A770", .discrete, gibibytes: 16)
    private static let radeon = device(3, "AMD Radeon RX 7900 XTX", .discrete, gibibytes: 24)
    private static let twin = device(4, "AMD Radeon RX 7900 XTX", .discrete, gibibytes: 24)
    private static let guest = device(5, "Virtio-GPU Venus", .virtual, gibibytes: 4)
    private static let old = device(6, "NVIDIA GeForce GTX 680", .discrete, gibibytes: 4, minor: 1)
    private static let strange = device(7, "Something", .other)

    private func choice(_ devices: [VulkanDeviceFacts]?, device: String = "auto") -> BackendChoice {
        BackendChoice(device: device, among: devices)
    }

    @Test("A discrete GPU comes before an integrated one, that before a virtual one, and software drivers never come")
    func order() {
        let all = [Self.lavapipe, Self.guest, Self.laptop, Self.arc]
        #expect(choice(all).name == "vulkan")
        #expect(choice(all).deviceIndex == Self.arc.index)
        #expect(choice([Self.lavapipe, Self.guest, Self.laptop]).deviceIndex == Self.laptop.index)
        #expect(choice([Self.lavapipe, Self.guest]).deviceIndex == Self.guest.index)
        #expect(choice([Self.lavapipe]).name == "cpu")
        #expect(choice([Self.lavapipe]).deviceIndex == nil)
    }

    @Test("Of several GPUs of a kind the one with the most memory is chosen, of equal ones the first")
    func memory() {
        #expect(choice([Self.arc, Self.radeon, Self.twin]).deviceIndex == Self.radeon.index)
        #expect(choice([Self.twin, Self.radeon, Self.arc]).deviceIndex == Self.radeon.index)
    }

    @Test("A GPU without Vulkan 1.2 is passed over, even for the CPU")
    func version() {
        #expect(choice([Self.old, Self.laptop]).deviceIndex == Self.laptop.index)
        #expect(choice([Self.old]).name == "cpu")
    }

    @Test("A device that the configuration names is a Vulkan device, and its backend chooses among them")
    func named() {
        let choice = choice([Self.lavapipe], device: "llvmpipe")
        #expect(choice.name == "vulkan")
        #expect(choice.deviceIndex == nil)
        #expect(choice.explanation == "backend: vulkan, because backend.device names a device: llvmpipe")
    }

    @Test("The log says what was chosen and why")
    func explanations() {
        let change = "; backend.name and backend.device change that"
        for (devices, explanation) in [
            (nil, "backend: cpu, because no Vulkan loader (libvulkan) is installed"),
            ([], "backend: cpu, because no driver offers a Vulkan device"),
            (
                [Self.lavapipe, Self.old, Self.strange],
                "backend: cpu, because no Vulkan device is a usable GPU: llvmpipe is a software driver, "
                    + "NVIDIA GeForce GTX 680 has Vulkan 1.1.7 and 1.2 is needed, Something is of an unknown kind"
            ),
            (
                [Self.lavapipe, Self.laptop],
                "backend: vulkan on device 1, AMD Radeon 780M, because it is the only GPU" + change
            ),
            (
                [Self.laptop, Self.arc],
                "backend: vulkan on device 2, Intel Arc A770, because it is the only discrete GPU" + change
            ),
            (
                [Self.arc, Self.radeon],
                "backend: vulkan on device 3, AMD Radeon RX 7900 XTX, because it is the discrete GPU with the most memory"
                    + change
            ),
        ] as [([VulkanDeviceFacts]?, String)] {
            #expect(choice(devices).explanation == explanation)
        }
    }

    @Test("A section that names its backend is left alone; auto becomes a backend of the catalog")
    func section() throws {
        let catalog = try PluginCatalog.builtin()
        var sentences: [String] = []
        let named = try EngineConfiguration.parse("model: {path: m}\nbackend: {name: reference}", file: "c.yaml")
        #expect(catalog.choosingBackend(named.backend) { sentences.append($0) } == named.backend)
        #expect(sentences.isEmpty)
        let absent = try EngineConfiguration.parse("model: {path: m}", file: "c.yaml")
        let chosen = catalog.choosingBackend(absent.backend) { sentences.append($0) }
        #expect(catalog.backends.names.contains(chosen.name))
        #expect(sentences.count == 1 && sentences[0].hasPrefix("backend: \(chosen.name)"))
    }
}
