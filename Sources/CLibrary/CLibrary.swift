// The platform's C library under one name: Glibc and Musl on Linux, Darwin on Apple's systems.
#if canImport(Darwin)
    @_exported public import Darwin
#elseif canImport(Musl)
    @_exported public import Musl
#else
    @_exported public import Glibc
#endif
