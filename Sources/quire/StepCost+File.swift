import FoundationEssentials
import Simulation

extension StepCost {
    /// The cost in the file at `path`, which `quire bench steps` wrote.
    init(path: String) throws(SimulationError) {
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw .unreadable(path: path, reason: "cannot be read")
        }
        try self.init(file: Array(data), path: path)
    }
}
