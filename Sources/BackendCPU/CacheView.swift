import Backends
import CPUKernels

/// The attached key/value cache as bare pointers.
struct CacheView {
    struct Layer {
        let keys: UnsafeMutableRawPointer
        let values: UnsafeMutableRawPointer
    }

    let elementType: quire_dtype
    let blockSize: Int
    /// One entry a cache layer.
    let layers: UnsafeMutablePointer<Layer>
}
