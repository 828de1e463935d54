import CCurl
import CLibrary

/// libcurl, opened at run time as the Vulkan loader is.
///
/// The alternative was async-http-client. It brings BoringSSL and HTTP/2 into every cold build, about eight minutes of
/// CPU time (Tests/Benchmarks/pull.md), and into every binary. libcurl is on nearly every system already, with the system's
/// certificates and security updates, and reads `HTTPS_PROXY` and `NO_PROXY` itself.
final class CurlLibrary {
    let functions: quire_curl_functions

    /// File names, the most specific first. The second is Debian's build with GnuTLS.
    static let libraryNames = ["libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"]

    /// Opens the first library of `names` that there is. Throws `noLibrary` where there is none.
    init(libraryNames names: [String] = CurlLibrary.libraryNames) throws(HubError) {
        var library: UnsafeMutableRawPointer?
        for name in names where library == nil { library = dlopen(name, RTLD_NOW | RTLD_LOCAL) }
        guard let library else {
            throw .noLibrary(
                reason: "libcurl is needed to download models, and not installed (\(names.joined(separator: ", "))); "
                    + "on Debian and Ubuntu: apt install libcurl4")
        }
        // Never closed: its TLS library leaves exit handlers behind, whose code must stay mapped.
        let table = UnsafeMutablePointer<quire_curl_functions>.allocate(capacity: 1)
        defer { table.deallocate() }
        if let missing = quire_load_curl_functions(library, table) {
            throw .noLibrary(reason: "libcurl is too old: it has no \(String(cString: missing))")
        }
        functions = table.move()
        guard functions.global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK else {
            throw .noLibrary(reason: "libcurl cannot be initialized")
        }
    }
}
