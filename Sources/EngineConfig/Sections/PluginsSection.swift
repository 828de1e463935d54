/// Libraries with scheduling policies from outside.
public struct PluginsSection: Sendable, Equatable {
    /// Their files.
    public var paths: [String] = []

    init() {}
}

extension PluginsSection: ConfigurationSection {
    static let name = "plugins"
    static let summary = "scheduling policies from outside"
    static let isOneKey = true
    static let keys: [ConfigurationKey<PluginsSection>] = [
        ConfigurationKey(
            name, \.paths, .paths,
            "Libraries made with quire_plugin.h or QuirePlugins; scheduler.policy then knows their policies by name")
    ]
}
