// swift-tools-version: 6.3
import PackageDescription

/// Profile-guided optimization: a release build knows from `Sources/requests.profdata` what requests run through. `Tests/full/record.py` writes
/// that, by a build with KEYBEARER_PGO=record; KEYBEARER_PGO=none leaves it alone, as compilers do that may not read the format.
let guidance: [String] = {
    // The driver of Swift 6.3 does not pass these on by itself. Functions of one file are known by its name, wherever it is built.
    let names = ["-Xllvm", "-static-func-full-module-prefix=false"]
    switch Context.environment["KEYBEARER_PGO"] {
    case "record": return names + ["-Xfrontend", "-ir-profile-generate"]
    case "none": return []
    default:
        #if compiler(>=6.4)
            return []
        #else
            return names + ["-Xfrontend", "-ir-profile-use=\(Context.packageDirectory)/Sources/requests.profdata"]
        #endif
    }
}()

/// Settings of every Swift target. Warnings are errors in CI only, so that a newer compiler never breaks a user's build.
let inCI = Context.environment["KEYBEARER_WARNINGS_AS_ERRORS"] != nil
let common: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        // Functions in sections of their own, so that the linker drops those that nobody calls.
        .unsafeFlags(["-cross-module-optimization", "-Xfrontend", "-function-sections"] + guidance, .when(configuration: .release)),
    ] + (inCI ? [.treatAllWarnings(as: .error)] : [])

/// Fuzzers are built on demand (`Tests/full/run fuzz`): libFuzzer brings a `main` of its own.
let fuzzers: [Target] =
    Context.environment["KEYBEARER_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "Fuzz", dependencies: ["HTTP", "JSON", "Sockets"], path: "Tests/Fuzz",
            swiftSettings: common + [.unsafeFlags(["-parse-as-library"])])
    ]

/// `#expect` trips strict memory safety, so tests go without it.
let strict = common + [.strictMemorySafety()]

/// A library of the product and the tests that mirror it.
func module(_ name: String, _ dependencies: [Target.Dependency], tests: [Target.Dependency] = [], resources: [Resource] = []) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict),
        .testTarget(
            name: name + "Tests", dependencies: [.byName(name: name)] + dependencies + tests, resources: resources, swiftSettings: common),
    ]
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "keybearer",
    products: [
        .executable(name: "keybearer", targets: ["keybearer"]),
        .executable(name: "keybearer-bench", targets: ["Bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C libraries: one door each.
        [
            .systemLibrary(name: "CLinux"),
            .systemLibrary(name: "CScan"),
            .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
            .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
            .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
            .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
            .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
            // Not by pkg-config, which would link it: it is opened when it is needed.
            .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
            .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        ],
        // Dependencies point up this list only.
        module("JSON", ["CScan"], resources: [.copy("Corpus")]),
        module("Digest", ["COpenSSL"]),
        module("Files", ["CLinux"]),
        module("Children", ["CLinux", "Digest"]),
        module("Sockets", ["CLinux"]),
        module("TLS", ["Sockets", "CLinux", "COpenSSL"]),
        module("HTTP", ["Sockets", "CNGHTTP2"], resources: [.copy("Corpus")]),
        module("Credentials", ["JSON", "Files", "Digest", "Children", "CSQLite"]),
        module("OAuth", ["Credentials", "JSON", "Files", "Digest", "CCurl"]),
        module("Configuration", ["Credentials", "JSON", "Files"]),
        module("Routing", ["Configuration", "Credentials", "JSON"]),
        module("Tools", ["Configuration", "JSON", "Files", "Digest"]),
        module(
            "Proxy",
            [
                "Routing", "Configuration", "OAuth", "Credentials", "Children", "HTTP", "TLS", "Sockets", "JSON", "Files", "Digest",
                "CLinux", "CZstd", "CZlib", "CBrotli",
                logging,
            ],
            resources: [.copy("Exchanges")]),
        module("Sandbox", ["HTTP", "TLS", "Sockets", "JSON", "Digest", "CLinux"]),
        [
            .executableTarget(
                name: "keybearer",
                dependencies: [
                    "Proxy", "Routing", "Tools", "Configuration", "OAuth", "Credentials", "Children", "Sandbox", "TLS", "JSON", "Files",
                    "Digest",
                    "Sockets", "CLinux",
                    argumentParser, logging,
                ],
                swiftSettings: strict),
            .testTarget(
                name: "KeybearerTests",
                dependencies: [
                    "keybearer", "Proxy", "Sandbox", "TLS", "Tools", "OAuth", "Configuration", "Credentials", "JSON", "Files", "Sockets",
                    argumentParser,
                    logging,
                ], swiftSettings: common),
        ],
        // Measures the executable from outside; nothing depends on it.
        [
            .executableTarget(
                name: "Bench", dependencies: ["HTTP", "TLS", "Sockets", "Children", "JSON", "Files", "CLinux", argumentParser],
                swiftSettings: strict),
            .testTarget(
                name: "BenchTests", dependencies: ["Bench", "keybearer", "Configuration", "Sockets", "JSON", "Files", argumentParser],
                swiftSettings: common),
        ],
        fuzzers,
    ].flatMap { $0 },
    swiftLanguageModes: [.v6]
)
