// 16-bit numbers as halves of 32-bit words, so that no device needs 16-bit storage.

float low_bfloat16(uint word) { return uintBitsToFloat(word << 16); }
float high_bfloat16(uint word) { return uintBitsToFloat(word & 0xFFFF0000u); }

// To nearest, ties to even; a NaN stays one.
uint to_bfloat16(float value) {
    uint bits = floatBitsToUint(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (bits >> 16) | 0x40u;
    return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}

// To nearest, ties to even. The specification leaves the rounding of packHalf2x16 open, and drivers differ.
uint to_float16(float value) {
    uint bits = floatBitsToUint(value);
    uint sign = (bits >> 16) & 0x8000u;
    uint magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return sign | 0x7E00u;
    if (magnitude >= 0x477FF000u) return sign | 0x7C00u;
    if (magnitude < 0x38800000u) {
        float scaled = uintBitsToFloat(magnitude) * 16777216.0;
        uint whole = uint(scaled);
        float rest = scaled - float(whole);
        if (rest > 0.5 || (rest == 0.5 && (whole & 1u) == 1u)) whole += 1u;
        return sign | whole;
    }
    return sign | ((magnitude + 0xFFFu + ((magnitude >> 13) & 1u) - 0x38000000u) >> 13);
}
