public import Backends
public import Weights

extension AdapterModule {
    /// The modules of a plan that was made by `withAdapters`, from a checkpoint in `format`.
    public static func list(of plan: ForwardPlan, format: ModelMetadata.Format) -> [AdapterModule] {
        plan.adapterTargets.map { target in
            var names = [format: Name(withoutEnding(target.weight))]
            if let alias = plan.aliases[target.weight] {
                let other: ModelMetadata.Format = format == .gguf ? .huggingFace : .gguf
                names[other] = Name(withoutEnding(alias.weight), rowOrder: alias.rowOrder)
            }
            return AdapterModule(
                names: names, rows: target.rows, inputSize: plan[target.down].inputSize,
                outputSize: plan[target.up].outputSize, down: target.down, up: target.up)
        }
    }

    private static func withoutEnding(_ weight: String) -> String {
        weight.hasSuffix(".weight") ? String(weight.dropLast(".weight".count)) : weight
    }
}
