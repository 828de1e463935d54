// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "ShortestPrompt",
    platforms: [.macOS(.v15)],
    products: [.library(name: "ShortestPrompt", type: .dynamic, targets: ["ShortestPrompt"])],
    dependencies: [.package(name: "quire", path: "../../..", traits: [])],
    targets: [
        .target(
            name: "ShortestPrompt", dependencies: [.product(name: "QuirePlugins", package: "quire")], path: "Sources")
    ]
)
