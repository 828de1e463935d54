import CLibrary

/// The library's functions in double, as references.
func exponential(_ x: Double) -> Double { exp(x) }
func tanhOf(_ x: Double) -> Double { tanh(x) }
func logarithm(_ x: Double) -> Double { log(x) }
func cosine(_ x: Double) -> Double { cos(x) }
func sine(_ x: Double) -> Double { sin(x) }
func complementaryError(_ x: Double) -> Double { erfc(x) }
func exponentialMinusOne(_ x: Double) -> Double { expm1(x) }
