import Shaders

/// The text of a kernel for exactly this device and model: files one after another, behind their constants.
struct KernelSource: Hashable, Sendable {
    /// What the kernel is called in logs and file names.
    let name: String
    /// Complete GLSL.
    let text: String

    /// `files` are parts of one source; `constants` become defines, `extensions` are required.
    init(name: String, files: [ShaderFile], constants: [String: Int], extensions: [String] = []) {
        var text = "#version 450\n"
        for name in extensions + ["GL_EXT_control_flow_attributes"] { text += "#extension \(name) : require\n" }
        for (name, value) in constants.sorted(by: { $0.key < $1.key }) { text += "#define \(name) \(value)\n" }
        for file in files { text += file.text }
        self.name = name
        self.text = text
    }
}
