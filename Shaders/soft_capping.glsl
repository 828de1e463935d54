// Tanh by hand: that of some drivers overflows for large arguments or returns zero for small ones.

float soft_capped(float value, float cap) {
    float x = abs(value / cap);
    float square = x * x;
    // The Taylor series of tanh, where the quotient would suffer from cancellation.
    float small = x * (1.0 + square * (-1.0 / 3.0 + square * (2.0 / 15.0 + square * (-17.0 / 315.0))));
    float large = 1.0 - 2.0 / (1.0 + exp(2.0 * min(x, 20.0)));
    float magnitude = cap * (x < 0.1 ? small : large);
    return value < 0.0 ? -magnitude : magnitude;
}
