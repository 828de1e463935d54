// How kernels of linear operations, dense and packed, end.

// Writes an output of a row, where there is such a row and such an output.
void write_result(uint row, uint column, float sum) {
    if (row >= row_count || column >= output_size) return;
    float offset = has_bias != 0 ? bias[bias_offset + column] : 0.0;
    result[row * output_stride + output_column + column] = sum + offset;
}
