// activation(gate) * up, or a function of both.

layout(set = 0, binding = GATE_BINDING) readonly buffer Gate { float gate[]; };
layout(set = 0, binding = UP_BINDING) readonly buffer Up { float up[]; };

float gated(uint row, uint column) {
    float number = gate[row * gate_stride + gate_offset + column];
    float factor = up[row * up_stride + up_offset + column];
#if ACTIVATION == CLAMPED_SWIGLU
    // NaN stays NaN.
    number = number > limit ? limit : number;
    factor = factor > limit ? limit : factor < -limit ? -limit : factor;
    return number / (1.0 + exp(-alpha * number)) * (factor + 1.0);
#else
    return activated(number) * factor;
#endif
}
