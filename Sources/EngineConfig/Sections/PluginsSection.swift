/// Libraries with scheduling policies.
public struct PluginsSection: Sendable, Equatable {
    public var paths: [String] = []

    init() {}
}

extension PluginsSection: ConfigurationSection {
    static let name = "plugins"
    static let summary = "libraries with scheduling policies"
    static let isOneKey = true
    static let keys: [ConfigurationKey<PluginsSection>] = [
        ConfigurationKey(
            name, \.paths, .paths,
            "Libraries built with quire_plugin.h or QuirePlugins; scheduler.policy then takes the names of their policies"
        )
    ]
}
