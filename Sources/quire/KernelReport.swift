import Backends
import Benchmarking
import Reports

/// Kernels of some steps beside the speed of their device.
struct KernelReport: Encodable {
    let device: String
    let speed: DeviceSpeed
    let steps: [KernelFigures]

    /// A table for each step, the costliest kernel first.
    var text: String {
        let (moved, multiplied) = (speed.memoryBytesPerSecond, speed.operationsPerSecond)
        var text = "\(device)\nmemory \(number(moved / 1e9)) GB/s, multiplying \(number(multiplied / 1e9)) GFLOP/s\n"
        for step in steps {
            let floor = step.floor(at: speed)
            text +=
                "\n\(step.step): \(number(step.seconds * 1e3)) ms in kernels, floor \(number(floor * 1e3)) ms "
                + "(\(number(floor / step.seconds * 100))%)\n"
            var rows = [
                [
                    "computes", "kernel", "times", "us", "share", "MB", "moved", "GB/s", "of memory", "GFLOP/s",
                    "of peak",
                ]
            ]
            for kernel in step.kernels {
                let bytes = Double(kernel.bytes) / kernel.seconds
                let operations = Double(kernel.operations) / kernel.seconds
                rows.append([
                    kernel.label, kernel.kernel, "\(kernel.count)", number(kernel.seconds * 1e6),
                    number(kernel.seconds / step.seconds * 100) + "%", number(Double(kernel.bytes) / 1e6),
                    kernel.movedBytes.map { number(Double($0) / Double(max(1, kernel.bytes)) * 100) + "%" } ?? "",
                    number(bytes / 1e9),
                    number(bytes / moved * 100) + "%", number(operations / 1e9),
                    number(operations / multiplied * 100) + "%",
                ])
            }
            text += TextTable(rows, leadingColumns: 2).text
        }
        return text
    }

    /// Three digits or more.
    private func number(_ value: Double) -> String {
        let scale: Double = value < 1 ? 1000 : value < 10 ? 100 : value < 100 ? 10 : 1
        let rounded = (value * scale).rounded() / scale
        return scale == 1 ? "\(Int(clamping: Int64(rounded)))" : "\(rounded)"
    }
}
