import ArgumentParser
import Assembly
import CLibrary

/// `quire devices`: every Vulkan device, what it can do, which kernels it gets and why; and what cannot be used, and why.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Lists the Vulkan devices, what they can do, the kernels they get, and why others are not used.")

    func run() throws {
        try exitingWithStatus {
            let devices = try DeviceReport.all()
            Console.write(devices.map { "\($0)\n" }.joined(separator: "\n"))
            let obstacles = DeviceReport.obstacles { getenv($0).map { String(cString: $0) } }
            if !obstacles.isEmpty {
                Console.write("\(devices.isEmpty ? "" : "\n")not used:\n" + obstacles.map { "   \($0)\n" }.joined())
            }
            if !devices.contains(where: \.isGPU) {
                Console.error(
                    "no driver offers a GPU: AMD's and Intel's need the package mesa-vulkan-drivers, NVIDIA's its own driver"
                )
            }
        }
    }
}
