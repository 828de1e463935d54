/// The complete GLSL of a kernel for one device and model.
struct KernelSource: Hashable, Sendable {
    /// What the kernel is called in logs and file names.
    let name: String
    let text: String

    init<K: KernelInterface>(_ kernel: K.Type, _ variant: KernelVariant, _ definitions: ShaderDefinitions) {
        var text = "#version 450\n"
        for name in variant.extensions + ["GL_EXT_control_flow_attributes"] {
            text += "#extension \(name) : require\n"
        }
        let all = definitions + K.Binding.definitions
        for (name, value) in all.values.sorted(by: { $0.key < $1.key }) { text += "#define \(name) \(value)\n" }
        text += K.Parameters.glsl
        for part in variant.parts { text += String(decoding: part, as: UTF8.self) }
        self.name = variant.name
        self.text = text
    }
}
