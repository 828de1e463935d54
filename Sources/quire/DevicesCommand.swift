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
            if devices.isEmpty { Console.error("no driver offers a Vulkan device") }
        }
    }
}
