// The functions of activations. ACTIVATION says which of them `activated` is, as in `PointwiseActivation.code`.

#define SILU 0
#define GELU_TANH 1
#define GELU 2
#define RELU 3
#define SIGMOID 4
#define RELU_SQUARED 5
#define XIELU 6
// Of gate and up together (gated.glsl).
#define CLAMPED_SWIGLU 7

#if ACTIVATION == SILU
float activated(float x) { return x / (1.0 + exp(-x)); }

#elif ACTIVATION == GELU_TANH
// 0.5 x (1 + tanh(y)) = x / (1 + exp(-2y)): no difference of nearly equal numbers.
float activated(float x) { return x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); }

#elif ACTIVATION == GELU
// x erfc(-x / sqrt(2)) / 2. The complementary error function of a number that is not negative is exp(-y²) t P(t) with
// t = 1 / (1 + 0.35 y), as in Abramowitz and Stegun, 7.1.26; P is fitted to a relative error of 8e-9.
float activated(float x) {
    float y = abs(x) * 0.7071067811865476;
    float t = 1.0 / (1.0 + 0.35 * y);
    float p = 0.0390823111;
    p = p * t - 0.1627336;
    p = p * t + 0.190689906;
    p = p * t - 0.0404376797;
    p = p * t + 0.0980106518;
    p = p * t + 0.139895245;
    p = p * t + 0.153408855;
    p = p * t + 0.187402144;
    p = p * t + 0.197201863;
    p = p * t + 0.197480321;
    float tail = 0.5 * p * t * exp(-y * y);
    return x * (x < 0.0 ? tail : 1.0 - tail);
}

#elif ACTIVATION == RELU
// NaN stays NaN.
float activated(float x) { return x < 0.0 ? 0.0 : x; }

#elif ACTIVATION == SIGMOID
float activated(float x) { return 1.0 / (1.0 + exp(-x)); }

#elif ACTIVATION == RELU_SQUARED
float activated(float x) { return x < 0.0 ? 0.0 : x * x; }

#elif ACTIVATION == XIELU
// exp(x) - 1 - x of a number that is not positive: near zero by the Taylor series, as the difference would lose digits.
float exp_beyond_linear(float x) {
    float p = 1.0 / 40320.0;
    p = p * x + 1.0 / 5040.0;
    p = p * x + 1.0 / 720.0;
    p = p * x + 1.0 / 120.0;
    p = p * x + 1.0 / 24.0;
    p = p * x + 1.0 / 6.0;
    p = p * x + 0.5;
    return x > -0.5 ? p * x * x : exp(x) - 1.0 - x;
}

float activated(float x) {
    float below = min(x, epsilon);
    float negative = (exp_beyond_linear(below) + (below - x)) * alpha_negative;
    return beta * x + (x > 0.0 ? alpha_positive * x * x : negative);
}
#endif
