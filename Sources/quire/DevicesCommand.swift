import ArgumentParser
import Assembly

/// `quire devices`: every Vulkan device, what it can do, and which kernels it gets and why.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists the Vulkan devices, what they can do, and the kernels they get.")

    func run() throws {
        try exitingWithStatus {
            let devices = try DeviceReport.all()
            Console.write(devices.map { "\($0)\n" }.joined(separator: "\n"))
            if !devices.contains(where: \.isGPU) {
                Console.error(
                    "no driver offers a GPU: AMD's and Intel's need the package mesa-vulkan-drivers, NVIDIA's its own driver"
                )
            }
        }
    }
}
